//! What was not read, and why.

use std::{io, path::PathBuf};

use crate::knowledge::{faq::FaqError, line::LineFault};

/// A file, or a part of it, that was not read.
#[derive(Debug)]
pub struct Fault {
    pub path: PathBuf,
    pub reason: Reason,
}

#[derive(Debug, thiserror::Error)]
pub enum Reason {
    #[error("has more than {0} bytes")]
    TooLarge(usize),
    #[error("is not UTF-8 text (line {line}): save it as UTF-8")]
    NotText { line: usize },
    #[error("is not UTF-8 text but {0}: save it as UTF-8")]
    Encoding(&'static str),
    #[error("is not read: only .md, .markdown, .txt, .html, .htm, .csv and .json files are")]
    Kind,
    #[error("is not read: it is a symbolic link")]
    Link,
    #[error(
        "has a NUL or escape character (line {line}), as text in another encoding has: \
         save it as UTF-8"
    )]
    Foreign { line: usize },
    #[error("has a name that is not UTF-8: rename it")]
    Name,
    #[error("would be stored as `{external_id}`, as {} would: rename one of them", .other.display())]
    SameDocument { external_id: String, other: PathBuf },
    #[error("is more than {0} folders deep")]
    TooDeep(usize),
    #[error("exceeds the limit of {0} documents of a site")]
    TooMany(usize),
    /// A header, markup or a row. If it is a row, the other ones are read.
    #[error(transparent)]
    Line(#[from] LineFault),
    #[error(transparent)]
    Faq(#[from] FaqError),
    /// The other pairs of the file are read.
    #[error("question {number}: `{field}` {detail}")]
    Pair { number: usize, field: &'static str, detail: &'static str },
    #[error("could not be read: {0}")]
    Io(#[from] io::Error),
}

//! What can fail for one text, and at the start.

use std::{io, path::PathBuf};

/// Why a text got no vector. Its turn continues without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    #[error("too many texts wait for the embedder")]
    Overloaded,
    #[error("the embedder did not answer in time")]
    Timeout,
    #[error("the model failed on this text")]
    Failed,
    #[error("the embedder has stopped")]
    Closed,
}

/// Why the embedder did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbedStartError {
    #[error("{} is missing: {hint}", what.display())]
    Missing { what: PathBuf, hint: &'static str },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not valid: {reason}", path.display())]
    Broken { path: PathBuf, reason: String },
    #[error("cannot load onnx runtime: {0}")]
    Library(String),
    #[error("cannot load the model: {0}")]
    Model(String),
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

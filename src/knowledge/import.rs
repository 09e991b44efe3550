//! Reads a folder of files into documents, for `rushdesk knowledge import` and the demo shop.
//!
//! Reads `.md`, `.txt`, `.html`, `.csv` and `.json`. A file's path below the folder, without its
//! extension, is its external id. Symbolic links and hidden files are skipped. Reading blocks, so
//! do not call it on async threads.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    document::{Body, Format, NewDocument, PUBLIC},
    front_matter::FrontMatter,
};

/// Nested folders are read to this depth.
const MAX_DEPTH: usize = 8;

/// The content of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// Ordered by external id.
    pub documents: Vec<NewDocument>,
    pub faults: Vec<Fault>,
}

/// A file that was not read, and why.
#[derive(Debug)]
pub struct Fault {
    pub path: PathBuf,
    pub reason: Reason,
}

#[derive(Debug, thiserror::Error)]
pub enum Reason {
    #[error("has more than {0} bytes")]
    TooLarge(usize),
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is more than {MAX_DEPTH} folders deep")]
    TooDeep,
    #[error("exceeds the limit of {0} documents of a site")]
    TooMany(usize),
    #[error("could not be read: {0}")]
    Io(#[from] io::Error),
}

/// The limits of one import.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub max_document_bytes: usize,
    pub max_documents: usize,
}

/// Reads `folder`. Errors of single files are part of the result.
///
/// # Errors
/// If `folder` itself cannot be listed.
pub fn read_folder(folder: &Path, bounds: Bounds) -> io::Result<Folder> {
    let mut import = Import { root: folder, bounds, found: Folder::default() };
    import.folder(folder, 0)?;
    import.found.documents.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    Ok(import.found)
}

struct Import<'a> {
    root: &'a Path,
    bounds: Bounds,
    found: Folder,
}

impl Import<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            // The type of the entry itself: a symbolic link is neither file nor folder.
            let outcome = match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth == MAX_DEPTH => Err(Reason::TooDeep),
                Ok(kind) if kind.is_dir() => self.folder(&path, depth + 1).map_err(Reason::Io),
                Ok(kind) if kind.is_file() => self.file(&path),
                Ok(_) => Ok(()),
                Err(error) => Err(Reason::Io(error)),
            };
            if let Err(reason) = outcome {
                self.found.faults.push(Fault { path, reason });
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Reason> {
        let Some(format) = format_of(path) else { return Ok(()) };
        if self.found.documents.len() >= self.bounds.max_documents {
            return Err(Reason::TooMany(self.bounds.max_documents));
        }
        let text = read_text(path, self.bounds.max_document_bytes)?;
        let below = path.strip_prefix(self.root).unwrap_or(path).with_extension("");
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        self.found.documents.push(document(parts.join("/"), format, &text));
        Ok(())
    }
}

fn format_of(path: &Path) -> Option<Format> {
    Some(match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Format::Markdown,
        "txt" => Format::Text,
        "html" | "htm" => Format::Html,
        "csv" => Format::Csv,
        "json" => Format::Json,
        _ => return None,
    })
}

fn read_text(path: &Path, max_bytes: usize) -> Result<String, Reason> {
    use io::Read;
    let mut bytes = Vec::new();
    let limit = max_bytes as u64 + 1;
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes {
        return Err(Reason::TooLarge(max_bytes));
    }
    String::from_utf8(bytes).map_err(|_| Reason::NotText)
}

/// A file that is already in memory; `name` is its path below the folder.
///
/// # Errors
/// [`Reason::NotText`]. A file with another extension is read as plain text.
pub fn read_file(name: &str, bytes: &[u8]) -> Result<NewDocument, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotText)?;
    let path = Path::new(name);
    let format = format_of(path).unwrap_or(Format::Text);
    Ok(document(path.with_extension("").display().to_string(), format, text))
}

/// Converts a file to a document. Without a header, the title is its first heading or its name.
fn document(external_id: String, format: Format, text: &str) -> NewDocument {
    let header = match format {
        Format::Markdown | Format::Text => FrontMatter::read(text),
        Format::Html | Format::Csv | Format::Json => FrontMatter::none(text),
    };
    let title = header.get("title").map(str::to_owned);
    let heading = || match format {
        Format::Markdown => header.body.lines().find_map(|line| line.strip_prefix("# ")),
        _ => None,
    };
    let title = title
        .or_else(|| heading().map(|text| text.trim().to_owned()))
        .unwrap_or_else(|| name_as_title(&external_id));
    NewDocument {
        title,
        format,
        body: Body::Text(header.body.to_owned()),
        tags: header.list("tags"),
        audience: header.get("audience").unwrap_or(PUBLIC).to_owned(),
        locale: header.get("locale").map(str::to_owned),
        url: header.get("url").map(str::to_owned),
        external_id,
    }
}

/// `help/gift-cards` becomes "Gift cards".
fn name_as_title(external_id: &str) -> String {
    let name = external_id.rsplit('/').next().unwrap_or(external_id).replace(['-', '_'], " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { max_document_bytes: 100, max_documents: 10 };

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn files_become_documents_named_by_their_place() {
        let folder = folder(&[
            (
                "help/gift-cards.md",
                b"---\ntitle: Gift cards\ntags: a, b\naudience: staff\n---\nText.",
            ),
            ("b.md", b"# From the heading\nText."),
            ("opening_hours.txt", b"Nine to five."),
            ("faq.csv", b"question,answer\nq,a\n"),
            ("picture.png", b"no"),
            (".hidden.md", b"no"),
        ]);
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        let read: Vec<_> = found
            .documents
            .iter()
            .map(|d| (d.external_id.as_str(), d.title.as_str(), d.format))
            .collect();
        assert_eq!(
            read,
            [
                ("b", "From the heading", Format::Markdown),
                ("faq", "Faq", Format::Csv),
                ("help/gift-cards", "Gift cards", Format::Markdown),
                ("opening_hours", "Opening hours", Format::Text),
            ]
        );
        assert_eq!(found.documents[2].tags, ["a", "b"]);
        assert_eq!(found.documents[2].audience, "staff");
        assert_eq!(found.documents[2].body, Body::Text("Text.".into()));
    }

    #[test]
    fn each_file_that_cannot_be_read_is_named_and_the_rest_is_read() {
        let folder =
            folder(&[("big.md", &[b'x'; 101]), ("bytes.txt", &[0xff, 0xfe]), ("ok.md", b"ok")]);
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(found.documents.len(), 1);
        let faults: Vec<_> = found.faults.iter().map(|f| f.reason.to_string()).collect();
        assert_eq!(faults, ["has more than 100 bytes", "is not UTF-8 text"]);

        let one = Bounds { max_documents: 0, ..BOUNDS };
        let found = read_folder(folder.path(), one).unwrap();
        assert!(matches!(found.faults[0].reason, Reason::TooMany(0)));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let outside = folder(&[("secret.md", b"secret")]);
        let folder = folder(&[("ok.md", b"ok")]);
        std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("link.md"))
            .unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("dir")).unwrap();
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(found.documents.len(), 1);
        assert!(found.faults.is_empty());
    }
}

//! Walks a folder. Two files that would become one document are both refused, so that neither
//! overwrites the other.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::knowledge::document::{Format, NewDocument};

use super::{
    fault::{Fault, Reason},
    file::{self, format_of},
    name::external_id,
};

/// Nested folders are read to this depth.
const MAX_DEPTH: usize = 8;

/// The content of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// Ordered by external id.
    pub documents: Vec<NewDocument>,
    /// The file of each document, in the same order.
    pub paths: Vec<PathBuf>,
    pub faults: Vec<Fault>,
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
    let mut walk = Walk { root: folder, files: BTreeMap::new(), faults: Vec::new() };
    walk.folder(folder, 0)?;
    let mut found = Folder { faults: walk.faults, ..Folder::default() };
    for (id, files) in walk.files {
        match files.as_slice() {
            [(path, format)] => found.add(folder, path, id, *format, bounds),
            _ => found.refuse_all(&id, &files),
        }
    }
    found.faults.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

impl Folder {
    fn add(&mut self, root: &Path, path: &Path, id: String, format: Format, bounds: Bounds) {
        let read = || {
            if self.documents.len() >= bounds.max_documents {
                return Err(Reason::TooMany(bounds.max_documents));
            }
            let bytes = read_bytes(path, bounds.max_document_bytes)?;
            file::read(path.strip_prefix(root).unwrap_or(path), id, format, bytes)
        };
        let reasons = match read() {
            Ok(read) => {
                self.documents.push(read.document);
                self.paths.push(path.to_owned());
                read.left_out
            }
            Err(reason) => vec![reason],
        };
        let fault = |reason| Fault { path: path.to_owned(), reason };
        self.faults.extend(reasons.into_iter().map(fault));
    }

    fn refuse_all(&mut self, id: &str, files: &[(PathBuf, Format)]) {
        for (index, (path, _)) in files.iter().enumerate() {
            let other = &files[usize::from(index == 0)].0;
            let reason =
                Reason::SameDocument { external_id: id.to_owned(), other: other.to_owned() };
            self.faults.push(Fault { path: path.to_owned(), reason });
        }
    }
}

/// Finds files, and reads none.
struct Walk<'a> {
    root: &'a Path,
    /// By external id.
    files: BTreeMap<String, Vec<(PathBuf, Format)>>,
    faults: Vec<Fault>,
}

impl Walk<'_> {
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
                Ok(kind) if kind.is_dir() && depth == MAX_DEPTH => Err(Reason::TooDeep(MAX_DEPTH)),
                Ok(kind) if kind.is_dir() => self.folder(&path, depth + 1).map_err(Reason::Io),
                Ok(kind) if kind.is_file() => self.file(&path),
                Ok(kind) if kind.is_symlink() => Err(Reason::Link),
                Ok(_) => Err(Reason::Kind),
                Err(error) => Err(Reason::Io(error)),
            };
            if let Err(reason) = outcome {
                self.faults.push(Fault { path, reason });
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), Reason> {
        let format = format_of(path).ok_or(Reason::Kind)?;
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let id = external_id(below).ok_or(Reason::Name)?;
        self.files.entry(id).or_default().push((path.to_owned(), format));
        Ok(())
    }
}

fn read_bytes(path: &Path, max_bytes: usize) -> Result<Vec<u8>, Reason> {
    use io::Read;
    let mut bytes = Vec::new();
    let limit = max_bytes as u64 + 1;
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes { Err(Reason::TooLarge(max_bytes)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use crate::knowledge::document::Body;

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

    fn faults(found: &Folder) -> Vec<String> {
        found.faults.iter().map(|fault| fault.reason.to_string()).collect()
    }

    fn ids(found: &Folder) -> Vec<&str> {
        found.documents.iter().map(|document| &*document.external_id).collect()
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
            ("page.html", b"<title>no</title><h1>From the page</h1><p>Text."),
            ("faq.csv", b"question,answer\nq,a\n"),
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
                ("page", "From the page", Format::Html),
            ]
        );
        assert_eq!(found.documents[2].tags, ["a", "b"]);
        assert_eq!(found.documents[2].audience, "staff");
        assert_eq!(found.documents[2].body, Body::Text("Text.".into()));
        assert_eq!(found.paths[2], folder.path().join("help/gift-cards.md"));
    }

    #[test]
    fn each_file_that_cannot_be_read_is_named_and_the_rest_is_read() {
        let folder = folder(&[
            ("big.md", &[b'x'; 101]),
            ("bytes.txt", &[0xff, 0xfe]),
            ("ok.md", b"ok"),
            ("manual.pdf", b"no"),
            ("README", b"no"),
            ("draft.md", b"---\ntitle: a\ndraft: true\n---\nText."),
        ]);
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(ids(&found), ["ok"]);
        assert_eq!(
            faults(&found),
            [
                "is not read: only .md, .markdown, .txt, .html, .htm, .csv and .json files are",
                "has more than 100 bytes",
                "is not UTF-8 text but UTF-16: save it as UTF-8",
                "line 3: the header has `draft: true`, so the page may not be for everybody and is not \
                 read: write `draft: false`, or `audience: <group>` in its place",
                "is not read: only .md, .markdown, .txt, .html, .htm, .csv and .json files are",
            ]
        );

        let one = Bounds { max_documents: 0, ..BOUNDS };
        let found = read_folder(folder.path(), one).unwrap();
        assert!(found.faults.iter().any(|fault| matches!(fault.reason, Reason::TooMany(0))));
    }

    #[test]
    fn files_that_would_become_one_document_are_both_named_and_neither_is_read() {
        for names in [
            &["boats.md", "boats.csv"][..],
            &["same.md", "same.html"],
            &["a.md", "a.MD"],
            &["a.htm", "a.html"],
            &["a.md", "a.markdown", "a.txt"],
            &["a b.md", "a-b.md"],
            &["a & b.md", "a + b.md"],
            &["Rückgabe.md", "Ruckgabe.txt"],
            &["R\u{fc}ckgabe.md", "Ru\u{308}ckgabe.md"],
            &["help/a.md", "help/a.json"],
            &["the help/a.md", "the-help/a.md"],
        ] {
            let mut files: Vec<(&str, &[u8])> =
                names.iter().map(|name| (*name, &b"text"[..])).collect();
            files.push(("other.md", b"text"));
            let folder = folder(&files);
            let found = read_folder(folder.path(), BOUNDS).unwrap();
            assert_eq!(ids(&found), ["other"], "{names:?}");
            assert_eq!(found.faults.len(), names.len(), "{names:?}");
            for fault in &found.faults {
                let Reason::SameDocument { other, .. } = &fault.reason else { panic!("{fault:?}") };
                assert!(other.is_file() && *other != fault.path, "{fault:?}");
            }
        }
    }

    #[test]
    fn names_that_differ_in_case_are_two_documents() {
        let folder = folder(&[("Returns.md", b"one"), ("returns.md", b"two")]);
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        // A file system that folds case has one file.
        assert_eq!(
            found.documents.len() + found.faults.len(),
            fs::read_dir(folder.path()).unwrap().count()
        );
        assert!(found.faults.is_empty());
    }

    #[test]
    fn folders_are_read_to_a_depth_and_the_deeper_ones_are_named() {
        let deepest = "a/".repeat(MAX_DEPTH);
        let (read, deeper) = (format!("{deepest}x.md"), format!("{deepest}a/y.md"));
        let folder = folder(&[(&read, b"one"), (&deeper, b"two")]);
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(ids(&found), [read.trim_end_matches(".md")]);
        assert_eq!(faults(&found), ["is more than 8 folders deep"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_named_and_not_followed() {
        let outside = folder(&[("secret.md", b"secret")]);
        let folder = folder(&[("ok.md", b"ok")]);
        std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("link.md"))
            .unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("dir")).unwrap();
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(ids(&found), ["ok"]);
        assert_eq!(faults(&found), ["is not read: it is a symbolic link"; 2]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = folder(&[("ok.md", b"ok")]);
        let name = std::ffi::OsStr::from_bytes(b"R\xfcckgabe.md");
        fs::write(folder.path().join(name), "text").unwrap();
        let found = read_folder(folder.path(), BOUNDS).unwrap();
        assert_eq!(ids(&found), ["ok"]);
        assert_eq!(faults(&found), ["has a name that is not UTF-8: rename it"]);
    }
}

//! Labelled texts.

use std::{
    fs,
    io::{BufRead, BufReader},
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, de::DeserializeOwned};

/// A text and what is personal in it.
#[derive(Deserialize)]
pub struct Row {
    pub text: String,
    pub spans: Vec<Span>,
}

#[derive(Deserialize)]
pub struct Span {
    /// In code points, as `end` is.
    start: usize,
    end: usize,
    #[serde(rename = "type")]
    pub kind: String,
}

impl Row {
    /// Bytes of a span.
    pub fn range(&self, span: &Span) -> Range<usize> {
        let byte =
            |point| self.text.char_indices().nth(point).map_or(self.text.len(), |(at, _)| at);
        byte(span.start)..byte(span.end)
    }
}

/// Name of each file without its endings, and its rows.
pub fn read<R: DeserializeOwned>(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, Vec<R>)>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
            let inside: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
            files
                .extend(inside.into_iter().filter(|p| p.extension().is_some_and(|e| e == "jsonl")));
        } else {
            files.push(path.clone());
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "there is no .jsonl file");
    files.iter().map(|path| Ok((name(path), rows(path)?))).collect()
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn rows<R: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<R>> {
    let shown = path.display();
    let file = fs::File::open(path).with_context(|| format!("cannot read {shown}"))?;
    let parsed = BufReader::new(file).lines().enumerate().map(|(index, line)| {
        serde_json::from_str(&line?).with_context(|| format!("{shown}, line {}", index + 1))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_code_points() {
        let span = Span { start: 4, end: 15, kind: "EMAIL".into() };
        let row = Row { text: "für a@b.example".into(), spans: vec![span] };
        assert_eq!(&row.text[row.range(&row.spans[0])], "a@b.example");
    }
}

//! A fault in a text, with its place as an editor shows it.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {detail}")]
pub struct LineFault {
    /// From 1.
    pub line: usize,
    pub detail: String,
}

impl LineFault {
    pub fn new(line: usize, detail: impl Into<String>) -> Self {
        Self { line, detail: detail.into() }
    }

    /// The same fault in a text with `lines` more lines above it.
    pub fn below(self, lines: usize) -> Self {
        Self { line: self.line + lines, ..self }
    }
}

//! The content of a document without its format: headings, paragraphs and list items.
//!
//! `markdown` and `html` read their format into blocks, and `chunk` forms passages from them. A
//! block holds plain text on one line, never markup.

use std::borrow::Cow;

use crate::domain::is_blank;

/// Longest heading or column name in characters, because passages repeat them. A longer one is read
/// as a paragraph.
const MAX_NAME: usize = 200;

/// One piece of a document in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// `level` is 1 to 6.
    Heading {
        level: u8,
        text: String,
    },
    Paragraph(String),
    /// An item of a list or a row of a table.
    Item(String),
}

#[cfg(test)]
impl Block {
    pub fn text(&self) -> &str {
        match self {
            Self::Heading { text, .. } | Self::Paragraph(text) | Self::Item(text) => text,
        }
    }
}

/// Whether `text` is short enough to be repeated with every passage below it.
pub(super) fn is_name(text: &str) -> bool {
    text.chars().nth(MAX_NAME).is_none()
}

/// Whether `text` is one line of at most `max` characters, and not blank.
pub(super) fn is_line(text: &str, max: usize) -> bool {
    !is_blank(text) && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// `text` with `\n` at the end of each line.
pub(super) fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The place of a character that no text has. Text in UTF-16 is full of NUL; text in an encoding of
/// seven bits has escape sequences.
pub(super) fn foreign(text: &str) -> Option<usize> {
    text.find(['\0', '\x1b'])
}

/// Reads plain text: a blank line ends a paragraph.
pub fn from_text(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut paragraph = String::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            push(&mut blocks, &mut paragraph, Block::Paragraph);
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    blocks
}

/// Moves `buffer` into `blocks` as the block that `kind` makes of it, with white space collapsed. A
/// blank buffer adds nothing.
pub(super) fn push(blocks: &mut Vec<Block>, buffer: &mut String, kind: impl Fn(String) -> Block) {
    let text = one_line(buffer);
    buffer.clear();
    if !text.is_empty() {
        blocks.push(kind(text));
    }
}

/// `text` with each run of white space as one space, and without control characters.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_ends_a_paragraph_of_plain_text() {
        let blocks = from_text("One\n two \r\n\r\n\n three");
        assert_eq!(blocks, [Block::Paragraph("One two".into()), Block::Paragraph("three".into())]);
    }
}

//! The header of a file: YAML between `---` lines or TOML between `+++` lines, above its text.
//!
//! A header decides who may read a page, so it is understood as a whole or refused with the line
//! at fault. Text that looks like a header but has no fence is refused, too: a page never becomes
//! public because its header was taken for text.

mod entry;
mod fence;
mod header;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

pub use header::{Header, audience};

use super::line::LineFault;
use entry::Key;
use fence::Syntax;

/// Whether `text` begins with no header, which nothing would read.
///
/// # Errors
/// A header, with its line.
pub fn none(text: &str) -> Result<(), LineFault> {
    let Some(found) = fence::find(text, &[Key::Audience])? else { return Ok(()) };
    let detail = "the text begins with a header, which is read only at the top of an imported file";
    Err(LineFault::new(found.line - 1, detail))
}

/// Whether these blocks, at the top of a page as a reader sees it, say who may read it. `line_of`
/// finds a block in the source.
///
/// # Errors
/// Such a block, with its line.
pub fn shown<'a>(
    blocks: impl IntoIterator<Item = &'a str>,
    line_of: impl Fn(&str) -> usize,
) -> Result<(), LineFault> {
    let blocks = blocks.into_iter().map(|block| (line_of(block), block));
    fence::bare(blocks, &[Key::Audience])
}

/// The header of `text`, and the text below it. Without a header, the whole text is the body.
///
/// # Errors
/// A header that is not understood, with its line.
pub fn read(text: &str) -> Result<(Header, &str), LineFault> {
    let Some(found) = fence::find(text, &Key::ALL)? else { return Ok((Header::default(), text)) };
    let entries = match found.syntax {
        Syntax::Yaml => yaml::entries(found.text, found.line)?,
        Syntax::Toml => toml::entries(found.text, found.line)?,
    };
    Ok((Header::new(entries)?, found.body))
}

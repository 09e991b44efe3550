//! Texts that try to steer the assistant: messages of shoppers, passages of documents, output of
//! tools.
//!
//! [`screen`] reads a text by rules, sentence by sentence: some are certain, and others are hints.
//! The [`Head`] then judges the embedding that the turn has anyway, and that of a single sentence
//! only where there is a hint. Nothing here asks a model.

mod decode;
mod head;
mod markup;
mod rules;
mod verdict;

#[cfg(test)]
mod tests;

pub use self::{
    head::{Head, of as head},
    verdict::{Rule, Screening},
};
use crate::words::sentence::Text;

/// Reads a text by rules. Takes a few microseconds for a short message, and about 0.04 ms for 500
/// characters.
pub fn screen(text: &str) -> Screening {
    rules::screen(text).0
}

/// As [`screen`], with the text that was read.
pub(super) fn read(text: &str) -> (Screening, Text) {
    rules::screen(text)
}

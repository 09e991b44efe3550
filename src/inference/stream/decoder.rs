//! The decoder of an answer, in either protocol.

use std::collections::VecDeque;

use super::{answer::Answer, ollama::OllamaDecoder, openai::OpenAiDecoder, piece::Item};
use crate::inference::outcome::Outcome;

/// The decoder of one answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoder {
    OpenAi(OpenAiDecoder),
    Ollama(OllamaDecoder),
}

impl Decoder {
    /// Reads `bytes` and appends the items they contain. After an error the answer is over.
    pub fn push(&mut self, bytes: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        match self {
            Self::OpenAi(decoder) => decoder.push(bytes, out),
            Self::Ollama(decoder) => decoder.push(bytes, out),
        }
    }

    fn answer(&self) -> &Answer {
        match self {
            Self::OpenAi(decoder) => decoder.answer(),
            Self::Ollama(decoder) => decoder.answer(),
        }
    }

    /// Whether `Piece::Finished` was handed on.
    pub fn is_complete(&self) -> bool {
        self.answer().is_complete()
    }

    /// The body ended properly here. Appends the last items, or returns what is missing.
    pub fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        match self {
            Self::OpenAi(decoder) => decoder.end(out),
            Self::Ollama(decoder) => decoder.end(out),
        }
    }

    /// Whether reasoning came in a separate field.
    pub fn has_reasoned(&self) -> bool {
        self.answer().has_reasoned()
    }
}

//! The answer of a backend as a stream of pieces.
//!
//! The decoders are pure and work on bytes as they arrive; [`Answer`] works on their meaning.
//! Never: reasoning text in a piece, or [`Piece::Finished`] on an answer that is not proven
//! complete.

mod answer;
mod calls;
mod content;
mod decoder;
mod fault;
mod marks;
mod ndjson;
mod ollama;
mod openai;
mod opening;
mod piece;
mod sse;
mod standing;
mod thought;

pub use answer::Answer;
pub use calls::Fragment;
pub use decoder::Decoder;
pub use ollama::OllamaDecoder;
pub use openai::OpenAiDecoder;
pub use opening::Opening;
pub use piece::{Item, Piece};
pub use sse::SseParser;

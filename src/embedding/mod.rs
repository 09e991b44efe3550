//! Text to vector, on our own threads.
//!
//! The turn sends [`Embed`] to a `Recipient` and waits for the reply it put in. The actor only
//! queues; threads named `embed-N` tokenise and run the model in batches. Every wait is bounded:
//! the queue by permits, each text by its deadline. A text that no caller waits for is never
//! computed.
//!
//! Never here: the meaning of a vector. Thresholds and indexes belong to the cache and to the
//! knowledge, which refuse vectors of another `embedder_id`.

mod actor;
mod batcher;
mod card;
mod error;
mod folder;
mod inline;
pub mod messages;
pub mod metrics;
mod onnx;
mod ports;
mod queue;
mod tokenizer;
mod worker;

#[cfg(test)]
mod tests;

pub use card::{Card, Scale};
pub use error::{EmbedError, EmbedStartError};
pub use inline::InlineEmbedder;
pub use messages::{Embed, EmbedderStatus, Embedding, ObserveEmbedder, embed};
pub use ports::{EmbedderHandle, start};

//! The answer of a backend as a stream of pieces.
//!
//! The decoders are pure and work on bytes as they come; [`TokenStream`] joins one to a response.
//! Never: reasoning text in a piece, [`Piece::Finished`] on an answer that is not proven complete.

mod answer;
mod calls;
mod content;
mod marks;
mod ndjson;
mod ollama;
mod openai;
mod sse;
mod thought;

use std::{collections::VecDeque, time::Duration};

pub use calls::ToolCall;
pub use ollama::OllamaDecoder;
pub use openai::OpenAiDecoder;
use serde_json::Value;
pub use sse::SseParser;
pub use thought::Opening;
use tokio::time::timeout;

use super::Outcome;
use crate::domain::{FinishReason, Usage};

/// How long the end of a response is waited for after the terminal marker. With it the connection
/// can be used again; a server that never sends it costs no more than this.
const LAST_CHUNK: Duration = Duration::from_millis(20);

/// A piece of an answer. The order is: texts, calls, usage, and last of all `Finished`.
#[derive(Clone, PartialEq)]
pub enum Piece {
    Text(String),
    ToolCall(ToolCall),
    Usage(Usage),
    /// The answer is complete.
    Finished(FinishReason),
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text([{} chars])", text.chars().count()),
            Self::ToolCall(call) => call.fmt(f),
            Self::Usage(usage) => usage.fmt(f),
            Self::Finished(reason) => write!(f, "Finished({reason:?})"),
        }
    }
}

/// What a stream yields: a piece, or a sign that the model works.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Piece(Piece),
    /// A token that is not for the shopper's eyes, or not yet. Keep-alives are no progress.
    Progress,
}

/// The decoder of one answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoder {
    OpenAi(OpenAiDecoder),
    Ollama(OllamaDecoder),
}

impl Decoder {
    /// Reads `bytes` and appends what they bring. After an error the answer is over.
    pub fn push(&mut self, bytes: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        match self {
            Self::OpenAi(decoder) => decoder.push(bytes, out),
            Self::Ollama(decoder) => decoder.push(bytes, out),
        }
    }

    fn answer(&self) -> &answer::Answer {
        match self {
            Self::OpenAi(decoder) => decoder.answer(),
            Self::Ollama(decoder) => decoder.answer(),
        }
    }

    /// Whether [`Piece::Finished`] was handed on.
    pub fn is_complete(&self) -> bool {
        self.answer().is_complete()
    }

    /// The body ended here in good order: appends what that brings, or says what is missing.
    pub fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        match self {
            Self::OpenAi(decoder) => decoder.end(out),
            Self::Ollama(decoder) => decoder.end(out),
        }
    }
}

/// Whether the field `error` of a frame reports one.
fn is_fault(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) => true,
    }
}

/// One answer on its way from a backend. Dropping it closes the connection.
#[derive(Debug)]
pub struct TokenStream {
    response: reqwest::Response,
    decoder: Decoder,
    ready: VecDeque<Item>,
    failed: Option<Outcome>,
    drained: bool,
}

impl TokenStream {
    pub(super) fn new(response: reqwest::Response, decoder: Decoder) -> Self {
        Self { response, decoder, ready: VecDeque::new(), failed: None, drained: false }
    }

    /// Whether the model reasoned before it answered.
    pub fn has_reasoned(&self) -> bool {
        self.decoder.answer().has_reasoned()
    }

    /// The next item; `None` once the answer was proven complete and handed on whole.
    ///
    /// Cancel safe. Has no time limit of its own on the answer.
    pub async fn next(&mut self) -> Result<Option<Item>, Outcome> {
        loop {
            if self.decoder.is_complete() && self.ready.len() == 1 && !self.drained {
                let _ = timeout(LAST_CHUNK, self.response.chunk()).await;
                self.drained = true;
            }
            // What came before a failure is handed on first.
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if let Some(outcome) = self.failed {
                return Err(outcome);
            }
            if self.decoder.is_complete() {
                return Ok(None);
            }
            let read = match self.response.chunk().await {
                Ok(Some(bytes)) => self.decoder.push(&bytes, &mut self.ready),
                Ok(None) => self.decoder.end(&mut self.ready),
                Err(_) => Err(Outcome::Truncated),
            };
            self.failed = read.err();
        }
    }
}

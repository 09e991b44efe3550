//! The messages that the embedder accepts, and its replies.

use std::{fmt, sync::Arc, time::Duration};

use actix::{MailboxError, Message, Recipient};
use serde::Serialize;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::error::EmbedError;

/// Takes texts for the embedder.
pub type EmbedPort = Recipient<Embed>;

/// What a text is for. Some models want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A question, or a text that is compared with one of its kind.
    Question,
    /// A text in which questions are looked up.
    Passage,
}

/// Requests the vector of one text. The request carries its own reply channel, so that the embedder
/// sees when a caller has left. The text of such a caller is never computed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Embed {
    pub text: String,
    pub role: Role,
    /// After this the text is dropped from the queue.
    pub deadline: Instant,
    pub reply: oneshot::Sender<Result<Embedding, EmbedError>>,
}

impl fmt::Debug for Embed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embed[{} chars]", self.text.chars().count())
    }
}

/// A unit vector, so that the dot product of two is their cosine.
#[derive(Clone, PartialEq)]
pub struct Embedding {
    pub vector: Arc<[f32]>,
    /// Whether the text was longer than the model reads. The part that was cut does not affect the
    /// vector.
    pub truncated: bool,
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding[{} dims, truncated: {}]", self.vector.len(), self.truncated)
    }
}

/// Requests the status of the embedder.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "EmbedderStatus")]
pub struct ObserveEmbedder;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbedderStatus {
    pub embedder_id: Arc<str>,
    /// How many texts wait for a thread, and how many may.
    pub queued: usize,
    pub max_queue: usize,
    /// Batches computed since the start.
    pub batches: u64,
    pub threads_alive: usize,
}

/// Requests the vector of a question and waits at most `timeout`.
///
/// # Errors
/// `Overloaded` at once if the queue is full, `Timeout` after the wait, `Failed` if the model
/// failed, `Closed` if the embedder has stopped.
pub async fn embed(
    port: &Recipient<Embed>,
    text: String,
    timeout: Duration,
) -> Result<Embedding, EmbedError> {
    embed_as(Role::Question, port, text, timeout).await
}

/// The same for a text with any role.
///
/// # Errors
/// As [`embed`].
pub async fn embed_as(
    role: Role,
    port: &Recipient<Embed>,
    text: String,
    timeout: Duration,
) -> Result<Embedding, EmbedError> {
    let deadline = Instant::now() + timeout;
    let (reply, answer) = oneshot::channel();
    let asked = async {
        port.send(Embed { text, role, deadline, reply }).await.map_err(|error| match error {
            MailboxError::Closed => EmbedError::Closed,
            MailboxError::Timeout => EmbedError::Timeout,
        })?;
        answer.await.map_err(|_| EmbedError::Closed)?
    };
    timeout_at(deadline, asked).await.unwrap_or(Err(EmbedError::Timeout))
}

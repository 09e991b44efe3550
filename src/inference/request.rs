//! What a turn requests from the pool and a backend, and why it may get nothing.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{
    chat::ChatRequest,
    messages::{QueuePosition, Refused},
    outcome::{Outcome, Stall},
};
use crate::{
    config::{self, Tier},
    domain::{AddressBlock, Lane, PrincipalId, SiteId},
};

/// How long each part may take, and how many attempts are made.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub queue: Duration,
    /// Time from a request to its first token, reasoning included.
    pub first_token: Duration,
    pub token_gap: Duration,
    /// From the start of the request that is answered to the end of the answer.
    pub total: Duration,
    pub attempts: u32,
    /// How often an answer that broke off after it was shown is started again.
    pub restarts: u32,
}

impl From<&config::Inference> for Limits {
    fn from(config: &config::Inference) -> Self {
        Self {
            queue: config.queue_timeout,
            first_token: config.first_token_timeout,
            token_gap: config.token_gap_timeout,
            total: config.total_timeout,
            attempts: config.attempts,
            restarts: config.restarts,
        }
    }
}

/// What to generate, for whom, and until when.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub from: Option<AddressBlock>,
    pub lane: Lane,
    pub tier: Tier,
    /// The end of the turn; no other limit reaches past it.
    pub deadline: Instant,
    /// The longest predicted wait that is accepted; a longer one is [`Refused::TooLate`] at once.
    pub max_wait: Option<Duration>,
    /// Identifies the beginning of the prompt; see [`super::messages::AcquireRequest::affinity`].
    pub affinity: Option<u64>,
    /// Receives the position while the request waits for a slot.
    pub queued: Option<watch::Sender<Option<QueuePosition>>>,
    pub chat: ChatRequest,
    pub limits: Limits,
}

/// Why an answer did not come, or broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the model took too long ({0:?})")]
    Timeout(Stall),
    #[error(transparent)]
    Upstream(Outcome),
}

impl From<Outcome> for GenerateError {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Stalled(stall) => Self::Timeout(stall),
            Outcome::Completed
            | Outcome::ClientGone
            | Outcome::ClientError(_)
            | Outcome::Overloaded(_)
            | Outcome::ServerError(_)
            | Outcome::Connect
            | Outcome::Truncated
            | Outcome::ErrorFrame
            | Outcome::Malformed
            | Outcome::Empty
            | Outcome::BrokenToolCall
            | Outcome::LeakedThought => Self::Upstream(outcome),
        }
    }
}

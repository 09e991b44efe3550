//! What a turn asks the pool and a backend for, and why it may get nothing.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{
    chat::ChatRequest,
    messages::{QueuePosition, Refused},
    outcome::{Outcome, Stall},
};
use crate::{
    config::{self, Tier},
    domain::{Lane, PrincipalId, SiteId},
};

/// How long each part may take, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub queue: Duration,
    /// Time from a request to its first token, reasoning included.
    pub first_token: Duration,
    pub token_gap: Duration,
    /// From the request that is answered to the end of the answer.
    pub total: Duration,
    pub attempts: u32,
    /// How often an answer that broke off after it was shown is begun again.
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

/// What to ask, for whom, and until when.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    pub site: SiteId,
    pub visitor: PrincipalId,
    pub lane: Lane,
    pub tier: Tier,
    /// The end of the turn; no limit reaches beyond it.
    pub deadline: Instant,
    /// The longest predicted wait that is accepted; a longer one is [`Refused::TooLate`] at once.
    pub max_wait: Option<Duration>,
    /// Names what the prompt begins with; see [`super::messages::AcquireRequest::affinity`].
    pub affinity: Option<u64>,
    /// Is told the position while the request waits for a slot.
    pub queued: Option<watch::Sender<Option<QueuePosition>>>,
    pub chat: ChatRequest,
    pub limits: Limits,
}

/// Why there is no answer, or no more of it.
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
            other => Self::Upstream(other),
        }
    }
}

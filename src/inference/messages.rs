//! The messages that the pool accepts.

use std::time::Duration;

use actix::{Message, Recipient};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use super::{backend::BackendId, slot::SlotPass, status::PoolStatus};
use crate::{
    config::Tier,
    domain::{AddressBlock, Lane, PrincipalId, SiteId},
};

/// Takes requests for a slot.
pub type AcquirePort = Recipient<Acquire>;

/// Asks for a slot. The answer comes through `reply`. Dropping its receiver leaves the queue.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Acquire {
    pub request: AcquireRequest,
    pub reply: oneshot::Sender<Result<Grant, Refused>>,
    /// The request's position in the queue; `None` before and after it waits.
    pub queued: Option<watch::Sender<Option<QueuePosition>>>,
}

#[derive(Clone, Debug)]
pub struct AcquireRequest {
    pub site: SiteId,
    pub visitor: PrincipalId,
    /// Where the question came from, if that is known.
    pub from: Option<AddressBlock>,
    pub lane: Lane,
    pub tier: Tier,
    /// Tokens of the prompt plus the budget for the answer.
    pub tokens: u32,
    /// The request is refused after this.
    pub deadline: Instant,
    /// If the predicted wait is longer, the request is refused at once.
    pub max_wait: Option<Duration>,
    /// Requests with the same key share the beginning of their prompt and so prefer the same
    /// backend.
    pub affinity: Option<u64>,
    pub ask: Ask,
    /// Backends that already failed this request. They are used again only if no other is in
    /// service.
    pub exclude: Vec<BackendId>,
}

/// Why a slot is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    #[default]
    First,
    /// After a failure.
    Again,
    /// A second request because the first token is late. It gets a slot that is free elsewhere now,
    /// within the budget; otherwise its reply is dropped. It never waits.
    Hedge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePosition {
    /// 1 is next.
    pub position: u32,
    /// Computed from when slots are expected free, and how fast requests arrive that go first.
    pub eta: Duration,
}

/// The right to have one request in flight at the backend that the pass names.
#[derive(Debug)]
pub struct Grant {
    pub pass: SlotPass,
    /// Time spent in the queue.
    pub waited: Duration,
    /// If no token came after this long, a second request may be sent.
    pub hedge_after: Option<Duration>,
}

/// Why a request gets no slot. Every `retry_after` is spread by ±20 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the queue is full")]
    QueueFull { retry_after: Duration },
    #[error("the visitor has too many requests waiting")]
    TooManyOfVisitor { retry_after: Duration },
    #[error("the block of addresses has too many requests waiting")]
    TooManyOfAddress { retry_after: Duration },
    /// The predicted wait is longer than the request can wait.
    #[error("no slot will be free in time")]
    TooLate { retry_after: Duration },
    #[error("no slot was free in time")]
    DeadlinePassed,
    /// Every backend is unhealthy or refused by its breaker, or none is configured.
    #[error("no backend is in service")]
    NoBackend { retry_after: Duration },
    #[error("the pool is closing")]
    Closing,
}

impl Refused {
    /// When to come back, if known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::QueueFull { retry_after }
            | Self::TooManyOfVisitor { retry_after }
            | Self::TooManyOfAddress { retry_after }
            | Self::TooLate { retry_after }
            | Self::NoBackend { retry_after } => Some(*retry_after),
            Self::DeadlinePassed | Self::Closing => None,
        }
    }

    /// The same refusal with `retry_after` changed by `by`.
    pub fn spread(self, by: impl Fn(Duration) -> Duration) -> Self {
        match self {
            Self::QueueFull { retry_after } => Self::QueueFull { retry_after: by(retry_after) },
            Self::TooManyOfVisitor { retry_after } => {
                Self::TooManyOfVisitor { retry_after: by(retry_after) }
            }
            Self::TooManyOfAddress { retry_after } => {
                Self::TooManyOfAddress { retry_after: by(retry_after) }
            }
            Self::TooLate { retry_after } => Self::TooLate { retry_after: by(retry_after) },
            Self::NoBackend { retry_after } => Self::NoBackend { retry_after: by(retry_after) },
            other @ (Self::DeadlinePassed | Self::Closing) => other,
        }
    }

    /// The label in metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::QueueFull { .. } => "queue_full",
            Self::TooManyOfVisitor { .. } => "too_many_of_visitor",
            Self::TooManyOfAddress { .. } => "too_many_of_address",
            Self::TooLate { .. } => "too_late",
            Self::DeadlinePassed => "deadline_passed",
            Self::NoBackend { .. } => "no_backend",
            Self::Closing => "closing",
        }
    }
}

/// Asks how the pool is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "PoolStatus")]
pub struct Observe;

/// Refuses all waiting and all new requests; requests in flight continue.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Close;

/// A pass was dropped, so a slot is free.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct SlotReleased;

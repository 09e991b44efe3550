//! What replicas write to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{Party, SessionId, TurnId};

/// Letters that wait to be sent; more are dropped.
pub const OUTBOX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Letter {
    Changed {
        session: SessionId,
    },
    Erased {
        session: SessionId,
    },
    Typing {
        session: SessionId,
        by: Party,
    },
    Cancel {
        turn: TurnId,
    },
    /// Somebody at `from` reads along. `next`: the first frame that is wanted, or none to go on as
    /// before.
    Follow {
        turn: TurnId,
        from: String,
        next: Option<usize>,
    },
    /// Frames of a running turn, numbered from `first`, each as JSON.
    Frames {
        turn: TurnId,
        first: usize,
        frames: Vec<String>,
    },
    /// The turn does not run here.
    Absent {
        turn: TurnId,
    },
}

/// What waits to be done in Redis, in this order.
pub enum Outgoing {
    Letter(Arc<str>, Letter),
    /// To all replicas that watch the session.
    Watchers(SessionId, Letter),
    Watch(SessionId),
    Unwatch(SessionId),
}

//! Why the hot store cannot do what was asked.

use crate::domain::Malformed;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HotError {
    /// The store refused or could not be reached; after a lost connection a write may still have
    /// happened.
    #[error("hot store unavailable: {0}")]
    Unavailable(String),
    /// No answer within `store.redis_timeout_ms`; a write may still have happened, so read before
    /// writing again.
    #[error("hot store did not answer in time")]
    Timeout,
    /// What was read or was to be written cannot be true.
    #[error("hot store data is corrupt: {0}")]
    Corrupt(&'static str),
}

impl From<Malformed> for HotError {
    fn from(malformed: Malformed) -> Self {
        Self::Corrupt(match malformed {
            Malformed::Gap => "events have a gap",
            Malformed::LastSeq => "meta.last_seq does not fit the appended events",
            Malformed::RecordWithoutEvent => "an idempotency record needs an event",
        })
    }
}

impl HotError {
    /// Whether the store is to blame, so that somebody else may take the write.
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Timeout => true,
            Self::Corrupt(_) => false,
        }
    }
}

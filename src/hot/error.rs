//! Why Redis cannot do what was asked.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HotError {
    /// The store refused or could not be reached; after a lost connection a write may still have
    /// happened.
    #[error("redis unavailable: {0}")]
    Unavailable(String),
    /// No answer within `store.redis_timeout_ms`; a write may still have happened, so read before
    /// writing again.
    #[error("redis did not answer in time")]
    Timeout,
    /// What was read or was to be written cannot be true.
    #[error("redis gave a wrong reply: {0}")]
    Corrupt(&'static str),
}

impl HotError {
    /// Whether the store does not answer.
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Timeout => true,
            Self::Corrupt(_) => false,
        }
    }
}

//! Live sessions: the one place where an acknowledged message is safe before the archive has it.
//!
//! Owns the journal tail, the idempotency records, the running turn and the dirty marks of sessions that are hot,
//! and the liveness of replicas. Session actors append and load; the archivist of any replica reads [`HotStore::dirty`]
//! shards and flushes them. An append is one atomic step with an expected `seq`, so two replicas can never both write.
//!
//! It never talks to the archive, never decides what an event means, and never drops what is not flushed.
//! Redis must run with `maxmemory-policy noeviction` and an append-only file: eviction would take acknowledged messages.

mod connection;
mod keys;
mod lease;
mod liveness;
mod mail;
mod memory;
mod metrics;
mod redis;
#[cfg(test)]
mod tests;

pub use self::{
    mail::Inbox,
    memory::MemoryHot,
    metrics::{METRICS, up},
    redis::RedisHot,
};
use crate::{
    config,
    domain::{
        Append, Appended, Event, IdempotencyRecord, Malformed, PrincipalId, Running, RunningChange,
        SessionCopy, SessionId, SessionMeta,
    },
};

/// Parts that the dirty marks are spread over; each is one hash tag, so one slot of a Redis Cluster.
const SHARDS: u16 = 64;
/// Flushed events of a session that stay hot, for readers that reconnect.
const TAIL: usize = 128;
/// Flushed idempotency records of a session that stay hot; older ones are in the archive only.
const RECORDS: usize = 256;
/// Sessions of one owner in the index, newest first; older ones are in the archive only.
const OWNED: usize = 1000;

/// Where live sessions are kept. Every method behaves alike on both.
pub enum HotStore {
    /// Distributed mode: shared by all replicas, survives them.
    Redis(Box<RedisHot>),
    /// Embedded mode: one process.
    Memory(MemoryHot),
}

/// A session as it is now.
#[derive(Clone, Debug)]
pub struct HotSession {
    pub meta: SessionMeta,
    /// Ascending tail that is still hot, gapless up to `meta.last_seq`.
    pub events: Vec<Event>,
    pub running: Option<Running>,
    /// The archive has everything up to here.
    pub flushed_seq: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HotError {
    /// The store refused or could not be reached; after a lost connection a write may still have happened.
    #[error("hot store unavailable: {0}")]
    Unavailable(String),
    /// No answer within `store.redis_timeout_ms`; a write may still have happened, so read before writing again.
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

/// The newest events of a copy: what a hot store keeps of a flushed session.
fn newest(copy: &SessionCopy) -> &[Event] {
    &copy.events[copy.events.len().saturating_sub(TAIL)..]
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

/// The same call on whichever store it is.
macro_rules! on_either {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Self::Redis($store) => $call,
            Self::Memory($store) => $call,
        }
    };
}

impl HotStore {
    /// Does not connect yet; connections are made, and made again, when they are needed.
    ///
    /// # Errors
    /// [`HotError::Unavailable`] if `store.redis_url` is not a Redis address.
    pub fn redis(store: &config::Store) -> Result<Self, HotError> {
        RedisHot::new(store).map(|redis| Self::Redis(Box::new(redis)))
    }

    /// With the default idle time and size; [`MemoryHot::new`] takes others.
    pub fn memory() -> Self {
        Self::Memory(MemoryHot::default())
    }

    /// Makes a session that has no events yet, and marks it so that even an empty one reaches the archive.
    /// Does nothing where it exists.
    pub async fn create(&self, meta: &SessionMeta) -> Result<(), HotError> {
        on_either!(self, store => store.create(meta).await)
    }

    /// Writes events, meta, idempotency record, running turn and dirty mark in one atomic step, or nothing.
    ///
    /// A restored session has no idempotency records from before: ask the archive for those first.
    ///
    /// # Errors
    /// [`HotError::Corrupt`] if the events are not numbered from `expected_seq + 1` to `meta.last_seq`.
    pub async fn append(&self, append: &Append) -> Result<Appended, HotError> {
        self.append_and_name(append).await.map(|(appended, _)| appended)
    }

    /// As [`Self::append`], and names the replicas that want to hear of it.
    pub async fn append_and_name(
        &self,
        append: &Append,
    ) -> Result<(Appended, Vec<String>), HotError> {
        append.check()?;
        on_either!(self, store => store.append(append).await)
    }

    /// The session with at most `tail` of its newest events; `None` if it is not hot.
    pub async fn load(&self, id: SessionId, tail: u32) -> Result<Option<HotSession>, HotError> {
        on_either!(self, store => store.load(id, tail).await)
    }

    /// At most `limit` events after `after_seq`, ascending; none if there are no later ones.
    /// `None` if the store no longer has the event `after_seq + 1`: read the archive instead.
    pub async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Option<Vec<Event>>, HotError> {
        on_either!(self, store => store.events(id, after_seq, limit).await)
    }

    /// `None` also if the record is old enough to be in the archive only.
    pub async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, HotError> {
        on_either!(self, store => store.idempotency(id, key).await)
    }

    /// Makes a cold session hot, as flushed up to `meta.last_seq` and not dirty; does nothing where it is hot already.
    ///
    /// # Errors
    /// [`HotError::Corrupt`] if its events are not a gapless tail that ends with `meta.last_seq`.
    pub async fn restore(&self, cold: &SessionCopy) -> Result<(), HotError> {
        cold.check()?;
        on_either!(self, store => store.restore(cold).await)
    }

    /// Puts a session as the archive knows it in the place of a copy that is behind it or contradicts it: flushed up to
    /// `meta.last_seq`, not dirty. `copy` is the `seq` of the copy as it was read, `None` for none. False where the copy
    /// has changed since.
    ///
    /// # Errors
    /// [`HotError::Corrupt`] if its events are not a gapless tail that ends with `meta.last_seq`.
    pub async fn replace(
        &self,
        copy: Option<u64>,
        cold: &SessionCopy,
        running: &RunningChange,
    ) -> Result<bool, HotError> {
        cold.check()?;
        on_either!(self, store => store.replace(copy, cold, running).await)
    }

    /// Hot sessions of `owner` with ids below `before`, newest id first. The archive knows the cold ones.
    pub async fn owned(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, HotError> {
        on_either!(self, store => store.owned(owner, before, limit).await)
    }

    /// Number of shards that [`Self::dirty`] takes, the same on every replica.
    pub fn shards(&self) -> u16 {
        SHARDS
    }

    /// Sessions of a shard with something the archive does not have, longest waiting first.
    pub async fn dirty(&self, shard: u16, limit: u32) -> Result<Vec<SessionId>, HotError> {
        on_either!(self, store => store.dirty(shard, limit).await)
    }

    /// Everything of a session that [`Self::mark_flushed`] has not covered; `None` if it is not hot.
    pub async fn unflushed(&self, id: SessionId) -> Result<Option<SessionCopy>, HotError> {
        on_either!(self, store => store.unflushed(id).await)
    }

    /// Says that the archive has the session up to `through_seq`. The dirty mark goes only if nothing newer came;
    /// a session that is wholly flushed gets its idle time to live, any other lives on.
    pub async fn mark_flushed(&self, id: SessionId, through_seq: u64) -> Result<(), HotError> {
        on_either!(self, store => store.mark_flushed(id, through_seq).await)
    }

    /// Removes every trace of a session, flushed or not.
    pub async fn erase(&self, id: SessionId, owner: PrincipalId) -> Result<(), HotError> {
        on_either!(self, store => store.erase(id, owner).await)
    }

    /// Whether the store answers, as far as is known: nobody is asked.
    pub fn is_up(&self) -> bool {
        match self {
            Self::Redis(store) => store.is_up(),
            Self::Memory(_) => true,
        }
    }

    /// Asks the store, also where it is known to be away.
    pub async fn ping(&self) -> Result<(), HotError> {
        on_either!(self, store => store.ping().await)
    }
}

//! The same store in two forms: in Redis, or in the memory of this process.

use super::{
    error::HotError,
    memory::MemoryHot,
    redis::RedisHot,
    session::{HotSession, SHARDS},
};
use crate::{
    config,
    domain::{
        Append, Appended, Event, IdempotencyRecord, PrincipalId, RunningChange, SessionCopy,
        SessionId, SessionMeta,
    },
};

/// Where live sessions are kept. Every method behaves alike on both.
pub enum HotStore {
    /// Distributed mode: shared by all replicas, survives them.
    Redis(Box<RedisHot>),
    /// Embedded mode: one process.
    Memory(MemoryHot),
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

    /// Makes a session that has no events yet, and marks it so that even an empty one reaches the
    /// archive. Does nothing where it exists.
    pub async fn create(&self, meta: &SessionMeta) -> Result<(), HotError> {
        on_either!(self, store => store.create(meta).await)
    }

    /// Writes events, meta, idempotency record, running turn and dirty mark in one atomic step, or
    /// nothing.
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

    /// Makes a cold session hot, as flushed up to `meta.last_seq` and not dirty; does nothing where
    /// it is hot already.
    ///
    /// # Errors
    /// [`HotError::Corrupt`] if its events are not a gapless tail that ends with `meta.last_seq`.
    pub async fn restore(&self, cold: &SessionCopy) -> Result<(), HotError> {
        cold.check()?;
        on_either!(self, store => store.restore(cold).await)
    }

    /// Puts a session as the archive knows it in the place of a copy that is behind it or
    /// contradicts it: flushed up to `meta.last_seq`, not dirty. `copy` is the `seq` of the copy as
    /// it was read, `None` for none. False where the copy has changed since.
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

    /// Hot sessions of `owner` with ids below `before`, newest id first. The archive knows the cold
    /// ones.
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

    /// Everything of a session that [`Self::mark_flushed`] has not covered; `None` if it is not
    /// hot.
    pub async fn unflushed(&self, id: SessionId) -> Result<Option<SessionCopy>, HotError> {
        on_either!(self, store => store.unflushed(id).await)
    }

    /// Says that the archive has the session up to `through_seq`. The dirty mark goes only if
    /// nothing newer came; a session that is wholly flushed gets its idle time to live, any other
    /// lives on.
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

//! Live sessions: the one place where an acknowledged message is safe before the archive has it.
//!
//! Owns the journal tail, the idempotency records, the running turn and the dirty marks of sessions
//! that are hot, and the liveness of replicas. Session actors append and load; the archivist of any
//! replica reads [`HotStore::dirty`] shards and flushes them. An append is one atomic step with an
//! expected `seq`, so two replicas can never both write.
//!
//! It never talks to the archive, never decides what an event means, and never drops what is not
//! flushed. Redis must run with `maxmemory-policy noeviction` and an append-only file: eviction
//! would take acknowledged messages.

mod connection;
mod error;
mod keys;
mod lease;
mod liveness;
mod mail;
mod memory;
mod metrics;
mod redis;
mod session;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    error::HotError,
    mail::Inbox,
    memory::MemoryHot,
    metrics::{METRICS, up},
    redis::RedisHot,
    session::HotSession,
    store::HotStore,
};

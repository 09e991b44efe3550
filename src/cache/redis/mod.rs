//! One cache on many replicas. Entries lie in Redis under keys of their own, a log tells everybody
//! what changed.
//!
//! Each process runs a writer, which empties the outbox, and a reader, which follows the log on its
//! own connection. The log carries addresses and purges, so it stays small; what is purged is also
//! kept with its time, so that nothing older comes back after a restart or from a slow replica.
//! Without Redis both wait and try again; look-ups never touch it.

mod codec;
mod keys;
mod link;
mod reader;
mod replication;
mod writer;

pub use replication::{Replication, ReplicationError};

#[cfg(test)]
mod tests;

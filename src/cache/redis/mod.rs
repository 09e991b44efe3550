//! One cache for many replicas. Entries are stored in Redis under their own keys, and a log tells
//! all replicas what changed.
//!
//! Each process runs a writer, which sends the outbox, and a reader, which follows the log on its
//! own connection. The log carries addresses and purges, so it stays small. Purges are also stored
//! with their time, so that nothing older comes back after a restart or from a slow replica.
//! Without Redis both wait and try again; look-ups never use Redis.

mod codec;
mod keys;
mod link;
mod reader;
mod replication;
mod writer;

pub use codec::rewritten;
pub use replication::{Replication, ReplicationError};

#[cfg(test)]
mod tests;

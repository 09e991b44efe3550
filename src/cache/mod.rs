//! Answers given before: exact and semantic cache, replication through Redis, and single flight.
//!
//! A turn calls [`Cache::exact`], then [`Cache::semantic`], and stores with [`Cache::put`] what
//! [`may_store`] allows. An answer of the model serves others only after several visitors got an
//! equivalent one ([`Cache::confirm`]). The cache fails open: without Redis it works alone and
//! catches up later. It never serves across a [`Partition`], by similarity alone ([`serves`]
//! decides), after an entry's absolute expiry, or after a purge of the entry.

mod answers;
mod flight;
pub mod metrics;
mod outbox;
mod partition;
mod question;
mod redis;
mod store;

pub use answers::Cache;
pub use flight::{Demand, Flight, FlightKey, Flights, Join, SimilarFlight, SimilarFlights};
pub use partition::Partition;
pub use question::{
    Disagreement, Likeness, Made, NotCacheable, Question, compare, may_store, serves,
};
pub use redis::{Replication, ReplicationError, rewritten};
pub use store::{CachedAnswer, Freshness, Hit, Listed, Origin, Page, Vote, Witness};

#[cfg(test)]
mod tests;

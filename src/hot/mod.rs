//! What replicas share in Redis while they run: messages to each other, who wants to hear of which
//! session, and short leases.
//!
//! Nothing here is the only place of anything: without Redis a replica reads the archive once a
//! second instead of being told. Called by the relay and by turns; never talks to the archive.

mod connection;
mod error;
mod keys;
mod lease;
mod mail;
mod metrics;
mod store;
#[cfg(test)]
mod tests;

pub use self::{
    error::HotError,
    mail::Inbox,
    metrics::{METRICS, up},
    store::HotStore,
};

//! What replicas tell each other about sessions: that a journal has grown, that a session is gone,
//! that a turn is to stop, and, while a reader on another replica follows it, the frames of a
//! running turn.
//!
//! A message between replicas (a *letter*) only speeds things up. The journal decides, and a reader
//! that waits for a letter also looks there from time to time. Called by the journal, by session
//! actors and by turns; never writes to a store of sessions.

mod letter;
pub mod messages;
mod metrics;
mod mirror;
mod node;
mod post;
mod serve;

pub use self::{
    messages::{Rumour, RumourPort},
    metrics::METRICS,
    node::Relay,
};

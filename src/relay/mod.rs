//! What replicas tell each other about sessions: that a journal has grown, that a session is gone, that a turn is to
//! stop, and, for as long as somebody reads along elsewhere, the frames of a running turn.
//!
//! Letters hasten and never decide: what is true stands in the journal, and whoever waits for a letter looks there
//! now and then.

mod letter;
pub mod messages;
mod metrics;
mod mirror;
mod node;
mod post;
mod serve;

pub use self::{messages::Rumour, metrics::METRICS, node::Relay};

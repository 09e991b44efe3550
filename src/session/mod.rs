//! One conversation: who may speak, what was said, who is listening.
//!
//! `messages.rs` is the door, `state.rs` decides, `actor` acts, `feed.rs` is what
//! readers hold. Called by the supervisor and the HTTP layer; never speaks to a backend itself.

pub mod actor;
mod confirm;
mod control;
mod ending;
pub mod feed;
pub mod follow;
pub mod history;
pub mod lookout;
pub mod messages;
pub mod metrics;
mod open;
mod replay;
pub mod shared;
mod state;
#[cfg(test)]
mod tests;

pub use actor::deliver;

//! One conversation: who may speak, what was said, who is listening.
//!
//! `messages.rs` is the door, `state.rs` decides, `actor.rs` acts, `feed.rs` is what
//! readers hold. Called by the supervisor and the HTTP layer; never speaks to a backend itself.

pub mod actor;
pub mod deliver;
pub mod feed;
pub mod follow;
pub mod history;
pub mod messages;
pub mod metrics;
mod open;
mod replay;
mod rumour;
mod start;
mod state;
mod turn;

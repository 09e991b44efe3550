//! Finds or starts the actor of a session in this process.
//!
//! The supervisor finds or starts the actor of a session and forgets it when it has stopped. Tokens
//! never pass through it: readers use the session's feed.

pub mod actor;
pub mod door;
pub mod messages;

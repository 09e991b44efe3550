//! Finds or starts the actor of a session in this process.
//!
//! The supervisor forgets an actor when it has stopped. Tokens never pass through it: readers use
//! the session's feed.

pub mod actor;
pub mod door;
pub mod messages;

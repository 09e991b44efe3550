//! Which session lives where in this process.
//!
//! The supervisor finds or spawns the actor of a session and forgets it when it has stopped. It is never awaited on
//! by a token: a reader talks to its feed, not to the supervisor.

pub mod actor;
pub mod door;
pub mod messages;

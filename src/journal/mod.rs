//! The journal of all sessions: who owns a session, and what was said in it.
//!
//! A session has one owner, the replica that wrote its newest event. An append names the version of
//! the session that it starts from, and the archive takes it only if the session stands there; by
//! its first append a replica becomes the owner, with a new epoch. So two replicas never both
//! continue a session: the slower one is told that it was outrun, reads the session again, and
//! starts from there. A replica whose turn is open is left alone while it beats.
//!
//! The archive alone acknowledges: an append is on disk before a client hears of it. An append
//! without an answer is *in doubt*: it is sent again with the same bytes until it is known whether
//! it was taken, never withdrawn. Letters of the relay only speed things up.
//!
//! Called by session actors, the handlers of the API and the tickets' worker. It never decides what
//! an event means. Embedded mode is the same journal with one replica.

mod append;
mod beat;
mod error;
mod handle;
mod metrics;
mod open;
mod read;
mod running;
mod sweep;
#[cfg(test)]
pub mod tests;
pub mod verify;

pub use self::{
    error::JournalError,
    handle::{Erased, Journal},
    metrics::{InDoubt, METRICS},
    open::Opened,
    running::RunningTurn,
};

//! What the relay tells a session actor.

use actix::{Message, Recipient};

use crate::domain::Party;

/// News from another replica (a *rumour*): what the actor knows of its session may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Rumour {
    /// Events were added, or the replica that runs a turn may be dead.
    Changed,
    Erased,
    /// Somebody writes at another replica.
    Typing(Party),
}

/// The way to a session actor.
pub type RumourPort = Recipient<Rumour>;

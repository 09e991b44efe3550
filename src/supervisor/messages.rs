//! The door of the supervisor.

use actix::{Addr, ArbiterHandle, Message};
use serde::Serialize;

use crate::{domain::SessionId, session::actor::SessionActor};

/// Finds the actor of a session or spawns it. Whether the session exists is for the actor to find out.
#[derive(Debug, Message)]
#[rtype(result = "Result<Addr<SessionActor>, OpenError>")]
pub struct OpenSession {
    pub id: SessionId,
    /// Where a new actor runs: on the thread of whoever asks first, so that the pieces of an answer do not
    /// change threads on their way to the connection that waits for them.
    pub home: Option<ArbiterHandle>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OpenError {
    #[error("too many live sessions")]
    Full,
}

/// Tells every session to end its turn now, visibly.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct InterruptAll;

#[derive(Debug, Message)]
#[rtype(result = "SupervisorStatus")]
pub struct ObserveSupervisor;

#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct SupervisorStatus {
    pub sessions: usize,
    pub max_sessions: usize,
}

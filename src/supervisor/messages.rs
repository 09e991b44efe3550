//! Messages of the supervisor.

use actix::{Addr, ArbiterHandle, Message};
use serde::Serialize;

use crate::{domain::SessionId, session::actor::SessionActor};

/// Finds or starts the actor of a session. The actor checks whether the session exists.
#[derive(Debug, Message)]
#[rtype(result = "Result<Addr<SessionActor>, OpenError>")]
pub struct OpenSession {
    pub id: SessionId,
    /// The thread of a new actor. It is the thread of the first request, so that the pieces of an
    /// answer do not change threads on their way to the connection.
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

//! Messages of the supervisor.

use actix::Message;
use serde::Serialize;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OpenError {
    #[error("too many busy sessions")]
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

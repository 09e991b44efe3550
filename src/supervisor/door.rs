//! Sends a message to a session: opens it, asks its actor, and tries again if the actor was
//! stopping.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor as _, Addr, Arbiter, ArbiterHandle, Handler, MailboxError, Message,
    dev::{MessageResponse, ToEnvelope},
};
use tokio::time::Instant;

use super::{
    actor::{OpenSession, Supervisor},
    messages::{InterruptAll, ObserveSupervisor, OpenError, SupervisorStatus},
};
use crate::{
    domain::SessionId,
    session::{actor::SessionActor, messages::SessionError, shared::Shared},
};

/// Longest wait for a session actor. The waits for the stores are shorter.
const ASK_TIMEOUT: Duration = Duration::from_secs(8);
/// Attempts to open a session whose actor stops meanwhile.
const ATTEMPTS: usize = 3;
/// How long an idle session may take to leave for another one, and how often that is looked at.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);
const ROOM_INTERVAL: Duration = Duration::from_millis(20);

/// How long a turn that must end first may take to end, and how often that is looked at.
const JOIN_TIMEOUT: Duration = Duration::from_secs(3);
const JOIN_INTERVAL: Duration = Duration::from_millis(10);

#[derive(Clone)]
pub struct Sessions {
    supervisor: Addr<Supervisor>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AskError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("too many busy sessions")]
    Full,
    #[error("the session did not answer in time")]
    Timeout,
}

fn here(id: SessionId) -> OpenSession {
    OpenSession { id, home: Arbiter::try_current() }
}

impl Sessions {
    /// Starts a supervisor on `arbiter`.
    pub fn start(shared: Arc<Shared>, arbiter: &ArbiterHandle) -> Self {
        let supervisor = Supervisor::start_in_arbiter(arbiter, move |_| Supervisor::new(shared));
        Self { supervisor }
    }

    /// Asks the session `id`. `message` is called for each attempt.
    pub async fn ask<M, R>(&self, id: SessionId, message: impl Fn() -> M) -> Result<R, AskError>
    where
        M: Message<Result = Result<R, SessionError>> + Send + 'static,
        R: Send + 'static,
        SessionActor: Handler<M>,
        Result<R, SessionError>: MessageResponse<SessionActor, M> + Send,
        actix::Context<SessionActor>: ToEnvelope<SessionActor, M>,
    {
        let begun = Instant::now();
        let mut closed = 0;
        while closed < ATTEMPTS {
            let address = self.find(id).await?;
            match address.send(message()).timeout(ASK_TIMEOUT).await {
                Ok(Err(SessionError::Joins)) if begun.elapsed() < JOIN_TIMEOUT => {
                    tokio::time::sleep(JOIN_INTERVAL).await;
                }
                Ok(Err(SessionError::Joins)) => return Err(SessionError::TurnActive.into()),
                Ok(answer) => return Ok(answer?),
                Err(MailboxError::Timeout) => return Err(AskError::Timeout),
                // It stopped between the look-up and the message.
                Err(MailboxError::Closed) => closed += 1,
            }
        }
        Err(AskError::Timeout)
    }

    /// Opens a session, which ends an interrupted turn of it.
    pub async fn open(&self, id: SessionId) {
        let _ = self.find(id).await;
    }

    /// The actor of a session. If all places are taken, waits until an idle session has left.
    async fn find(&self, id: SessionId) -> Result<Addr<SessionActor>, AskError> {
        let begun = Instant::now();
        loop {
            match self.supervisor.send(here(id)).timeout(ASK_TIMEOUT).await {
                Ok(Ok(address)) => return Ok(address),
                Err(_) => return Err(AskError::Timeout),
                Ok(Err(OpenError::Full)) if begun.elapsed() >= ROOM_TIMEOUT => {
                    return Err(AskError::Full);
                }
                Ok(Err(OpenError::Full)) => tokio::time::sleep(ROOM_INTERVAL).await,
            }
        }
    }

    pub async fn interrupt_all(&self) {
        let _ = self.supervisor.send(InterruptAll).timeout(ASK_TIMEOUT).await;
    }

    pub async fn status(&self) -> Option<SupervisorStatus> {
        self.supervisor.send(ObserveSupervisor).timeout(ASK_TIMEOUT).await.ok()
    }

    /// Whether the supervisor is alive. A panic in it ends the process.
    pub fn is_alive(&self) -> bool {
        self.supervisor.connected()
    }
}

//! The door of a session actor.

use std::{fmt, sync::Arc};

use actix::Message;
use serde::Serialize;
use tokio::time::Instant;
use tracing::Span;

use super::feed::Feed;
use crate::{
    domain::{
        ActionId, AddressBlock, Answer, Controller, Decision, Event, HandoffEnd, HandoffId, Help,
        Language, Loss, Principal, PrincipalId, SessionId, SessionMeta, SiteId, Staff, TurnId,
    },
    log::TurnLog,
    tools::Customer,
};

/// Who asks, as far as a session cares: another person's session is a session that does not exist.
#[derive(Clone, Debug)]
pub struct Asker(pub Principal);

impl Asker {
    /// Owners see their own sessions; people and servers of the shop see those of their site.
    pub fn may_see(&self, meta: &SessionMeta) -> bool {
        use crate::domain::Role;
        meta.site_id == self.0.site_id
            && match self.0.role {
                Role::Visitor | Role::Customer => meta.owner == self.0.id,
                Role::Agent | Role::Admin | Role::Server => true,
            }
    }

    pub fn site(&self) -> &SiteId {
        &self.0.site_id
    }
}

/// Adds the user's message and begins to answer it.
#[derive(Message)]
#[rtype(result = "Result<Started, SessionError>")]
pub struct StartTurn {
    pub asker: Asker,
    /// The asker, if the shop knows them.
    pub customer: Option<Customer>,
    pub text: String,
    pub client_message_id: Option<String>,
    pub idempotency_key: String,
    /// SHA-256 of what the request means, in hex; the same key with another hash is refused.
    pub body_hash: String,
    pub asked: Asked,
    /// The message is a button of a proposal, which then gives the text.
    pub wish: Option<Wish>,
}

/// What a shopper wants to become of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub action: ActionId,
    pub decision: Decision,
    /// Of the proposal that was shown. A confirmation needs it.
    pub hash: Option<String>,
}

/// Where and when a message was sent.
#[derive(Clone)]
pub struct Asked {
    pub at: Instant,
    /// The turn's span becomes a child of it.
    pub span: Span,
    /// The client's block of addresses, if it is known.
    pub from: Option<AddressBlock>,
}

impl Asked {
    /// Here and now.
    pub fn here(from: Option<AddressBlock>) -> Self {
        Self { at: Instant::now(), span: Span::current(), from }
    }
}

impl fmt::Debug for StartTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StartTurn([{} chars])", self.text.chars().count())
    }
}

/// The user's message is durable and its turn runs, or has run.
pub struct Started {
    pub message: Arc<Event>,
    pub turn: Progress,
    /// The key was seen before: nothing new was begun.
    pub replayed: bool,
}

pub enum Progress {
    Running(Arc<TurnLog>),
    Ended(Arc<Event>),
    /// Another replica answers it.
    Elsewhere,
    /// A person has control, and reads it.
    Delivered,
}

/// Stops the turn if it still runs.
#[derive(Debug, Message)]
#[rtype(result = "Result<Cancelled, SessionError>")]
pub struct CancelTurn {
    pub asker: Asker,
    pub turn_id: TurnId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It ran and has been told to stop.
    Stopping,
    /// It had ended already, or is not known here.
    NotRunning,
}

/// A person's command: who may speak, and what they say. Something that is so already changes
/// nothing.
#[derive(Debug, Message)]
#[rtype(result = "Result<Controlled, SessionError>")]
pub struct Control {
    /// Absent for the service itself.
    pub asker: Option<Asker>,
    /// Under which a message is said once.
    pub key: Option<Key>,
    pub act: Act,
}

#[derive(Clone, Debug)]
pub struct Key {
    pub key: String,
    /// As in [`StartTurn`].
    pub body_hash: String,
}

#[derive(Clone)]
pub enum Act {
    /// Somebody of the shop is to come. Position and estimate are what the shopper is told.
    Request {
        reason: String,
        language: Option<Language>,
        position: u32,
        eta_ms: Option<u64>,
    },
    /// The asker takes over.
    Accept {
        agent: Staff,
    },
    Say {
        text: String,
        client_message_id: Option<String>,
        last_seen_seq: u64,
        agent: Staff,
    },
    /// To the assistant, or to whoever of the shop takes it next, at this position.
    Release {
        to: HandoffEnd,
        position: u32,
    },
    /// The agent is gone: whoever of the shop takes it next, and the shopper is told this.
    GiveBack {
        lost: Lost,
        position: u32,
        eta_ms: Option<u64>,
        answer: Box<Answer>,
    },
    Transfer {
        to: PrincipalId,
        agent: Staff,
    },
    Close,
    /// The shopper rates the help that they had. `score`: 1 to 5.
    Rate {
        of: Help,
        score: u8,
        comment: Option<String>,
    },
    /// Nobody came in time: the handoff ends, and the shopper is told this.
    Expire {
        handoff: HandoffId,
        answer: Box<Answer>,
    },
}

/// A conversation that an agent had who is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    pub handoff: HandoffId,
    pub agent: PrincipalId,
    pub reason: Loss,
    /// In which the shopper had asked.
    pub language: Language,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request { .. } => "Request",
            Self::Accept { .. } => "Accept",
            Self::Say { text, .. } => return write!(f, "Say([{} chars])", text.chars().count()),
            Self::Release { .. } => "Release",
            Self::GiveBack { .. } => "GiveBack",
            Self::Transfer { .. } => "Transfer",
            Self::Close => "Close",
            Self::Rate { .. } => "Rate",
            Self::Expire { .. } => "Expire",
        })
    }
}

/// The asker writes something to the other side. Nothing of it is kept.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), SessionError>")]
pub struct Typing {
    pub asker: Asker,
}

pub struct Controlled {
    /// As the session is now.
    pub meta: SessionMeta,
    /// The message, if the command was one.
    pub said: Option<Arc<Event>>,
    /// Nothing was changed.
    pub replayed: bool,
}

/// Asks for the session as it is and for what a reader needs to follow it.
#[derive(Debug, Message)]
#[rtype(result = "Result<Attached, SessionError>")]
pub struct Attach {
    pub asker: Asker,
    /// `seq` of the newest event that the reader has seen, 0 for none.
    pub seen: u64,
}

pub struct Attached {
    pub meta: SessionMeta,
    pub feed: Arc<Feed>,
    /// The turn that the feed shows runs on another replica: its log fills only while somebody
    /// reads it.
    pub is_elsewhere: bool,
}

/// Ends whatever runs and stops the actor; the stores are erased by the caller.
#[derive(Debug, Message)]
#[rtype(result = "Result<SessionMeta, SessionError>")]
pub struct Erase {
    pub asker: Asker,
}

/// The replica is about to stop: a turn that still runs ends now, visibly.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Interrupt;

/// Another session needs the place: this one leaves memory if it is idle.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct MakeRoom;

#[derive(Debug, Message)]
#[rtype(result = "SessionStatus")]
pub struct ObserveSession;

#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct SessionStatus {
    pub id: SessionId,
    pub last_seq: u64,
    pub running: Option<TurnId>,
    pub readers: usize,
}

/// Goes upwards when a session actor has ended; the supervisor hands in its recipient at start.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SessionStopped {
    pub id: SessionId,
    pub generation: u64,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SessionError {
    #[error("no such session")]
    NotFound,
    #[error("the session was erased")]
    Erased,
    #[error("a turn is being answered")]
    TurnActive,
    /// The turn that runs has been told to stop in favour of this message, which is sent again once
    /// that turn has ended.
    #[error("the message waits for the end of a turn")]
    Joins,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("the proposal was another one")]
    EffectChanged,
    #[error("only a signed-in customer may confirm it")]
    IdentityRequired,
    #[error("the proposal was decided otherwise")]
    Decided,
    #[error("{controller} has control, epoch {epoch}")]
    Conflict { controller: Controller, epoch: u32 },
    /// The newest event.
    #[error("the agent cannot have seen what is not there yet")]
    Ahead { seq: u64 },
    /// The shopper's newest message.
    #[error("the shopper has said something since")]
    StaleView { seq: u64 },
    #[error("too many turns are running")]
    TooManyTurns,
    #[error("this replica is shutting down")]
    Draining,
    #[error("the session store is unavailable")]
    StoreUnavailable,
}

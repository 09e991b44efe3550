//! One conversation, without its messages.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    controller::Controller,
    event::Fact,
    handoff::People,
    ids::{HandoffId, PrincipalId, SessionId, SiteId, TurnId},
    page_context::PageContext,
    time::Timestamp,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    Open,
    Closed,
}

impl SessionState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What is known of a session besides its journal. `owner` is never shown to clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionMeta {
    pub id: SessionId,
    pub site_id: SiteId,
    /// The visitor or customer whose session it is.
    #[schema(ignore)]
    pub owner: PrincipalId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// `seq` of the last durable event; 0 before the first.
    pub last_seq: u64,
    pub state: SessionState,
    #[schema(value_type = String)]
    pub controller: Controller,
    /// Grows by one at each change of the controller.
    pub epoch: u32,
    /// BCP 47 language tag.
    pub locale: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<PageContext>>,
    /// The handoff that is open: somebody of the shop is to come, or has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<HandoffId>,
}

impl SessionMeta {
    /// What a fact changes about the session, apart from its `seq`.
    pub fn take(&mut self, fact: &Fact) {
        let Fact::People(people) = fact else { return };
        match people {
            People::HandoffRequested { handoff_id, .. } => self.handoff = Some(*handoff_id),
            People::HandoffEnded { .. } => self.handoff = None,
            People::ControlChanged { controller } => {
                self.controller = *controller;
                self.epoch += 1;
            }
            People::SessionClosed { .. } => self.state = SessionState::Closed,
            People::SessionReopened => self.state = SessionState::Open,
            People::HandoffQueued { .. }
            | People::HandoffAccepted { .. }
            | People::AgentMessage { .. }
            | People::MessageDelivered { .. }
            | People::SessionRated { .. } => {}
        }
    }
}

/// Which turn an `Idempotency-Key` of a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    pub key: String,
    /// SHA-256 of the request body's meaning, in lowercase hex.
    pub body_hash: String,
    pub turn_id: TurnId,
    /// W3C `traceparent` of the request that began the turn, where it is traced; for the commit, not
    /// kept by the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The turn that a session is answering and the process that answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub turn_id: TurnId,
    /// `name/boot`: the replica's configured name and the random id of its process.
    pub replica: String,
}

//! What people do in a session: a shopper asks for a person, who takes over, speaks and leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    controller::Controller,
    ids::{HandoffId, MessageId, TicketId},
    language::Language,
};

/// The facts that people make. None of them begins or ends a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum People {
    /// Somebody is to come.
    #[serde(rename = "handoff.requested")]
    HandoffRequested {
        handoff_id: HandoffId,
        /// Why, for both sides.
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<Language>,
        /// An agent has left the conversation, so it goes to the front of the queue.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        urgent: bool,
    },
    #[serde(rename = "handoff.queued")]
    HandoffQueued {
        handoff_id: HandoffId,
        /// 1 is the next one.
        position: u32,
        /// From measured handling times; absent if too few are known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        eta_ms: Option<u64>,
    },
    #[serde(rename = "handoff.accepted")]
    HandoffAccepted { handoff_id: HandoffId, agent: Staff },
    #[serde(rename = "handoff.ended")]
    HandoffEnded {
        handoff_id: HandoffId,
        by: Party,
        to: HandoffEnd,
        /// Why the service took the conversation from its agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Loss>,
    },
    /// Who may speak from here on. The event has the new epoch.
    #[serde(rename = "control.changed")]
    ControlChanged {
        #[schema(value_type = String)]
        controller: Controller,
    },
    #[serde(rename = "agent.message")]
    AgentMessage {
        message_id: MessageId,
        text: String,
        agent: Staff,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_message_id: Option<String>,
    },
    /// What the shopper said to a person. It begins no turn.
    #[serde(rename = "message.delivered")]
    MessageDelivered {
        message_id: MessageId,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_message_id: Option<String>,
    },
    #[serde(rename = "session.closed")]
    SessionClosed { by: Party },
    /// A message came into a closed session.
    #[serde(rename = "session.reopened")]
    SessionReopened,
    /// What the shopper thinks of the help of a person, or of a late answer.
    #[serde(rename = "session.rated")]
    SessionRated {
        of: Help,
        /// 1 to 5, and 5 is best.
        score: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
}

/// What a shopper rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Help {
    /// A handoff that has ended.
    Handoff(HandoffId),
    /// A ticket that was answered.
    Ticket(TicketId),
}

impl std::fmt::Display for Help {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Handoff(id) => write!(f, "handoff {id}"),
            Self::Ticket(id) => write!(f, "ticket {id}"),
        }
    }
}

/// A person of the shop, as a shopper sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Staff {
    /// Absent if the account has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    Shopper,
    Agent,
    /// The shop's own backend.
    Shop,
    /// The service, because nobody came in time or the agent is gone.
    Service,
}

/// What comes after a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoffEnd {
    Bot,
    /// Another handoff, of which nobody has taken care yet.
    Queue,
    Closed,
}

/// Why a conversation lost its agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Nothing was heard of them for too long.
    AgentAway,
    /// Their account was disabled.
    AgentDisabled,
}

impl Loss {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentAway => "agent_away",
            Self::AgentDisabled => "agent_disabled",
        }
    }
}

/// How far a handoff came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoffState {
    Queued,
    Accepted,
    Ended,
}

impl HandoffEnd {
    pub const ALL: [Self; 3] = [Self::Bot, Self::Queue, Self::Closed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Queue => "queue",
            Self::Closed => "closed",
        }
    }
}

impl HandoffState {
    pub const ALL: [Self; 3] = [Self::Queued, Self::Accepted, Self::Ended];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Accepted => "accepted",
            Self::Ended => "ended",
        }
    }
}

/// Whether somebody of the shop takes handoffs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DutyState {
    Online,
    Away,
}

impl DutyState {
    pub const ALL: [Self; 2] = [Self::Online, Self::Away];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
        }
    }
}

impl People {
    pub(super) const NAMES: [&'static str; 10] = [
        "handoff.requested",
        "handoff.queued",
        "handoff.accepted",
        "handoff.ended",
        "control.changed",
        "agent.message",
        "message.delivered",
        "session.closed",
        "session.reopened",
        "session.rated",
    ];

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::HandoffRequested { .. } => "handoff.requested",
            Self::HandoffQueued { .. } => "handoff.queued",
            Self::HandoffAccepted { .. } => "handoff.accepted",
            Self::HandoffEnded { .. } => "handoff.ended",
            Self::ControlChanged { .. } => "control.changed",
            Self::AgentMessage { .. } => "agent.message",
            Self::MessageDelivered { .. } => "message.delivered",
            Self::SessionClosed { .. } => "session.closed",
            Self::SessionReopened => "session.reopened",
            Self::SessionRated { .. } => "session.rated",
        }
    }

    /// The message that it shows, if it shows one.
    pub const fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::AgentMessage { message_id, .. } | Self::MessageDelivered { message_id, .. } => {
                Some(*message_id)
            }
            Self::HandoffRequested { .. }
            | Self::HandoffQueued { .. }
            | Self::HandoffAccepted { .. }
            | Self::HandoffEnded { .. }
            | Self::ControlChanged { .. }
            | Self::SessionClosed { .. }
            | Self::SessionReopened
            | Self::SessionRated { .. } => None,
        }
    }
}

//! A message as clients read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    action::{ActionOutcome, Card},
    handoff::Staff,
    ids::{MessageId, TurnId},
    ticket::Ticket,
    time::Timestamp,
    turn::{Citation, Route},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    Agent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    Complete,
    Failed,
    Cancelled,
    Streaming,
}

/// Whether an answer helped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    Up,
    Down,
}

impl Rating {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub id: MessageId,
    /// `seq` of the event that created it; for a streaming answer the `seq` it will follow.
    pub seq: u64,
    pub turn_id: TurnId,
    pub role: MessageRole,
    pub text: String,
    pub status: MessageStatus,
    pub created_at: Timestamp,
    /// Of an answer; `human` for a shopper's message that was delivered to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// What a tool found or offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// What became of a change that the shopper has decided about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ActionOutcome>,
    /// The ticket that the message opens or answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// The person who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Staff>,
    /// The last rating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Rating>,
}

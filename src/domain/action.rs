//! Actions: what a tool would change for a shopper, proposed first and done once confirmed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ids::ActionId, time::Timestamp};

/// A change that the service offers to make. Nothing happens before the shopper confirms it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Also the idempotency key with which the shop is asked to make the change.
    pub action_id: ActionId,
    pub tool: String,
    /// The exact effect, in words of the shopper's language.
    pub effect: String,
    pub fields: Vec<Field>,
    /// SHA-256 of tool and arguments, in lowercase hex. A confirmation names it, so nobody confirms
    /// what was not shown.
    pub hash: String,
    pub expires_at: Timestamp,
}

/// A name and a value that a shopper reads, such as `Order` and `FJ-10234`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    pub label: String,
    pub value: String,
}

impl Field {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActionOutcome {
    pub action_id: ActionId,
    pub status: ActionStatus,
    /// For the shopper, in the language of the conversation.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionStatus {
    Done,
    /// The shop refused it, and nothing was changed.
    Failed,
    /// The shop was asked and has not answered. It is asked later what became of it.
    Unknown,
    Declined,
    Expired,
}

impl ActionStatus {
    pub const ALL: [Self; 5] =
        [Self::Done, Self::Failed, Self::Unknown, Self::Declined, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }
}

/// A box under an answer, with what a tool found or offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Card {
    Order(Details),
    Product(Details),
    Action(Proposal),
}

/// A titled list of fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Details {
    pub title: String,
    pub fields: Vec<Field>,
    /// A page of the shop or of a carrier; `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

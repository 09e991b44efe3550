//! Actions: what a tool would change for a shopper, proposed first and done once confirmed.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{
    ids::{ActionId, TurnId},
    language::Language,
    principal::Role,
    time::Timestamp,
};

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
    /// The change that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ActionId>,
}

impl Proposal {
    /// SHA-256 of a tool and its arguments, in lowercase hex.
    pub fn hash(tool: &str, arguments: &Value) -> String {
        let mut hash = Sha256::new();
        hash.update((tool.len() as u64).to_le_bytes());
        hash.update(tool);
        hash.update(arguments.to_string());
        hex::encode(hash.finalize())
    }
}

/// A proposal, and what is kept of it that nobody is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub proposal: Proposal,
    /// What the tool will be called with. The shop's tools alone read it.
    pub arguments: Value,
    /// In which the proposal is worded, and its outcome will be.
    pub language: Language,
    /// Only a signed-in customer may confirm it.
    pub signed_in: bool,
    /// Once confirmed, it waits for a person of the shop.
    pub approval: bool,
}

impl Draft {
    /// Proposes to call `tool`. The offer stands for `valid_for` from `now` on.
    pub fn new(
        tool: &str,
        arguments: Value,
        (effect, fields): (String, Vec<Field>),
        language: Language,
        now: Timestamp,
        valid_for: Duration,
    ) -> Self {
        let proposal = Proposal {
            action_id: ActionId::new(),
            tool: tool.to_owned(),
            effect,
            fields,
            hash: Proposal::hash(tool, &arguments),
            expires_at: now.after(valid_for),
            undoes: None,
        };
        Self { proposal, arguments, language, signed_in: false, approval: false }
    }
}

/// What a shopper said to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    Confirmed,
    Declined,
}

impl Decision {
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Declined];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
        }
    }
}

/// A decision, as the message that begins a turn makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    pub action_id: ActionId,
    pub tool: String,
    pub decision: Decision,
    /// Of the turn, which tells what became of it.
    pub turn_id: TurnId,
    pub by: Role,
    /// The turn will ask the shop. If it does not, its outcome comes with the same step.
    pub calls: bool,
    /// Of a step that calls: it is taken only if these leave room for it.
    pub quotas: Option<Quotas>,
}

/// How many changes may be carried out; 0 is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub per_shopper: u64,
    pub per_site: u64,
    /// Those that were confirmed since then count.
    pub since: Timestamp,
}

impl Quotas {
    pub const fn are_limits(&self) -> bool {
        self.per_shopper > 0 || self.per_site > 0
    }

    /// Whether there is no room for a further change of a shopper and a site with so many.
    pub const fn are_used(&self, of_shopper: u64, of_site: u64) -> bool {
        let shopper = self.per_shopper > 0 && of_shopper >= self.per_shopper;
        shopper || self.per_site > 0 && of_site >= self.per_site
    }
}

/// How far a proposal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionState {
    Proposed,
    /// Confirmed. The shop is asked, or was asked and nobody heard its answer.
    Calling,
    /// A person of the shop said yes, and the shop's system will be asked.
    Approved,
    /// Nobody of the shop said yes, which its shopper will be told.
    Refused,
    /// For [`ActionStatus::Unknown`] and [`ActionStatus::Waiting`], only for now.
    Ended(ActionStatus),
}

impl ActionState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Calling => "calling",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Ended(status) => status.as_str(),
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let ended = ActionStatus::ALL.map(Self::Ended);
        let open = [Self::Proposed, Self::Calling, Self::Approved, Self::Refused];
        open.into_iter().chain(ended).find(|s| s.as_str() == text)
    }

    /// Whether nothing will become of it any more.
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Proposed
            | Self::Calling
            | Self::Approved
            | Self::Refused
            | Self::Ended(ActionStatus::Unknown | ActionStatus::Waiting) => false,
            Self::Ended(_) => true,
        }
    }
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
    /// Of a change that was made: until then the shopper may ask to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_until: Option<Timestamp>,
}

impl ActionOutcome {
    pub fn new(action_id: ActionId, status: ActionStatus, detail: impl Into<String>) -> Self {
        Self { action_id, status, detail: detail.into(), undo_until: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActionStatus {
    Done,
    /// The shop refused it, and nothing was changed.
    Failed,
    /// The shop was asked and has not answered. It is asked later what became of it.
    Unknown,
    /// Confirmed, and a person of the shop decides now.
    Waiting,
    Declined,
    Expired,
}

impl ActionStatus {
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Unknown, Self::Waiting, Self::Declined, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Waiting => "waiting",
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

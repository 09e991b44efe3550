//! An answer as it is kept in the journal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    action::{ActionOutcome, Card},
    ids::MessageId,
    language::Language,
    ticket::Ticket,
    topic::Intent,
    turn::{CacheInfo, Citation, FinishReason, Route, ServiceLevel, Timings, Usage},
};

/// What an `answer.completed` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    pub message_id: MessageId,
    pub text: String,
    pub route: Route,
    pub service_level: ServiceLevel,
    pub citations: Vec<Citation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    pub timings: Timings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheInfo>,
    pub finish_reason: FinishReason,
    /// The ticket that this answer opens, or the one that it answers later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Ticket>,
    /// What the question was about. Absent for an answer that was looked up before that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The language of the question, which the service's own sentences follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// What the shopper can pick if the service asks back. Empty if it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// What a tool found or offers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Card>,
    /// What became of a change that the shopper has decided about. `action.result` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ActionOutcome>,
    /// What the service waits for, if it is more than words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wants: Option<Wants>,
}

/// What the next message should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wants {
    /// The one-time code that the shop has sent. It is hidden before the message is kept.
    Code,
}

/// One way to go on, shown as a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    pub label: String,
    /// The message that the client sends if the shopper picks it.
    pub text: String,
}

impl Answer {
    /// A whole answer in full service, with nothing known about it but its text and its route.
    pub fn new(text: impl Into<String>, route: Route) -> Self {
        Self {
            message_id: MessageId::new(),
            text: text.into(),
            route,
            service_level: ServiceLevel::FULL,
            citations: Vec::new(),
            usage: None,
            timings: Timings::default(),
            cache: None,
            finish_reason: FinishReason::Stop,
            ticket: None,
            intent: None,
            language: None,
            choices: Vec::new(),
            cards: Vec::new(),
            outcome: None,
            wants: None,
        }
    }
}

//! What happens in a session: durable facts with a `seq`, and live pieces that pass by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    CacheInfo, Citation, FinishReason, MessageId, Problem, Route, ServiceLevel, SessionId, Stage,
    Ticket, Timestamp, Timings, TurnId, Usage,
};

/// One durable, numbered fact in a session's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Version of the shape.
    pub v: u8,
    /// Counts from 1 without gaps, per session, for its whole life.
    pub seq: u64,
    pub session_id: SessionId,
    pub turn_id: TurnId,
    pub epoch: u32,
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: Fact,
}

/// The durable events. Each admitted turn ends in exactly one that [`Fact::is_terminal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum Fact {
    #[serde(rename = "message.created")]
    MessageCreated {
        message_id: MessageId,
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_message_id: Option<String>,
    },
    #[serde(rename = "answer.completed")]
    AnswerCompleted {
        message_id: MessageId,
        text: String,
        route: Route,
        service_level: ServiceLevel,
        citations: Vec<Citation>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        timings: Timings,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache: Option<CacheInfo>,
        finish_reason: FinishReason,
        /// The ticket that this answer opens, or that it answers at last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<Ticket>,
    },
    #[serde(rename = "turn.failed")]
    TurnFailed {
        message_id: MessageId,
        /// What had been shown before the failure; may be empty.
        text: String,
        problem: Problem,
    },
    #[serde(rename = "turn.cancelled")]
    TurnCancelled {
        message_id: MessageId,
        /// What had been shown before the cancel; may be empty.
        text: String,
    },
}

impl Fact {
    /// The SSE `event:` name, equal to `type` in the JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MessageCreated { .. } => "message.created",
            Self::AnswerCompleted { .. } => "answer.completed",
            Self::TurnFailed { .. } => "turn.failed",
            Self::TurnCancelled { .. } => "turn.cancelled",
        }
    }

    pub const fn is_terminal(&self) -> bool {
        match self {
            Self::MessageCreated { .. } => false,
            Self::AnswerCompleted { .. } | Self::TurnFailed { .. } | Self::TurnCancelled { .. } => {
                true
            }
        }
    }

    pub const fn message_id(&self) -> MessageId {
        match self {
            Self::MessageCreated { message_id, .. }
            | Self::AnswerCompleted { message_id, .. }
            | Self::TurnFailed { message_id, .. }
            | Self::TurnCancelled { message_id, .. } => *message_id,
        }
    }
}

/// The turn that was begun and never ended, judged by the newest event.
pub fn unfinished(events: &[Event]) -> Option<TurnId> {
    events.last().filter(|event| !event.fact.is_terminal()).map(|event| event.turn_id)
}

/// Events that live only while their turn does. They are shown with the `seq` of the last durable event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum Live {
    #[serde(rename = "turn.queued")]
    TurnQueued { position: u32, eta_ms: u64 },
    #[serde(rename = "turn.started")]
    TurnStarted { route: Route, service_level: ServiceLevel },
    #[serde(rename = "turn.status")]
    TurnStatus { stage: Stage },
    #[serde(rename = "answer.delta")]
    AnswerDelta { index: u32, text: String },
    /// What was shown so far is withdrawn and replaced by `text`.
    #[serde(rename = "answer.replaced")]
    AnswerReplaced { reason: String, text: String },
    #[serde(rename = "answer.citation")]
    AnswerCitation {
        #[serde(flatten)]
        citation: Citation,
    },
}

impl Live {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TurnQueued { .. } => "turn.queued",
            Self::TurnStarted { .. } => "turn.started",
            Self::TurnStatus { .. } => "turn.status",
            Self::AnswerDelta { .. } => "answer.delta",
            Self::AnswerReplaced { .. } => "answer.replaced",
            Self::AnswerCitation { .. } => "answer.citation",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_json_and_names_itself_by_its_type() {
        let event = Event {
            v: 1,
            seq: 7,
            session_id: SessionId::new(),
            turn_id: TurnId::new(),
            epoch: 0,
            at: Timestamp::from_millis(1_000),
            fact: Fact::MessageCreated {
                message_id: MessageId::new(),
                text: "hello".into(),
                client_message_id: None,
            },
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.fact.name());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}

//! What happens in a session: durable facts with a `seq`, and live pieces that pass by.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    action::{ActionOutcome, Proposal},
    answer::Answer,
    code::Problem,
    handoff::People,
    ids::{MessageId, SessionId, TurnId},
    time::Timestamp,
    turn::{Citation, Route, ServiceLevel, Stage},
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

/// The durable events. Each admitted turn ends in exactly one that [`Part::Ends`] it.
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
    AnswerCompleted(Answer),
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
        /// Absent if a client cancelled it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<CancelReason>,
    },
    /// The service offers to change something. The turn that offers it says the same in words.
    #[serde(rename = "action.proposed")]
    ActionProposed(Proposal),
    #[serde(rename = "action.result")]
    ActionResult(ActionOutcome),
    #[serde(untagged)]
    People(People),
    /// A fact that a newer replica wrote. It is kept and passed on as it is.
    #[serde(untagged)]
    #[schema(value_type = Object)]
    Unknown(Unknown),
}

/// Why a turn was cancelled, if no client asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CancelReason {
    /// The shopper added a message, and the next turn answers both.
    Superseded,
}

/// What a fact is to the turn that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Begins,
    Ends,
    /// Neither: it may stand before, inside or behind a turn and changes nothing about it.
    Aside,
}

impl Fact {
    /// The names of the facts that this build knows.
    const NAMES: [&'static str; 6] = [
        "message.created",
        "answer.completed",
        "turn.failed",
        "turn.cancelled",
        "action.proposed",
        "action.result",
    ];

    /// The SSE `event:` name, equal to `type` in the JSON.
    pub fn name(&self) -> Name {
        Name::Borrowed(match self {
            Self::MessageCreated { .. } => "message.created",
            Self::AnswerCompleted(_) => "answer.completed",
            Self::TurnFailed { .. } => "turn.failed",
            Self::TurnCancelled { .. } => "turn.cancelled",
            Self::ActionProposed(_) => "action.proposed",
            Self::ActionResult(_) => "action.result",
            Self::People(people) => people.name(),
            Self::Unknown(unknown) => return unknown.name(),
        })
    }

    /// Whether a fact of this name is known here.
    pub fn knows(name: &str) -> bool {
        Self::NAMES.contains(&name) || People::NAMES.contains(&name)
    }

    pub const fn part(&self) -> Part {
        match self {
            Self::MessageCreated { .. } => Part::Begins,
            Self::AnswerCompleted(_) | Self::TurnFailed { .. } | Self::TurnCancelled { .. } => {
                Part::Ends
            }
            Self::ActionProposed(_)
            | Self::ActionResult(_)
            | Self::People(_)
            | Self::Unknown(_) => Part::Aside,
        }
    }

    /// The message that it shows, if it shows one.
    pub const fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::MessageCreated { message_id, .. }
            | Self::AnswerCompleted(Answer { message_id, .. })
            | Self::TurnFailed { message_id, .. }
            | Self::TurnCancelled { message_id, .. } => Some(*message_id),
            Self::People(people) => people.message_id(),
            Self::ActionProposed(_) | Self::ActionResult(_) | Self::Unknown(_) => None,
        }
    }

    /// A turn that failed after `text` had been shown.
    pub fn failed(problem: Problem, text: String) -> Self {
        Self::TurnFailed { message_id: MessageId::new(), text, problem }
    }

    /// A turn that was cancelled after `text` had been shown.
    pub fn cancelled(text: String) -> Self {
        Self::TurnCancelled { message_id: MessageId::new(), text, reason: None }
    }

    /// A turn whose question the next turn answers, too.
    pub fn superseded(text: String) -> Self {
        let message_id = MessageId::new();
        Self::TurnCancelled { message_id, text, reason: Some(CancelReason::Superseded) }
    }
}

/// The newest event that begins or ends a turn.
pub fn newest_part(events: &[Event]) -> Option<&Event> {
    events.iter().rev().find(|event| event.fact.part() != Part::Aside)
}

/// The turn that was begun and never ended.
pub fn unfinished(events: &[Event]) -> Option<TurnId> {
    newest_part(events).filter(|event| event.fact.part() == Part::Begins).map(|event| event.turn_id)
}

/// The name of an event: one of ours, or one that a newer replica uses.
pub type Name = Cow<'static, str>;

/// An event of a type that this build does not know, with all its own fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Unknown {
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Unknown {
    fn name(&self) -> Name {
        let name = self.fields.get("type").and_then(Value::as_str);
        Name::Owned(name.unwrap_or_default().to_owned())
    }
}

/// A fact of a known type whose fields are wrong is an error, never an unknown fact.
impl TryFrom<Map<String, Value>> for Unknown {
    type Error = &'static str;

    fn try_from(fields: Map<String, Value>) -> Result<Self, Self::Error> {
        match fields.get("type").and_then(Value::as_str) {
            None => Err("an event needs a type"),
            Some(name) if Fact::knows(name) || Live::NAMES.contains(&name) => {
                Err("the fields do not fit the type of the event")
            }
            Some(_) => Ok(Self { fields }),
        }
    }
}

/// Events that live only while their turn does. They are shown with the `seq` of the last durable
/// event.
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
    /// A live event of a turn that a newer replica runs. It is passed on as it is.
    #[serde(untagged)]
    #[schema(value_type = Object)]
    Unknown(Unknown),
}

impl Live {
    const NAMES: [&'static str; 6] = [
        "turn.queued",
        "turn.started",
        "turn.status",
        "answer.delta",
        "answer.replaced",
        "answer.citation",
    ];

    pub fn name(&self) -> Name {
        Name::Borrowed(match self {
            Self::TurnQueued { .. } => "turn.queued",
            Self::TurnStarted { .. } => "turn.started",
            Self::TurnStatus { .. } => "turn.status",
            Self::AnswerDelta { .. } => "answer.delta",
            Self::AnswerReplaced { .. } => "answer.replaced",
            Self::AnswerCitation { .. } => "answer.citation",
            Self::Unknown(unknown) => return unknown.name(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(fact: Fact) -> Event {
        Event {
            v: 1,
            seq: 7,
            session_id: SessionId::new(),
            turn_id: TurnId::new(),
            epoch: 0,
            at: Timestamp::from_millis(1_000),
            fact,
        }
    }

    fn known() -> Vec<Fact> {
        let message_id = MessageId::new();
        vec![
            Fact::MessageCreated { message_id, text: "hello".into(), client_message_id: None },
            Fact::AnswerCompleted(Answer::new("hi", Route::Model)),
            Fact::failed(Problem::new(crate::domain::ErrorCode::Internal), "h".into()),
            Fact::cancelled(String::new()),
            Fact::People(People::MessageDelivered {
                message_id,
                text: "hello?".into(),
                client_message_id: None,
            }),
        ]
    }

    #[test]
    fn an_event_survives_json_and_names_itself_by_its_type() {
        for fact in known() {
            let event = event(fact);
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["type"], *event.fact.name());
            assert!(Fact::knows(&event.fact.name()));
            assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
        }
    }

    #[test]
    fn a_fact_of_a_newer_replica_is_an_aside_and_passes_through_unchanged() {
        let mut json = serde_json::to_value(event(Fact::cancelled(String::new()))).unwrap();
        for key in ["message_id", "text"] {
            json.as_object_mut().unwrap().remove(key);
        }
        json["type"] = "agent.waved".into();
        json["hand"] = serde_json::json!({ "left": [1, 2.5, null] });
        let event: Event = serde_json::from_value(json.clone()).unwrap();
        assert_eq!((event.fact.part(), &*event.fact.name()), (Part::Aside, "agent.waved"));
        assert_eq!(event.fact.message_id(), None);
        assert_eq!(serde_json::to_value(&event).unwrap(), json);
        let live: Live = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(&*live.name(), "agent.waved");
    }

    #[test]
    fn a_known_fact_with_wrong_fields_is_an_error_and_not_an_unknown_one() {
        for fact in known() {
            let mut json = serde_json::to_value(event(fact)).unwrap();
            json.as_object_mut().unwrap().remove("message_id");
            assert!(serde_json::from_value::<Event>(json).is_err());
        }
        let delta = serde_json::json!({ "type": "answer.delta", "index": "one" });
        assert!(serde_json::from_value::<Live>(delta).is_err());
    }

    #[test]
    fn what_people_do_is_an_aside_of_a_known_type() {
        let json = serde_json::json!({ "type": "session.reopened" });
        let reopened: Fact = serde_json::from_value(json).unwrap();
        assert_eq!(reopened, Fact::People(People::SessionReopened));
        let event = event(reopened);
        let again: Event = serde_json::from_value(serde_json::to_value(&event).unwrap()).unwrap();
        assert_eq!((again.fact.part(), &again), (Part::Aside, &event));
        for name in People::NAMES {
            let json = serde_json::json!({ "type": name, "handoff_id": 1 });
            let read = serde_json::from_value::<Fact>(json);
            assert!(!matches!(read, Ok(Fact::Unknown(_))), "{name}");
        }
    }

    #[test]
    fn an_aside_changes_nothing_about_the_open_turn() {
        let aside = serde_json::json!({ "type": "agent.waved" });
        let aside = || event(serde_json::from_value(aside.clone()).unwrap());
        let [begin, end, ..] = &known()[..] else { panic!() };
        let (begin, end) = (event(begin.clone()), event(end.clone()));
        let turn = begin.turn_id;
        assert_eq!(unfinished(&[aside()]), None);
        assert_eq!(unfinished(&[begin.clone(), aside(), aside()]), Some(turn));
        assert_eq!(unfinished(&[begin, aside(), end, aside()]), None);
    }
}

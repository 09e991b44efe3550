//! From durable facts to messages as people read them. The journal is the truth; a message is a view of one event.

use crate::domain::{Event, Fact, Message, MessageRole, MessageStatus};

/// The message that `event` shows, if it shows one. `feedback` is not part of the journal and stays empty.
pub fn project(event: &Event) -> Option<Message> {
    let (role, status, text) = match &event.fact {
        Fact::MessageCreated { text, .. } => (MessageRole::User, MessageStatus::Complete, text),
        Fact::AnswerCompleted { text, .. } => {
            (MessageRole::Assistant, MessageStatus::Complete, text)
        }
        Fact::TurnFailed { text, .. } => (MessageRole::Assistant, MessageStatus::Failed, text),
        Fact::TurnCancelled { text, .. } => {
            (MessageRole::Assistant, MessageStatus::Cancelled, text)
        }
    };
    let (route, citations, ticket) = match &event.fact {
        Fact::AnswerCompleted { route, citations, ticket, .. } => {
            (Some(*route), citations.clone(), *ticket)
        }
        _ => (None, Vec::new(), None),
    };
    Some(Message {
        id: event.fact.message_id(),
        seq: event.seq,
        turn_id: event.turn_id,
        role,
        text: text.clone(),
        status,
        created_at: event.at,
        route,
        citations,
        ticket,
        feedback: None,
    })
}

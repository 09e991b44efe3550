//! From durable facts to messages as people read them. The journal is the truth; a message is a
//! view of one event.

use crate::domain::{
    CancelReason, Event, Fact, Message, MessageId, MessageRole, MessageStatus, People, Route,
};

/// The message that `event` shows, if it shows one. `feedback` is not part of the journal and stays
/// empty.
pub fn project(event: &Event) -> Option<Message> {
    let said = |id: MessageId, role, status, text: &str| Message {
        id,
        seq: event.seq,
        turn_id: event.turn_id,
        role,
        text: text.to_owned(),
        status,
        created_at: event.at,
        route: None,
        citations: Vec::new(),
        cards: Vec::new(),
        outcome: None,
        ticket: None,
        agent: None,
        feedback: None,
    };
    let (user, assistant) = (MessageRole::User, MessageRole::Assistant);
    match &event.fact {
        Fact::MessageCreated { message_id, text, .. } => {
            Some(said(*message_id, user, MessageStatus::Complete, text))
        }
        Fact::AnswerCompleted(answer) => Some(Message {
            route: Some(answer.route),
            citations: answer.citations.clone(),
            cards: answer.cards.clone(),
            outcome: answer.outcome.clone(),
            ticket: answer.ticket,
            ..said(answer.message_id, assistant, MessageStatus::Complete, &answer.text)
        }),
        Fact::TurnFailed { message_id, text, .. } => {
            Some(said(*message_id, assistant, MessageStatus::Failed, text))
        }
        // Its question is answered by the next turn.
        Fact::TurnCancelled { text, reason: Some(CancelReason::Superseded), .. }
            if text.is_empty() =>
        {
            None
        }
        Fact::TurnCancelled { message_id, text, .. } => {
            Some(said(*message_id, assistant, MessageStatus::Cancelled, text))
        }
        // It went to a person, and no answer of the assistant follows.
        Fact::People(People::MessageDelivered { message_id, text, .. }) => Some(Message {
            route: Some(Route::Human),
            ..said(*message_id, user, MessageStatus::Complete, text)
        }),
        Fact::People(People::AgentMessage { message_id, text, agent, .. }) => Some(Message {
            agent: Some(agent.clone()),
            ..said(*message_id, MessageRole::Agent, MessageStatus::Complete, text)
        }),
        Fact::People(_) | Fact::ActionProposed(_) | Fact::ActionResult(_) | Fact::Unknown(_) => {
            None
        }
    }
}

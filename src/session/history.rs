//! The messages of a session as clients read them, projected from its events.

use crate::{
    archive::project,
    domain::{Event, Message, MessageId, MessageRole, MessageStatus, Part, newest_part},
    log::TurnLog,
};

/// Messages of `events`, in order; a turn that still runs adds its text so far.
pub fn messages(events: &[Event], running: Option<&TurnLog>) -> Vec<Message> {
    let mut messages: Vec<Message> = events.iter().filter_map(project).collect();
    if let (Some(log), Some(last)) = (running, newest_part(events))
        && last.fact.part() == Part::Begins
        && last.turn_id == log.turn_id()
        && !log.is_ended()
    {
        messages.push(Message {
            // The id of an answer is known once it is complete; until then the turn's id stands for
            // it.
            id: MessageId(log.turn_id().0),
            seq: last.seq + 1,
            turn_id: log.turn_id(),
            role: MessageRole::Assistant,
            text: log.text(),
            status: MessageStatus::Streaming,
            created_at: last.at,
            route: None,
            citations: log.citations(),
            cards: Vec::new(),
            outcome: None,
            ticket: None,
            agent: None,
            feedback: None,
        });
    }
    messages
}

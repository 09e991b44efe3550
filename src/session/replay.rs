//! A message that was sent before: the turn that it began is found again.

use std::sync::Arc;

use super::messages::{Progress, SessionError, Started};
use crate::{
    domain::{Event, Fact, Part, People, SessionId, TurnId},
    journal::Journal,
    log::TurnLog,
};

/// Events read from the journal at once.
const PAGE: u32 = 256;

/// The message of a turn and, if it has ended, its end. `log`: the turn, where it runs here.
pub async fn replay(
    journal: Journal,
    id: SessionId,
    turn_id: TurnId,
    log: Option<Arc<TurnLog>>,
) -> Result<Started, SessionError> {
    let mut after = 0;
    let mut message = None;
    loop {
        let events = journal.events(id, after, PAGE).await?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        for event in events.into_iter().filter(|event| event.turn_id == turn_id) {
            let event: Arc<Event> = Arc::new(event);
            match (&message, event.fact.part()) {
                (Some(message), Part::Ends) => {
                    let message = Arc::clone(message);
                    return Ok(Started { message, turn: Progress::Ended(event), replayed: true });
                }
                (_, Part::Begins) => message = Some(event),
                _ if matches!(event.fact, Fact::People(People::MessageDelivered { .. })) => {
                    let turn = Progress::Delivered;
                    return Ok(Started { message: event, turn, replayed: true });
                }
                (None, Part::Ends) | (_, Part::Aside) => {}
            }
        }
    }
    let message = message.ok_or(SessionError::StoreUnavailable)?;
    let turn = log.map_or(Progress::Elsewhere, Progress::Running);
    Ok(Started { message, turn, replayed: true })
}

/// What was said under the key of this id.
pub async fn event_of(
    journal: &Journal,
    id: SessionId,
    turn_id: TurnId,
) -> Result<Arc<Event>, SessionError> {
    let mut after = 0;
    loop {
        let events = journal.events(id, after, PAGE).await?;
        let last = events.last().ok_or(SessionError::StoreUnavailable)?;
        after = last.seq;
        if let Some(event) = events.into_iter().find(|event| event.turn_id == turn_id) {
            return Ok(Arc::new(event));
        }
    }
}

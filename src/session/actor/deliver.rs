//! A late answer comes into its session, once: the answer to a ticket, or what became of a change.
//!
//! The key of the append is derived from the ticket or the change, so a delivery that is done again
//! changes nothing, on whichever replica and after whichever crash.

use actix::prelude::*;
use tokio::time::Instant;

use super::shell::SessionActor;
use crate::session::{
    messages::SessionError,
    metrics,
    open::Refresh,
    state::{Begin, Session},
};
use crate::{
    clock,
    domain::{
        ActionId, ActionStatus, Append, Appended, Ending, Event, Fact, IdempotencyRecord,
        SessionMeta, TicketId, TurnId, Version,
    },
    journal::Journal,
    turn::ports::Exchange,
};

/// Appends an answer under `key`, and shows it to whoever reads along.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Delivered, SessionError>")]
pub struct Deliver {
    pub key: String,
    pub ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    Now,
    /// It was there already.
    Before,
    /// A turn runs; ask again when it has ended.
    Busy,
}

/// The key under which the answer to a ticket is appended. No client can send a key with a blank in
/// it.
pub fn key(ticket: TicketId) -> String {
    format!("ticket {ticket}")
}

/// The key under which it is appended what became of a change: what is told for now, and at last.
pub fn action_key(action: ActionId, status: ActionStatus) -> String {
    let which = if status == ActionStatus::Unknown { "unknown" } else { "settled" };
    format!("action {action} {which}")
}

/// The question of a ticket and what was said before it, found in `events` of its session.
pub fn question(
    meta: &SessionMeta,
    events: &[Event],
    ticket: TicketId,
) -> Option<(String, Vec<Exchange>)> {
    let at = events.iter().position(|event| event.turn_id == ticket.turn())?;
    let Fact::MessageCreated { text, .. } = &events[at].fact else { return None };
    let before = Session::new(meta.clone(), Version::NEW, &events[..at]);
    Some((text.clone(), before.history()))
}

/// What the journal said, before the actor shows it.
enum Stored {
    Appended(Box<Append>, Version),
    Known,
    /// A turn runs, or another replica wrote to this session.
    NotNow,
}

impl Handler<Deliver> for SessionActor {
    // Atomic: no turn begins between the look at the session and the append.
    type Result = AtomicResponse<Self, Result<Delivered, SessionError>>;

    fn handle(&mut self, message: Deliver, _: &mut Self::Context) -> Self::Result {
        self.last_active = Instant::now();
        let stored = self.refresh(Refresh::ToWrite).then(move |fresh, actor, _| {
            let append = fresh.and_then(|_| actor.propose_delivery(message));
            let journal = actor.shared.journal.clone();
            let stored = async move {
                match append? {
                    Some(append) => store(&journal, append).await,
                    None => Ok(Stored::NotNow),
                }
            };
            stored.into_actor(actor)
        });
        let reply = stored.map(|stored, actor, _| {
            let Ok(live) = &mut actor.live else { return Err(SessionError::NotFound) };
            match stored {
                Ok(Stored::Appended(append, version)) => {
                    live.session.accepted(&append, version);
                    append.events.iter().for_each(|event| live.feed.publish(event));
                    metrics::acted(&append);
                    Ok(Delivered::Now)
                }
                Ok(Stored::Known) => Ok(Delivered::Before),
                Ok(Stored::NotNow) => {
                    live.session.disown();
                    Ok(Delivered::Busy)
                }
                Err(error) => {
                    // It may be there all the same: the next append reads the session first.
                    live.session.disown();
                    Err(error)
                }
            }
        });
        AtomicResponse::new(Box::pin(reply))
    }
}

impl SessionActor {
    fn propose_delivery(
        &self,
        Deliver { key, ending }: Deliver,
    ) -> Result<Option<Append>, SessionError> {
        let live = self.live.as_ref().map_err(|absent| absent.plainly())?;
        if self.shared.draining.is_cancelled() {
            return Err(SessionError::Draining);
        }
        let free = live.session.begin() == Begin::Yes && self.doubt.is_none();
        let record = IdempotencyRecord {
            key,
            body_hash: String::new(),
            turn_id: TurnId::new(),
            trace: None,
        };
        Ok(free.then(|| live.session.delivery(&ending, record, clock::now())))
    }
}

async fn store(journal: &Journal, append: Append) -> Result<Stored, SessionError> {
    match journal.append(&append).await? {
        Appended::Done(version) => Ok(Stored::Appended(Box::new(append), version)),
        Appended::Replayed(_) => Ok(Stored::Known),
        Appended::Outrun => Ok(Stored::NotNow),
    }
}

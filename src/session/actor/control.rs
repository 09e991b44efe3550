//! A person's command: who may speak, and what they say.
//!
//! A command that changes something ends the turn that runs, in its own append and on whichever
//! replica the turn is: it waits for nobody, and no word of the assistant stands behind
//! `control.changed`. The turn finds at its end that it has one, and withdraws what it had shown.
//! Only a turn that asks the shop for a change is left to its end: the caller sends the command
//! again until then.

use std::rc::Rc;

use actix::{fut::LocalBoxActorFuture, prelude::*};
use tokio::time::Instant;

use super::shell::SessionActor;
use crate::session::{
    control::{judge, party},
    messages::{Act, Control, Controlled, SessionError, Typing},
    metrics,
    open::Refresh,
    replay::event_of,
};
use crate::{
    clock,
    domain::{
        Append, Appended, Controller, IdempotencyRecord, Part, Party, SessionId, TurnId, Version,
    },
    journal::Journal,
};

/// Attempts while other replicas write to the session.
const ATTEMPTS: usize = 4;

type Outcome<T> = LocalBoxActorFuture<SessionActor, Result<T, SessionError>>;

impl Handler<Control> for SessionActor {
    // Atomic: nothing comes between the look at the session and the append.
    type Result = AtomicResponse<Self, Result<Controlled, SessionError>>;

    fn handle(&mut self, message: Control, _: &mut Self::Context) -> Self::Result {
        self.last_active = Instant::now();
        AtomicResponse::new(self.command(Rc::new(message), ATTEMPTS))
    }
}

impl Handler<Typing> for SessionActor {
    type Result = Result<(), SessionError>;

    /// Shown while a person has control, of that person and of the shopper.
    fn handle(&mut self, Typing { asker }: Typing, _: &mut Self::Context) -> Self::Result {
        let live = self.live(&asker)?;
        let by = party(Some(&asker.0));
        let is_heard = match live.session.meta.controller {
            Controller::Bot => false,
            Controller::Agent(agent) => by != Party::Agent || agent == asker.0.id,
        };
        if is_heard
            && live.feed.type_by(by)
            && let Some(relay) = self.shared.journal.relay()
        {
            relay.typing(self.id, by);
        }
        Ok(())
    }
}

/// What the session asks of the journal.
enum Plan {
    /// It is so already.
    Nothing,
    /// And the turn that it ends.
    Append(Box<Append>, Option<TurnId>),
    /// Unless it was said before under this key.
    Refused(SessionError),
}

/// What the journal said.
enum Stored {
    Nothing,
    Done(Box<Append>, Version),
    Known(IdempotencyRecord),
    Outrun,
    /// The shop is asked for a change.
    Busy,
    Refused(SessionError),
}

impl SessionActor {
    fn command(&mut self, message: Rc<Control>, attempts: usize) -> Outcome<Controlled> {
        let fresh = self.refresh(Refresh::ToWrite);
        let stored = fresh.then(move |fresh, actor, _| {
            let plan = fresh.and_then(|_| actor.plan(&message));
            let (journal, id) = (actor.shared.journal.clone(), actor.id);
            let stored = async move {
                let key = message.key.as_ref().map(|key| key.key.clone());
                let stored = store(&journal, id, plan?, key).await?;
                Ok((stored, message))
            };
            stored.into_actor(actor)
        });
        Box::pin(stored.then(move |stored, actor, _| match stored {
            Ok((stored, message)) => actor.answer(stored, message, attempts),
            Err(error) => {
                if let (SessionError::StoreUnavailable, Ok(live)) = (&error, &mut actor.live) {
                    // It may be there all the same: the next append reads the session first.
                    live.session.disown();
                }
                Box::pin(fut::ready(Err(error))) as Outcome<Controlled>
            }
        }))
    }

    fn plan(&mut self, message: &Control) -> Result<Plan, SessionError> {
        if self.shared.draining.is_cancelled() {
            return Err(SessionError::Draining);
        }
        let is_in_doubt = self.doubt.is_some();
        let live = match &message.asker {
            Some(asker) => self.live(asker)?,
            None => self.live.as_mut().map_err(|absent| absent.plainly())?,
        };
        let asker = message.asker.as_ref().map(|asker| &asker.0);
        let session = &live.session;
        let facts = match judge(&session.meta, session.heard(), asker, &message.act) {
            Ok(facts) if facts.is_empty() => return Ok(Plan::Nothing),
            Ok(facts) => facts,
            Err(error) => return Ok(Plan::Refused(error)),
        };
        if is_in_doubt {
            return Err(SessionError::StoreUnavailable);
        }
        let running = session.running();
        let waits =
            matches!(message.act, Act::Expire { .. } | Act::GiveBack { .. } | Act::Rate { .. });
        if running.is_some() && waits {
            // The shopper is being answered, and that is not broken off.
            return Err(SessionError::TurnActive);
        }
        let record = message.key.as_ref().map(|key| IdempotencyRecord {
            key: key.key.clone(),
            body_hash: key.body_hash.clone(),
            turn_id: TurnId::new(),
            trace: None,
        });
        Ok(Plan::Append(Box::new(session.aside(facts, record, clock::now())), running))
    }

    /// The session takes in what became durable, and its readers see it. A turn that it ended falls
    /// silent; one on another replica does when that hears that the session has changed.
    fn show(&mut self, append: &Append, version: Version) -> Result<Controlled, SessionError> {
        let Ok(live) = &mut self.live else { return Err(SessionError::NotFound) };
        let cut = live.session.running();
        live.session.accepted(append, version);
        for event in &append.events {
            live.feed.publish(event);
            if Some(event.turn_id) != cut {
                continue;
            }
            if let Some(turn) = live.turn.as_ref().filter(|turn| Some(turn.log.turn_id()) == cut) {
                turn.cancel.cancel();
            } else if let Some(relay) = self.shared.journal.relay() {
                relay.ended(event.turn_id, std::slice::from_ref(event));
            }
        }
        metrics::acted(append);
        let said = append
            .events
            .iter()
            .find(|event| event.fact.part() == Part::Aside && event.fact.message_id().is_some());
        let said = said.cloned().map(Into::into);
        Ok(Controlled { meta: live.session.meta.clone(), said, replayed: false })
    }

    fn answer(
        &mut self,
        stored: Stored,
        message: Rc<Control>,
        attempts: usize,
    ) -> Outcome<Controlled> {
        let ready = |result| Box::pin(fut::ready(result)) as Outcome<Controlled>;
        let Ok(live) = &mut self.live else { return ready(Err(SessionError::NotFound)) };
        match stored {
            Stored::Nothing => {
                let meta = live.session.meta.clone();
                ready(Ok(Controlled { meta, said: None, replayed: true }))
            }
            Stored::Done(append, version) => ready(self.show(&append, version)),
            Stored::Outrun if attempts > 1 => {
                live.session.disown();
                self.command(message, attempts - 1)
            }
            Stored::Outrun | Stored::Busy => {
                live.session.disown();
                ready(Err(SessionError::Joins))
            }
            // Another replica may have written since this one last read the session.
            Stored::Refused(_) if live.session.is_owned() && attempts > 1 => {
                live.session.disown();
                self.command(message, attempts - 1)
            }
            Stored::Refused(error) => ready(Err(error)),
            Stored::Known(record) => {
                let hash = message.key.as_ref().map(|key| &key.body_hash);
                if hash != Some(&record.body_hash) {
                    return ready(Err(SessionError::KeyReused));
                }
                let (journal, id) = (self.shared.journal.clone(), self.id);
                let meta = live.session.meta.clone();
                let said = async move {
                    let said = event_of(&journal, id, record.turn_id).await?;
                    Ok(Controlled { meta, said: Some(said), replayed: true })
                };
                Box::pin(said.into_actor(self))
            }
        }
    }
}

async fn store(
    journal: &Journal,
    id: SessionId,
    plan: Plan,
    key: Option<String>,
) -> Result<Stored, SessionError> {
    let (append, cut) = match plan {
        Plan::Nothing => return Ok(Stored::Nothing),
        Plan::Append(append, cut) => (append, cut),
        Plan::Refused(error) => {
            let known = match key {
                Some(key) => journal.idempotency(id, &key).await?,
                None => None,
            };
            return Ok(known.map_or(Stored::Refused(error), Stored::Known));
        }
    };
    if let Some(turn) = cut
        && journal.carries_out(id, turn).await?
    {
        return Ok(Stored::Busy);
    }
    match journal.append(&append).await? {
        Appended::Done(version) => Ok(Stored::Done(append, version)),
        Appended::Replayed(record) => Ok(Stored::Known(record)),
        Appended::Outrun => Ok(Stored::Outrun),
    }
}

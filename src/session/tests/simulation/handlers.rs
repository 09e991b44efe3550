//! What a process does with its session, as `session/actor` does it. Whoever calls a handler of the
//! actor has taken it.

use std::{rc::Rc, time::Duration};

use super::{
    actor::{Doubt, Letter, Shared},
    process::Process,
};
use crate::{
    clock,
    domain::{
        Answer, Append, Appended, Fact, IdempotencyRecord, Route, SessionMeta, TurnId, Version,
    },
    journal::RunningTurn,
    session::{ending::Begun, messages::SessionError, open::Absent, state::Begin},
};

const DOUBT_RETRY: Duration = Duration::from_millis(250);
/// More than there are.
const ALL: u32 = 1_000;

fn answer() -> Fact {
    Fact::AnswerCompleted(Answer::new("fine", Route::Model))
}

fn record(key: &str) -> IdempotencyRecord {
    let body_hash = "b".repeat(64);
    IdempotencyRecord { key: key.into(), body_hash, turn_id: TurnId::new(), trace: None }
}

impl Process {
    /// A client makes the session; it is told whether that worked.
    pub async fn create(self: Rc<Self>, meta: SessionMeta) {
        if self.journal.create(&meta).await.is_ok() {
            self.ledger.borrow_mut().created = true;
        }
    }

    /// A client sends a message. `is_cached`: its answer is known at once.
    pub async fn start_turn(self: Rc<Self>, key: String, is_cached: bool) {
        let started = self.take_message(&key, is_cached).await;
        let mut ledger = self.ledger.borrow_mut();
        ledger.note(|| match &started {
            Ok(_) => format!("{}: {key} is acknowledged", self.number),
            Err(error) => format!("{}: {key} is refused: {error}", self.number),
        });
        if let Ok(turn) = started {
            ledger.promise(&key, turn);
        }
    }

    async fn take_message(
        self: &Rc<Self>,
        key: &str,
        is_cached: bool,
    ) -> Result<TurnId, SessionError> {
        let actor = self.actor().await.map_err(Absent::plainly)?;
        for _ in 0..2 {
            self.refresh(&actor).await.map_err(Absent::plainly)?;
            if actor.borrow().doubt.is_some() {
                return Err(SessionError::StoreUnavailable);
            }
            if actor.borrow().session.begin() == Begin::Busy {
                let known = self.journal.idempotency(self.id, key).await?;
                return known.map(|known| known.turn_id).ok_or(SessionError::TurnActive);
            }
            let record = record(key);
            let turn_id = record.turn_id;
            let running = self.journal.will_run(turn_id);
            self.ledger.borrow_mut().tries(turn_id, key, &self.name);
            let mut append =
                actor.borrow().session.message("hello".into(), None, record, clock::now());
            if is_cached {
                append.answer(&answer().into());
            }
            match self.journal.append(&append).await {
                Ok(Appended::Done(version)) => {
                    self.begin_turn(&actor, append, version, running);
                    return Ok(turn_id);
                }
                Ok(Appended::Replayed(known)) => return Ok(known.turn_id),
                Ok(Appended::Outrun) => actor.borrow_mut().session.disown(),
                Err(error) if error.is_in_doubt() => {
                    let doubt = Doubt { append, key: key.into(), running };
                    actor.borrow_mut().doubt = Some(doubt);
                    self.repeat_later(&actor);
                    return Err(SessionError::StoreUnavailable);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(SessionError::TurnActive)
    }

    fn begin_turn(
        self: &Rc<Self>,
        actor: &Shared,
        append: Append,
        version: Version,
        running: RunningTurn,
    ) {
        actor.borrow_mut().accepted(&append, version);
        if append.events.len() > 1 {
            return;
        }
        let turn_id = append.events[0].turn_id;
        actor.borrow_mut().turn = Some(turn_id);
        let begun = Begun { turn_id, meta: append.meta, version };
        let (process, actor) = (Rc::clone(self), Rc::clone(actor));
        self.spawn(async move {
            let ended = begun.end(&process.journal, answer().into(), || {}).await;
            process.post(actor, Letter::TurnEnded(Box::new(ended), running));
        });
    }

    fn repeat_later(self: &Rc<Self>, actor: &Shared) {
        let (process, actor) = (Rc::clone(self), Rc::clone(actor));
        self.spawn(async move {
            tokio::time::sleep(DOUBT_RETRY).await;
            let append = actor.borrow().doubt.as_ref().map(|doubt| doubt.append.clone());
            let Some(append) = append else { return };
            let appended = process.journal.append(&append).await;
            process.post(actor, Letter::Repeated(appended));
        });
    }

    pub(super) fn heard(self: &Rc<Self>, actor: &Shared, letter: Letter) {
        match letter {
            Letter::TurnEnded(ended, running) => {
                actor.borrow_mut().ended(&ended);
                drop(running);
            }
            Letter::Repeated(appended) => {
                let Some(doubt) = actor.borrow_mut().doubt.take() else { return };
                let is_done = matches!(appended, Ok(Appended::Done(_)));
                self.ledger
                    .borrow_mut()
                    .note(|| format!("{}: {} was sent again: {is_done}", self.number, doubt.key));
                match appended {
                    Ok(Appended::Done(version)) => {
                        self.begin_turn(actor, doubt.append, version, doubt.running);
                    }
                    Err(error) if error.is_in_doubt() => {
                        actor.borrow_mut().doubt = Some(doubt);
                        self.repeat_later(actor);
                    }
                    Ok(Appended::Replayed(_) | Appended::Outrun) | Err(_) => {
                        actor.borrow_mut().session.disown();
                    }
                }
            }
        }
    }

    /// The answer to a ticket has come.
    pub async fn deliver(self: Rc<Self>, key: String) {
        if let Ok(Some(turn)) = self.take_answer(&key).await {
            self.ledger.borrow_mut().promise(&key, turn);
        }
    }

    async fn take_answer(self: &Rc<Self>, key: &str) -> Result<Option<TurnId>, SessionError> {
        let actor = self.actor().await.map_err(Absent::plainly)?;
        self.refresh(&actor).await.map_err(Absent::plainly)?;
        let append = {
            let actor = actor.borrow();
            let is_free = actor.session.begin() == Begin::Yes && actor.doubt.is_none();
            is_free.then(|| actor.session.delivery(&answer().into(), record(key), clock::now()))
        };
        let Some(append) = append else {
            actor.borrow_mut().session.disown();
            return Ok(None);
        };
        let turn_id = append.events[0].turn_id;
        self.ledger.borrow_mut().tries(turn_id, key, &self.name);
        match self.journal.append(&append).await {
            Ok(Appended::Done(version)) => {
                actor.borrow_mut().accepted(&append, version);
                Ok(Some(turn_id))
            }
            Ok(Appended::Replayed(known)) => Ok(Some(known.turn_id)),
            Ok(Appended::Outrun) => {
                actor.borrow_mut().session.disown();
                Ok(None)
            }
            Err(error) => {
                actor.borrow_mut().session.disown();
                Err(error.into())
            }
        }
    }

    /// Somebody reads along here, or a letter says that the session has changed.
    pub async fn look_at_it(self: Rc<Self>) {
        if let Ok(actor) = self.actor().await {
            let _ = self.look(&actor).await;
        }
    }

    /// A page of the session is read from the journal.
    pub async fn read(self: Rc<Self>) {
        let asked_late = self.ledger.borrow().erased;
        if let Ok(events) = self.journal.events(self.id, 0, ALL).await
            && !events.is_empty()
        {
            self.ledger.borrow().has_read(&events, asked_late);
        }
    }

    /// Turns that nothing will end are looked for.
    pub async fn sweep(self: Rc<Self>) {
        let found = self.journal.abandoned(ALL).await.unwrap_or_default();
        if found.contains(&self.id) && !self.is_busy() {
            let _busy = self.take();
            Rc::clone(&self).look_at_it().await;
        }
    }

    pub async fn beat(self: Rc<Self>) {
        // The beats of a young one would begin only now.
        if self.is_old.get() {
            let _ = self.journal.beat().await;
        }
    }

    /// A client has the session erased.
    pub async fn erase(self: Rc<Self>, meta: SessionMeta) {
        self.stop_actor();
        self.ledger.borrow_mut().erasing = true;
        if self.journal.erase(&meta).await.is_ok() {
            let mut ledger = self.ledger.borrow_mut();
            ledger.erased = true;
            ledger.counts.erasures += 1;
        }
    }
}

//! A session in a process, as `SessionActor` has it, without its feed and without clients.

use std::{cell::RefCell, rc::Rc};

use crate::{
    domain::{Append, Appended, Event, TurnId, Version},
    journal::{JournalError, Opened, RunningTurn},
    session::{ending::Ended, state::Session},
};

pub type Shared = Rc<RefCell<Actor>>;

pub struct Actor {
    pub session: Session,
    /// What readers here have been shown, from the first event on.
    pub shown: Vec<Event>,
    pub turn: Option<TurnId>,
    pub doubt: Option<Doubt>,
    pub is_stopped: bool,
}

/// A message that the archive may have taken without an answer.
pub struct Doubt {
    pub append: Append,
    pub key: String,
    pub running: RunningTurn,
}

/// What an actor hears of when it has nothing else to do.
pub enum Letter {
    TurnEnded(Box<Ended>, RunningTurn),
    Repeated(Result<Appended, JournalError>),
}

impl Actor {
    pub fn new(Opened { meta, version, events, running }: Opened) -> Self {
        let mut session = Session::new(meta, version, &events);
        session.elsewhere = running;
        Self { session, shown: events, turn: None, doubt: None, is_stopped: false }
    }

    /// Whether it must not be read again, since only this replica may have written.
    pub fn is_current(&self) -> bool {
        self.session.is_owned() || self.is_at_work()
    }

    pub fn is_at_work(&self) -> bool {
        self.turn.is_some() || self.doubt.is_some()
    }

    pub fn catch_up(&mut self, Opened { meta, version, events, running }: Opened) {
        let known = self.session.meta.last_seq;
        if meta.last_seq < known {
            return;
        }
        self.show(events.iter().filter(|event| event.seq > known));
        self.session = Session::new(meta, version, &events);
        self.session.elsewhere = running;
    }

    pub fn accepted(&mut self, append: &Append, version: Version) {
        self.session.accepted(append, version);
        self.show(&append.events);
    }

    pub fn ended(&mut self, ended: &Ended) {
        ended.take_in(&mut self.session);
        self.turn = None;
        self.show(ended.events());
    }

    fn show<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>) {
        self.shown.extend(events.into_iter().cloned());
    }
}

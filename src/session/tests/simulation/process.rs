//! A process of the service: a journal of its own, and one session in it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, time::Instant};

use super::{
    actor::{Actor, Letter, Shared},
    job::Work,
    ledger::Ledger,
};
use crate::{
    archive::{Archive, GroupCommit, Waiting},
    domain::SessionId,
    journal::Journal,
    peers::Peers,
    session::open::{Absent, open},
};

/// In stopped time.
const DEAD_AFTER: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any session here.
const TAIL: usize = 1_000;

pub struct Process {
    pub number: usize,
    pub name: Arc<str>,
    pub journal: Journal,
    pub id: SessionId,
    pub ledger: Rc<RefCell<Ledger>>,
    peers: Arc<Peers>,
    pub is_old: Cell<bool>,
    actor: RefCell<Option<Shared>>,
    /// The actor handles a message and hears nothing else meanwhile.
    is_busy: Cell<bool>,
    letters: RefCell<Vec<(Shared, Letter)>>,
    spawned: RefCell<Vec<Work>>,
}

impl Process {
    pub fn start(
        number: usize,
        id: SessionId,
        archive: &Archive,
        ledger: &Rc<RefCell<Ledger>>,
    ) -> (Rc<Self>, mpsc::Receiver<Waiting>) {
        let name = Arc::<str>::from(format!("{id}/{number}"));
        let (commits, queue) = GroupCommit::by_hand(PATIENCE);
        let peers = Arc::new(Peers::many(Arc::clone(&name), DEAD_AFTER));
        let own = Arc::clone(&peers);
        let journal = Journal::new(archive.clone(), commits, own, None, TAIL);
        let process = Self {
            number,
            name,
            journal,
            id,
            ledger: Rc::clone(ledger),
            peers,
            is_old: Cell::default(),
            actor: RefCell::default(),
            is_busy: Cell::default(),
            letters: RefCell::default(),
            spawned: RefCell::default(),
        };
        (Rc::new(process), queue)
    }

    /// It has run for so long that it may call others dead.
    pub fn grow_old(&self) {
        self.is_old.set(true);
        let now = Instant::now();
        for age in [2, 1, 0] {
            self.peers.beaten(Vec::new(), now - DEAD_AFTER / 2 * age);
        }
    }

    /// Whether the actor handles a message.
    pub fn is_busy(&self) -> bool {
        self.is_busy.get()
    }

    /// The actor handles a message from now on.
    pub fn take(self: &Rc<Self>) -> Busy {
        assert!(!self.is_busy.replace(true), "two messages at once");
        Busy(Rc::clone(self))
    }

    /// An idle actor is stopped.
    pub fn passivate(&self) {
        let idle = |actor: &Shared| !actor.borrow().is_at_work();
        if !self.is_busy() && self.actor.borrow().as_ref().is_some_and(idle) {
            self.stop_actor();
        }
    }

    pub fn stop_actor(&self) {
        if let Some(actor) = self.actor.borrow_mut().take() {
            let mut actor = actor.borrow_mut();
            actor.is_stopped = true;
            actor.doubt = None;
        }
    }

    pub fn live(&self) -> Option<Shared> {
        self.actor.borrow().clone()
    }

    /// The actor, which is started if there is none.
    pub async fn actor(&self) -> Result<Shared, Absent> {
        if let Some(actor) = self.live() {
            return Ok(actor);
        }
        let asked_late = self.ledger.borrow().erased;
        let opened = open(self.id, None, self.journal.clone()).await?;
        let opened = opened.ok_or(Absent::Unavailable)?;
        self.ledger.borrow().has_read(&opened.events, asked_late);
        let actor = Rc::new(RefCell::new(Actor::new(opened)));
        *self.actor.borrow_mut() = Some(Rc::clone(&actor));
        Ok(actor)
    }

    /// Reads the session, if another replica may have written to it since it was read.
    pub async fn refresh(&self, actor: &Shared) -> Result<(), Absent> {
        if actor.borrow().is_current() {
            return Ok(());
        }
        self.look(actor).await
    }

    /// Reads the session if it has changed, unless a turn runs here.
    pub async fn look(&self, actor: &Shared) -> Result<(), Absent> {
        if actor.borrow().is_at_work() {
            return Ok(());
        }
        let asked_late = self.ledger.borrow().erased;
        let known = Some(*actor.borrow().session.version());
        match open(self.id, known, self.journal.clone()).await {
            Ok(Some(opened)) => {
                self.ledger.borrow().has_read(&opened.events, asked_late);
                actor.borrow_mut().catch_up(opened);
            }
            Ok(None) => assert!(!asked_late, "an erased session was found unchanged"),
            Err(absent) => {
                if absent != Absent::Unavailable {
                    self.stop_actor();
                }
                return Err(absent);
            }
        }
        Ok(())
    }

    /// A letter for `actor`, which hears of it as soon as it is not busy.
    pub fn post(self: &Rc<Self>, actor: Shared, letter: Letter) {
        self.letters.borrow_mut().push((actor, letter));
        self.hear();
    }

    fn hear(self: &Rc<Self>) {
        if self.is_busy() {
            return;
        }
        let letters = std::mem::take(&mut *self.letters.borrow_mut());
        for (actor, letter) in letters {
            if !actor.borrow().is_stopped {
                self.heard(&actor, letter);
            }
        }
    }

    /// What it shows is a beginning of the journal.
    pub fn check(&self) {
        let ledger = self.ledger.borrow();
        if let Some(actor) = self.live().filter(|_| !ledger.erasing) {
            ledger.is_beginning(&actor.borrow().shown);
        }
    }

    /// Its memory is gone.
    pub fn crash(&self) {
        self.stop_actor();
        self.letters.borrow_mut().clear();
        drop(self.spawned());
    }

    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.spawned.borrow_mut().push(Box::pin(work));
    }

    pub fn spawned(&self) -> Vec<Work> {
        std::mem::take(&mut *self.spawned.borrow_mut())
    }
}

/// While it is held, the actor hears nothing. Then it hears what came meanwhile.
#[must_use]
pub struct Busy(Rc<Process>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.is_busy.set(false);
        self.0.hear();
    }
}

//! What was done, what was promised, and what must hold.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    archive::Stored,
    domain::{ErrorCode, Event, Fact, Head, Part, SessionId, TurnId},
};

/// The session of a seed as it has been seen in the archive, step by step.
#[derive(Default)]
pub struct Ledger {
    pub events: Vec<Event>,
    head: Option<Head>,
    owner_epoch: u64,
    open: Option<TurnId>,
    ended: HashSet<TurnId>,
    /// All turns that a process has ever tried to begin or to deliver.
    tried: HashMap<TurnId, Tried>,
    /// The turn of each key that is in the journal.
    keys: HashMap<String, TurnId>,
    promised: HashMap<String, TurnId>,
    /// Processes that crashed or that others may have taken for dead.
    pub doubtful: BTreeSet<String>,
    pub created: bool,
    pub erasing: bool,
    pub erased: bool,
    /// What happened, for a seed that is run alone.
    pub diary: Option<Vec<String>>,
    /// For tests of the tests: how many of each happened.
    pub counts: Counts,
}

struct Tried {
    key: String,
    process: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub promises: usize,
    pub commits: usize,
    pub outrun: usize,
    pub replayed: usize,
    pub late: usize,
    pub crashes: usize,
    pub takeovers: usize,
    pub interrupted: usize,
    pub erasures: usize,
    pub events: usize,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.promises += other.promises;
        self.commits += other.commits;
        self.outrun += other.outrun;
        self.replayed += other.replayed;
        self.late += other.late;
        self.crashes += other.crashes;
        self.takeovers += other.takeovers;
        self.interrupted += other.interrupted;
        self.erasures += other.erasures;
        self.events += other.events;
    }

    /// Whether everything that is meant to happen has happened.
    pub fn has_seen_all(&self) -> bool {
        let Self { promises, commits, outrun, replayed, late, .. } = *self;
        let Self { crashes, takeovers, interrupted, erasures, events, .. } = *self;
        let first = [promises, commits, outrun, replayed, late];
        let second = [crashes, takeovers, interrupted, erasures, events];
        first.iter().chain(&second).all(|count| *count > 0)
    }
}

impl Ledger {
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(diary) = &mut self.diary {
            diary.push(what());
        }
    }

    pub fn tries(&mut self, turn: TurnId, key: &str, process: &str) {
        self.tried.insert(turn, Tried { key: key.into(), process: process.into() });
    }

    /// A client was told that the message with `key` began `turn`.
    pub fn promise(&mut self, key: &str, turn: TurnId) {
        self.counts.promises += 1;
        if self.erasing {
            return;
        }
        let earlier = *self.promised.entry(key.into()).or_insert(turn);
        assert_eq!(earlier, turn, "{key} was acknowledged as two turns");
        assert_eq!(self.keys.get(key), Some(&turn), "{key} was acknowledged and is not there");
    }

    /// Somebody has read the whole session. `asked_late`: after the session had been erased.
    pub fn has_read(&self, events: &[Event], asked_late: bool) {
        assert!(!asked_late, "an erased session was read");
        if !self.erasing {
            self.is_beginning(events);
        }
    }

    /// What a process shows is a beginning of the journal.
    pub fn is_beginning(&self, events: &[Event]) {
        let whole = self.events.get(..events.len());
        assert_eq!(whole, Some(events), "what was read is no beginning of the journal");
    }

    /// The archive after a step: where the session stands there, and its newest events.
    pub fn observe(&mut self, id: SessionId, stored: Option<Stored>) {
        let Some(Stored { meta, version, events, .. }) = stored else {
            assert!(self.erasing || !self.created, "the session is gone");
            return;
        };
        assert!(!self.erased, "an erased session is there");
        let known = self.events.len() as u64;
        let (old, new): (Vec<_>, Vec<_>) = events.into_iter().partition(|e| e.seq <= known);
        assert!(self.events.ends_with(&old), "the journal was rewritten");
        assert_eq!(version.seq, known + new.len() as u64, "what was there is gone");
        let mut head = self.head.unwrap_or(Head::EMPTY);
        for event in &new {
            assert_eq!((event.session_id, event.seq), (id, self.events.len() as u64 + 1), "a gap");
            head = head.then(&serde_json::to_string(event).unwrap());
            self.take_in(event);
            self.events.push(event.clone());
        }
        self.head = Some(head);
        assert_eq!(version.head, head, "the head is not that of the events");
        assert_eq!(meta.last_seq, version.seq);
        assert_eq!(version.open_turn, self.open, "open_turn is not that of the events");
        assert!(version.owner_epoch >= self.owner_epoch, "the owner's epoch went back");
        self.counts.takeovers += usize::from(version.owner_epoch > self.owner_epoch);
        self.owner_epoch = version.owner_epoch;
    }

    fn take_in(&mut self, event: &Event) {
        self.counts.events += 1;
        let turn = event.turn_id;
        let tried = self.tried.get(&turn).expect("nobody began this turn");
        assert!(!self.ended.contains(&turn), "a turn goes on behind its end");
        let is_delivery = event.fact.part() == Part::Ends && self.open != Some(turn);
        if event.fact.part() == Part::Begins || is_delivery {
            assert_eq!(self.open, None, "two turns at once");
            let before = self.keys.insert(tried.key.clone(), turn);
            assert_eq!(before, None, "{} began two turns", tried.key);
            self.open = Some(turn);
        }
        if event.fact.part() == Part::Ends {
            self.open = None;
            self.ended.insert(turn);
        }
        if let Fact::TurnFailed { problem, .. } = &event.fact
            && problem.code == ErrorCode::Interrupted
        {
            self.counts.interrupted += 1;
            let may_be = self.erasing || self.doubtful.contains(&tried.process);
            assert!(may_be, "the turn of a living process was ended by another");
        }
    }

    /// Turns that were begun and have no end.
    pub fn unfinished(&self) -> Option<TurnId> {
        self.open
    }

    pub fn keys(&self) -> &HashMap<String, TurnId> {
        &self.keys
    }
}

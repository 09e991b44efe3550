//! One step of a session, and a copy of a session: what stores take and give.

use super::{
    event::{Event, Fact, Part},
    session::{IdempotencyRecord, Running, SessionMeta},
};

/// What one step of a session adds: all of it becomes durable, or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// As it is after the step: `last_seq` is `expected_seq + events.len()`.
    pub meta: SessionMeta,
    pub expected_seq: u64,
    /// Numbered from `expected_seq + 1` without gaps. With none, only `running` changes: `meta`
    /// must then carry nothing new and `idempotency` must be `None`, for nothing reaches the
    /// archive.
    pub events: Vec<Event>,
    pub idempotency: Option<IdempotencyRecord>,
    pub running: RunningChange,
}

/// What a step says of the turn that a session is answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunningChange {
    Keep,
    Start(Running),
    Clear,
}

/// How an append ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Done,
    /// The idempotency key was already there; nothing was written.
    Replayed(IdempotencyRecord),
    /// Another writer was first; nothing was written.
    Conflict {
        last_seq: u64,
    },
    /// The session is not in the hot store: restore it, then try again.
    Missing,
}

/// A session as one store has it, to be given to another.
#[derive(Clone)]
pub struct SessionCopy {
    pub meta: SessionMeta,
    /// Ascending and without gaps up to `meta.last_seq`. A copy that another store already has in
    /// part holds the newest events only.
    pub events: Vec<Event>,
    /// Records of the turns among `events`.
    pub idempotency: Vec<IdempotencyRecord>,
}

/// Why a step or a copy cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("events have a gap")]
    Gap,
    #[error("meta.last_seq does not fit the appended events")]
    LastSeq,
    #[error("an idempotency record needs an event")]
    RecordWithoutEvent,
}

impl Append {
    /// Adds the end of the turn that this begins: one step instead of two.
    pub fn answer(&mut self, fact: Fact) {
        let Some(message) = self.events.last() else { return };
        let end = Event { seq: message.seq + 1, fact, ..message.clone() };
        self.meta.last_seq = end.seq;
        self.events.push(end);
        self.running = RunningChange::Clear;
    }

    /// # Errors
    /// Where the events are not numbered from `expected_seq + 1` to `meta.last_seq`.
    pub fn check(&self) -> Result<(), Malformed> {
        let last = self.expected_seq + self.events.len() as u64;
        if self.meta.last_seq != last {
            return Err(Malformed::LastSeq);
        }
        if self.events.is_empty() && self.idempotency.is_some() {
            return Err(Malformed::RecordWithoutEvent);
        }
        check_gapless(&self.events, last)
    }
}

impl SessionCopy {
    /// A session in which nothing was said.
    pub fn empty(meta: &SessionMeta) -> Self {
        Self { meta: meta.clone(), events: Vec::new(), idempotency: Vec::new() }
    }

    /// # Errors
    /// Where the events are not a tail without gaps that ends with `meta.last_seq`.
    pub fn check(&self) -> Result<(), Malformed> {
        check_gapless(&self.events, self.meta.last_seq)
    }

    /// Each record with the `seq` of the message that it belongs to, ascending.
    pub fn records(&self) -> impl Iterator<Item = (u64, &IdempotencyRecord)> {
        let messages = self.events.iter().filter(|event| event.fact.part() == Part::Begins);
        messages.filter_map(|event| {
            let of_turn = |record: &&IdempotencyRecord| record.turn_id == event.turn_id;
            Some((event.seq, self.idempotency.iter().find(of_turn)?))
        })
    }
}

impl From<&Append> for SessionCopy {
    fn from(append: &Append) -> Self {
        Self {
            meta: append.meta.clone(),
            events: append.events.clone(),
            idempotency: append.idempotency.iter().cloned().collect(),
        }
    }
}

/// Names and counts only.
impl std::fmt::Debug for SessionCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionCopy({}, {} events)", self.meta.id, self.events.len())
    }
}

/// # Errors
/// Where `events` are not numbered without gaps up to `last_seq`.
pub fn check_gapless(events: &[Event], last_seq: u64) -> Result<(), Malformed> {
    let mut expected = last_seq.checked_sub(events.len() as u64);
    for event in events {
        expected = expected.map(|seq| seq + 1);
        if expected != Some(event.seq) {
            return Err(Malformed::Gap);
        }
    }
    Ok(())
}

//! One step of a session, and where a session stands: what the journal writes and compares.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use super::{
    action::{ActionOutcome, Decided, Draft},
    event::{Event, Fact, Part},
    handoff::People,
    ids::TurnId,
    session::{IdempotencyRecord, SessionMeta},
};

/// A hash over the stored bytes of all events of a session, each hashed with the head before it
/// (SHA-256). Two journals with the same `seq` and head hold the same events.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head([u8; 32]);

impl Head {
    /// The head of a session without events.
    pub const EMPTY: Self = Self([0; 32]);

    /// The head after one more event, given as it is stored.
    #[must_use]
    pub fn then(self, payload: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(payload).finalize().into())
    }
}

/// Lowercase hex.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..4]))
    }
}

impl FromStr for Head {
    type Err = hex::FromHexError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// Where a session stands. An append takes effect only where it finds the version that it starts
/// from, so of two writers one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Grows by one each time that a replica becomes the owner. It is not the public epoch of
    /// [`SessionMeta`].
    pub owner_epoch: u64,
    /// `seq` of the newest event.
    pub seq: u64,
    pub head: Head,
    /// The turn that was begun and has no end yet.
    pub open_turn: Option<TurnId>,
}

impl Version {
    /// A session that was created and has no events and no owner.
    pub const NEW: Self = Self { owner_epoch: 0, seq: 0, head: Head::EMPTY, open_turn: None };
}

/// What one step of a session adds: all of it becomes durable, or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// As it is after the step: `last_seq` is `from.seq + events.len()`.
    pub meta: SessionMeta,
    pub from: Version,
    /// The replica that appends does not own the session: it becomes the owner by this step.
    pub takes_over: bool,
    /// At least one, numbered from `from.seq + 1` without gaps.
    pub events: Vec<Event>,
    pub idempotency: Option<IdempotencyRecord>,
    /// Of the proposals among the events.
    pub drafts: Vec<Draft>,
    /// The message is a decision about a proposal. The step is taken only if that is still open.
    pub decided: Option<Decided>,
}

/// How a turn ended, and what became true with it: one step of a session.
#[derive(Clone, Debug)]
pub struct Ending {
    /// A fact that ends a turn.
    pub end: Fact,
    /// What became of a proposal.
    pub outcome: Option<ActionOutcome>,
    /// What the answer proposes.
    pub drafts: Vec<Draft>,
    /// The handoff that the answer tells of.
    pub people: Vec<People>,
}

impl From<Fact> for Ending {
    fn from(end: Fact) -> Self {
        Self { end, outcome: None, drafts: Vec::new(), people: Vec::new() }
    }
}

impl Ending {
    /// The facts in the order in which they are shown, the end last.
    pub fn facts(&self) -> impl Iterator<Item = Fact> {
        let outcome = self.outcome.iter().cloned().map(Fact::ActionResult);
        let proposed = self.drafts.iter().map(|draft| Fact::ActionProposed(draft.proposal.clone()));
        let people = self.people.iter().cloned().map(Fact::People);
        outcome.chain(proposed).chain(people).chain([self.end.clone()])
    }
}

/// How an append ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The session stands here now, and the replica that appended owns it.
    Done(Version),
    /// The idempotency key was already there; nothing was written.
    Replayed(IdempotencyRecord),
    /// The session no longer stands at `from`; nothing was written. Read it again.
    Outrun,
}

/// Why a step cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("events have a gap")]
    Gap,
    #[error("meta.last_seq does not fit the appended events")]
    LastSeq,
    #[error("a step needs an event")]
    Empty,
}

impl Append {
    /// Adds the end of the turn that this begins: one step instead of two.
    pub fn answer(&mut self, ending: &Ending) {
        let Some(message) = self.events.last().cloned() else { return };
        for (seq, fact) in (message.seq + 1..).zip(ending.facts()) {
            self.meta.last_seq = seq;
            self.meta.take(&fact);
            let epoch = self.meta.epoch;
            self.events.push(Event { seq, epoch, fact, ..message.clone() });
        }
        self.drafts.extend_from_slice(&ending.drafts);
    }

    /// Where the session stands after the step. `payloads` are the events as they are stored.
    pub fn to<'a>(&self, payloads: impl Iterator<Item = &'a str>) -> Version {
        Version {
            owner_epoch: self.from.owner_epoch + u64::from(self.takes_over),
            seq: self.meta.last_seq,
            head: payloads.fold(self.from.head, Head::then),
            open_turn: self.events.iter().fold(self.from.open_turn, |open, event| {
                match event.fact.part() {
                    Part::Begins => Some(event.turn_id),
                    Part::Ends => open.filter(|turn| *turn != event.turn_id),
                    Part::Aside => open,
                }
            }),
        }
    }

    /// # Errors
    /// If the events are not numbered from `from.seq + 1` to `meta.last_seq`, or there are none.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.events.is_empty() {
            return Err(Malformed::Empty);
        }
        if self.meta.last_seq != self.from.seq + self.events.len() as u64 {
            return Err(Malformed::LastSeq);
        }
        let numbers = self.events.iter().map(|event| event.seq);
        if numbers.ne(self.from.seq + 1..=self.meta.last_seq) {
            return Err(Malformed::Gap);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_depends_on_every_event_and_on_their_order() {
        let head = |payloads: &[&str]| payloads.iter().fold(Head::EMPTY, |h, p| h.then(p));
        let all = [head(&["a", "b"]), head(&["b", "a"]), head(&["a"]), head(&["ab"]), Head::EMPTY];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| one != other));
            assert_eq!(one.to_string().parse::<Head>().unwrap(), *one);
        }
        assert!("00".parse::<Head>().is_err());
    }
}

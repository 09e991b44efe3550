//! The protocol that `journal` replaces, as it was built: two stores that may each acknowledge.
//!
//! It is here to show that the search finds what was found in production: a model that is clean
//! for a broken protocol would prove nothing. Only the part that this needs is modelled: an outage
//! of Redis, from which it comes back with everything.
//!
//! * An append goes to the hot copy, or to the archive while Redis is away. Then a *row* in the
//!   archive and a *mark* in the replica say that the hot copy is behind.
//! * Each replica keeps its own *unsaved* events, and saves them while Redis is away.
//! * The *archivist* brings the hot copy to the archive, and the *keeper* makes the two agree.
//! * An open turn that nobody runs is an *orphan*: the replica that opens the session ends it.

use std::fmt;

use crate::{
    faults::{Budget, Fault, Name},
    search::Model,
};

/// Three of the faults of this protocol, each with what would mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// I1: a save must begin where the archive ends.
    ContiguousSave,
    /// I2: a mark counts only while its row is there.
    MarkNeedsRow,
    /// I6: an append to the hot copy compares only `seq`, so a replica without the mark goes on in
    /// a copy that is behind. Mended, the row counts for each replica.
    RowCounts,
    /// I3: the row is read together with the events that it speaks of.
    OneRead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// A reader of the archive sees a gap.
    Gap,
    /// An event stands twice.
    Twice,
    /// A turn that is running was taken for an orphan.
    LivingTurnEnded,
}

/// Places for events; place 0 holds the first `seq`, which is 1.
const PLACES: usize = 10;
/// Events by their `seq`; 0 is none.
type Events = [u8; PLACES];

const REPLICAS: usize = 2;
const FIRST_EVENT: u8 = 1;

#[derive(Clone, Copy, Debug)]
pub struct Today {
    pub budget: Budget,
    pub mended: &'static [Mend],
    pub ignored: &'static [Violation],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    archive: Events,
    /// The row of a session that went on in the archive.
    detached: Option<Row>,
    redis_is_up: bool,
    hot: Hot,
    /// What the archivist has read and not committed yet.
    flushing: Events,
    replicas: [Replica; REPLICAS],
    budget: Budget,
    broken: Option<Violation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    running: Option<Name>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Hot {
    events: Events,
    /// The archive has everything up to this `seq`.
    flushed: u8,
    running: Option<Name>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Replica {
    unsaved: Events,
    has_mark: bool,
    may_begin: bool,
    actor: Actor,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Actor {
    None,
    /// Has read the events of the archive, and reads the row next.
    HasEvents(Events),
    /// Knows the session up to `seq`; `orphan` is the open turn that it must end first.
    Open {
        seq: u8,
        orphan: u8,
    },
    /// Runs its turn.
    Running {
        seq: u8,
    },
}

#[derive(Clone, Copy)]
pub enum Step {
    Open(Name),
    ReadEvents(Name),
    ReadRow(Name),
    Begin(Name),
    End(Name),
    EndOrphan(Name),
    Save(Name),
    Settle(Name),
    Attach(Name),
    Close(Name),
    FlushRead,
    FlushCommit,
    RedisAway,
    RedisBack,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, text) = match self {
            Self::Open(name) => (name, "opens the session"),
            Self::ReadEvents(name) => (name, "reads the events in the archive"),
            Self::ReadRow(name) => (name, "reads the row of the detached session"),
            Self::Begin(name) => (name, "begins its turn"),
            Self::End(name) => (name, "ends its turn"),
            Self::EndOrphan(name) => (name, "ends an orphan"),
            Self::Save(name) => (name, "saves what is unsaved"),
            Self::Settle(name) => (name, "forgets what the archive has"),
            Self::Attach(name) => (name, "makes copy and archive agree"),
            Self::Close(name) => (name, "closes the session"),
            Self::FlushRead => return f.write_str("the archivist reads the copy"),
            Self::FlushCommit => return f.write_str("the archivist commits what it has read"),
            Self::RedisAway => return f.write_str("RedisAway"),
            Self::RedisBack => return f.write_str("Redis is back"),
        };
        write!(f, "{name:?}: {text}")
    }
}

/// The parts of a turn; the turn of replica A has number 1.
const BEGIN: u8 = 0x10;
const END: u8 = 0x20;
const INTERRUPTED: u8 = 0x40;

fn last_seq(events: &Events) -> u8 {
    let last = events.iter().rposition(|event| *event != 0);
    last.map_or(0, |place| place as u8 + 1)
}

/// Number of the turn that is open at the end of the list; 0 is none.
fn open_turn(events: &Events) -> u8 {
    match events.iter().rev().find(|event| **event != 0) {
        Some(event) if event & BEGIN != 0 => event & 0xf,
        _ => 0,
    }
}

fn has_gap(events: &Events) -> bool {
    events[..usize::from(last_seq(events))].contains(&0)
}

fn has_twice(events: &Events) -> bool {
    (1..PLACES).any(|place| events[place] != 0 && events[..place].contains(&events[place]))
}

/// `events` without all up to `seq`.
fn after(events: &Events, seq: u8) -> Events {
    let mut rest = *events;
    rest[..usize::from(seq)].fill(0);
    rest
}

enum Appended {
    Done,
    Conflict,
    Unavailable,
}

impl State {
    fn replica(&self, name: Name) -> &Replica {
        &self.replicas[usize::from(name.0)]
    }

    fn replica_mut(&mut self, name: Name) -> &mut Replica {
        &mut self.replicas[usize::from(name.0)]
    }
}

impl Today {
    fn is_mended(&self, mend: Mend) -> bool {
        self.mended.contains(&mend)
    }

    fn break_if(&self, state: &mut State, condition: bool, violation: Violation) {
        if condition && state.broken.is_none() && !self.ignored.contains(&violation) {
            state.broken = Some(violation);
        }
    }

    fn is_detached(&self, state: &State, name: Name) -> bool {
        let row = state.detached.is_some();
        let mark = state.replica(name).has_mark;
        (mark && (row || !self.is_mended(Mend::MarkNeedsRow)))
            || (row && self.is_mended(Mend::RowCounts))
    }

    /// `Archive::commit`: writes events at their places. False if other events stand there.
    fn commit(&self, state: &mut State, batch: &Events) -> bool {
        let mut pairs = state.archive.iter().zip(batch);
        if pairs.any(|(old, new)| *old != 0 && *new != 0 && old != new) {
            return false;
        }
        for (old, new) in state.archive.iter_mut().zip(batch).filter(|(_, new)| **new != 0) {
            *old = *new;
        }
        true
    }

    /// `Archive::merge`: what is missing from the first place of the batch on moves to the end.
    fn merge(&self, state: &mut State, batch: &Events) {
        let first = batch.iter().position(|event| *event != 0).unwrap_or(PLACES);
        let there = state.archive;
        for event in batch.iter().filter(|event| **event != 0 && !there[first..].contains(event)) {
            let end = usize::from(last_seq(&state.archive));
            if let Some(place) = state.archive.get_mut(end) {
                *place = *event;
            }
        }
    }

    /// `Journal::save`. False if it cannot be done now.
    fn save(&self, state: &mut State, name: Name) -> bool {
        let batch = state.replica(name).unsaved;
        let seq = last_seq(&batch);
        let first = batch.iter().position(|event| *event != 0).unwrap_or(0);
        let is_contiguous = seq == 0 || first <= usize::from(last_seq(&state.archive));
        if !is_contiguous && self.is_mended(Mend::ContiguousSave) {
            return false;
        }
        if !self.commit(state, &batch) {
            state.replica_mut(name).has_mark = true;
            self.merge(state, &batch);
        }
        state.replica_mut(name).unsaved = [0; PLACES];
        true
    }

    /// `Journal::append` of one event behind `seq`.
    fn append(&self, state: &mut State, name: Name, seq: u8, event: u8) -> Appended {
        let is_begin = event & BEGIN != 0;
        let place = usize::from(seq);
        if !self.is_detached(state, name) && state.redis_is_up {
            let hot = &mut state.hot;
            let there = last_seq(&hot.events);
            if there == seq {
                hot.events[place] = event;
                hot.running = is_begin.then_some(name);
                state.replica_mut(name).unsaved[place] = event;
                return Appended::Done;
            }
            if there > seq {
                return Appended::Conflict;
            }
        }
        if !self.save(state, name) {
            return Appended::Unavailable;
        }
        state.replica_mut(name).has_mark = true;
        let there = last_seq(&state.archive);
        if there != seq {
            return if there < seq { Appended::Unavailable } else { Appended::Conflict };
        }
        state.archive[place] = event;
        state.detached = Some(Row { running: is_begin.then_some(name) });
        Appended::Done
    }

    /// What a replica does with a session that it has just read.
    fn opened(&self, name: Name, events: &Events, running: Option<Name>, uncertain: bool) -> Actor {
        let turn = open_turn(events);
        let runs_elsewhere = match running {
            Some(running) => running != name,
            None => uncertain,
        };
        let orphan = if runs_elsewhere { 0 } else { turn };
        Actor::Open { seq: last_seq(events), orphan }
    }

    fn open(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let mut next = *state;
        // After an outage a copy is compared with the archive when it is opened.
        let is_behind = last_seq(&state.archive) > last_seq(&state.hot.events);
        if is_behind && state.redis_is_up {
            next.replica_mut(name).has_mark = true;
        }
        let is_detached = self.is_detached(state, name) || is_behind;
        let (step, actor) = match state.replica(name).actor {
            Actor::None if !is_detached && state.redis_is_up => {
                let Hot { events, running, .. } = state.hot;
                (Step::Open(name), self.opened(name, &events, running, false))
            }
            Actor::None => {
                if !self.save(&mut next, name) {
                    return None;
                }
                let (events, running) = (next.archive, next.detached.and_then(|row| row.running));
                if self.is_mended(Mend::OneRead) || !state.redis_is_up {
                    let uncertain = !state.redis_is_up;
                    (Step::Open(name), self.opened(name, &events, running, uncertain))
                } else {
                    (Step::ReadEvents(name), Actor::HasEvents(events))
                }
            }
            Actor::HasEvents(events) => {
                let running = state.detached.and_then(|row| row.running);
                (Step::ReadRow(name), self.opened(name, &events, running, false))
            }
            Actor::Open { .. } | Actor::Running { .. } => return None,
        };
        next.replica_mut(name).actor = actor;
        Some((step, next))
    }

    /// Ends an orphan, or begins or ends the replica's own turn.
    fn act(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let mut next = *state;
        let own = name.0 + 1;
        let replica = *state.replica(name);
        let (step, seq, event) = match replica.actor {
            Actor::Open { seq, orphan } if orphan != 0 => {
                (Step::EndOrphan(name), seq, INTERRUPTED | orphan)
            }
            Actor::Open { seq, .. } if replica.may_begin && self.is_quiet(state) => {
                (Step::Begin(name), seq, BEGIN | own)
            }
            Actor::Running { seq } => (Step::End(name), seq, END | own),
            _ => return None,
        };
        if usize::from(seq) >= PLACES {
            return None;
        }
        let actor = match self.append(&mut next, name, seq, event) {
            Appended::Done if event & BEGIN != 0 => Actor::Running { seq: seq + 1 },
            Appended::Done => Actor::Open { seq: seq + 1, orphan: 0 },
            Appended::Conflict => Actor::None,
            Appended::Unavailable => return None,
        };
        if event & INTERRUPTED != 0 && !matches!(actor, Actor::None) {
            let runner = state.replica(Name((event & 0xf) - 1)).actor;
            let is_living = matches!(runner, Actor::Running { .. });
            self.break_if(&mut next, is_living, Violation::LivingTurnEnded);
        }
        let replica = next.replica_mut(name);
        replica.may_begin &= event & BEGIN == 0;
        replica.actor = actor;
        Some((step, next))
    }

    /// Turns of two replicas at once are another fault, and not looked for here.
    fn is_quiet(&self, state: &State) -> bool {
        !state.replicas.iter().any(|replica| matches!(replica.actor, Actor::Running { .. }))
    }

    /// `reconcile`: what only the copy has goes to the archive, then the archive's list goes to the
    /// copy.
    fn reconcile(&self, state: &mut State) {
        let unflushed = after(&state.hot.events, state.hot.flushed);
        self.merge(state, &unflushed);
        let running = match state.detached {
            None => state.hot.running,
            Some(row) => row.running,
        };
        state.hot = Hot { events: state.archive, flushed: last_seq(&state.archive), running };
        state.detached = None;
    }

    /// The archivist of any replica, in two steps.
    fn flush(&self, state: &State) -> Option<(Step, State)> {
        let mut next = *state;
        let is_idle = last_seq(&state.flushing) == 0;
        next.flushing = [0; PLACES];
        if is_idle {
            next.flushing = after(&state.hot.events, state.hot.flushed);
            return state.redis_is_up.then_some((Step::FlushRead, next));
        }
        if self.commit(&mut next, &state.flushing) {
            if state.redis_is_up {
                next.hot.flushed = last_seq(&state.flushing).min(last_seq(&state.hot.events));
            }
        } else if state.redis_is_up {
            self.reconcile(&mut next);
        }
        Some((Step::FlushCommit, next))
    }

    fn close(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let mut next = *state;
        let actor = std::mem::replace(&mut next.replica_mut(name).actor, Actor::None);
        matches!(actor, Actor::Open { .. }).then_some((Step::Close(name), next))
    }

    /// The keeper of one replica, for its own marks and for the rows of all.
    fn attach(&self, state: &State, name: Name) -> Option<(Step, State)> {
        if !state.replica(name).has_mark && state.detached.is_none() {
            return None;
        }
        let mut next = *state;
        if !self.save(&mut next, name) {
            return None;
        }
        self.reconcile(&mut next);
        next.replica_mut(name).has_mark = false;
        Some((Step::Attach(name), next))
    }

    fn settle(&self, state: &State, name: Name) -> (Step, State) {
        let mut next = *state;
        let unsaved = &mut next.replica_mut(name).unsaved;
        *unsaved = after(unsaved, last_seq(&state.archive));
        (Step::Settle(name), next)
    }
}

impl Model for Today {
    type State = State;
    type Step = Step;
    type Violation = Violation;

    fn start(&self) -> State {
        let mut events = [0; PLACES];
        events[0] = FIRST_EVENT;
        let actor = Actor::None;
        let unsaved = [0; PLACES];
        State {
            archive: events,
            detached: None,
            redis_is_up: true,
            hot: Hot { events, flushed: 1, running: None },
            flushing: unsaved,
            replicas: [Replica { unsaved, has_mark: false, may_begin: true, actor }; REPLICAS],
            budget: self.budget,
            broken: None,
        }
    }

    fn steps(&self, state: &State, next: &mut Vec<(Step, State)>) {
        for name in (0..REPLICAS as u8).map(Name) {
            next.extend(self.open(state, name));
            next.extend(self.act(state, name));
            next.extend(self.close(state, name));
            if state.redis_is_up {
                next.extend(self.attach(state, name));
                next.push(self.settle(state, name));
            } else {
                let mut saved = *state;
                if self.save(&mut saved, name) {
                    next.push((Step::Save(name), saved));
                }
            }
        }
        next.extend(self.flush(state));
        if state.redis_is_up {
            if let Some(budget) = state.budget.spend(Fault::RedisAway) {
                next.push((Step::RedisAway, State { redis_is_up: false, budget, ..*state }));
            }
        } else {
            next.push((Step::RedisBack, State { redis_is_up: true, ..*state }));
        }
        for (_, next) in next.iter_mut() {
            let archive = next.archive;
            self.break_if(next, has_gap(&archive), Violation::Gap);
            self.break_if(next, has_twice(&archive), Violation::Twice);
        }
    }

    fn broken(&self, state: &State) -> Option<Violation> {
        state.broken
    }

    fn broken_at_rest(&self, _: &State) -> Option<Violation> {
        None
    }
}

//! All steps, and what must hold when all is quiet.

use super::{
    Ack, Rule, Violation,
    redis::{Copy, Server},
    sql::{Owner, Row, Sql},
    state::{Actor, Erasure, MAX_LATE, Phase, RESCUER, ROOM, Replica, State},
    step::Step,
};
use crate::{
    faults::{Budget, Fate, Fault, Name},
    list::List,
    search::{self, Model},
};

#[derive(Clone, Copy, Debug)]
pub struct Journal {
    pub replicas: u8,
    /// Attempts of each replica to become the owner.
    pub attempts: u8,
    /// Events that each replica appends at most.
    pub appends: u8,
    pub start: Start,
    pub ack: Ack,
    pub budget: Budget,
    pub off: &'static [Rule],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The first replica owns a hot session with one event, which is in both stores.
    Hot,
    /// Nobody owns the session, which has one event in SQL.
    Cold,
    /// There is no session. The first replica will make it.
    New,
}

impl Journal {
    /// Two replicas with one attempt and one event each. Only a split needs a replica of Redis.
    pub fn small(start: Start, faults: &[Fault]) -> Self {
        let is_split = faults.contains(&Fault::Split);
        let ack = if is_split { Ack::RedisAndReplica } else { Ack::Redis };
        let budget = Budget::of(faults);
        Self { replicas: 2, attempts: 1, appends: 1, start, ack, budget, off: &[] }
    }
}

const FIRST_EVENT: u8 = 1;
const FIRST_RUN: u8 = 1;
const FIRST_EPOCH: u8 = 1;

impl Start {
    pub const ALL: [Self; 3] = [Self::Hot, Self::Cold, Self::New];
}

impl Journal {
    pub fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }

    /// As `has`, for the rules that speak of replicas of Redis.
    pub fn has_with_replica(&self, rule: Rule) -> bool {
        self.ack == Ack::RedisAndReplica && self.has(rule)
    }

    fn replica(&self, index: usize) -> Replica {
        let takes_part = index < usize::from(self.replicas);
        Replica {
            lives: takes_part,
            seems_dead: !takes_part,
            has_beaten: true,
            has_heard: false,
            side: 0,
            attempts_left: if takes_part { self.attempts } else { 0 },
            appends_left: if takes_part { self.appends } else { 0 },
            actor: Actor::default(),
        }
    }

    fn calls_of(&self, state: &State, name: Name, next: &mut Vec<(Step, State)>) {
        for fate in Fate::ALL {
            next.extend(self.cas(state, name, fate));
            next.extend(self.fence(state, name, fate));
            next.extend(self.put(state, name, fate));
            next.extend(self.append(state, name, fate));
            next.extend(self.cold_append(state, name, fate));
            next.extend(self.cold_write(state, name, fate));
            next.extend(self.flush(state, name, fate));
        }
    }
}

impl Model for Journal {
    type State = State;
    type Step = Step;
    type Violation = Violation;

    fn start(&self) -> State {
        let list = List::EMPTY.with(FIRST_EVENT);
        let owner = Owner { name: Name(0), attempt: u8::MAX };
        let (epoch, run) = (FIRST_EPOCH, FIRST_RUN);
        let mut replicas: [Replica; ROOM] = std::array::from_fn(|index| self.replica(index));
        let (row, copy) = match self.start {
            Start::Hot => {
                let phase = Phase::Hot;
                let attempt = owner.attempt;
                replicas[0].actor = Actor { phase, attempt, run, epoch, list, ..Actor::default() };
                let copy = Copy { run, epoch, list, shown: 1, is_tombstone: false };
                (Some(Row { owner, epoch, run, list }), copy)
            }
            Start::Cold => (Some(Row { owner, epoch, run: 0, list }), Copy::default()),
            Start::New => (None, Copy::default()),
        };
        let seen = if row.is_some() { list } else { List::EMPTY };
        State {
            sql: Sql { is_up: true, row },
            servers: [Server::new(run, copy), Server::default()],
            redis_is_up: true,
            replicas,
            late: [None; MAX_LATE],
            erasure: Erasure::None,
            is_made: self.start != Start::New,
            acknowledged: seen,
            seen,
            budget: self.budget,
            broken: None,
        }
    }

    fn steps(&self, state: &State, next: &mut Vec<(Step, State)>) {
        for name in (0..ROOM as u8).map(Name) {
            if !state.replica(name).lives {
                continue;
            }
            next.extend(self.open(state, name));
            self.calls_of(state, name, next);
            next.extend(self.leave(state, name));
            next.extend(self.heat(state, name));
            next.extend(self.create(state, name));
            next.extend(self.beat(state, name));
            next.extend(self.not_found(state, name));
            next.extend(state.reconnect(name));
            if name != RESCUER {
                next.extend(state.crash(name));
                next.extend(state.declare_dead(name));
            }
        }
        state.store_faults(next);
        state.restarts(next);
        state.splits(next);
        next.extend(state.erase());
        next.extend(state.erase_in_redis());
        next.extend(self.receipt(state));
        self.arrivals(state, next);
        // A step that changes nothing leads nowhere.
        next.retain_mut(|(_, next)| {
            self.read_all(next);
            next != state
        });
    }

    fn broken(&self, state: &State) -> Option<Violation> {
        state.broken
    }

    /// One more replica must be able to become the owner, and must find everything.
    fn broken_at_rest(&self, state: &State) -> Option<Violation> {
        if state.sql.is_erased() || !state.is_made {
            return None;
        }
        let mut fresh = State { budget: Budget::NONE, ..*state };
        let side = state.master();
        let rescuer = fresh.replica_mut(RESCUER);
        *rescuer = Replica { lives: true, seems_dead: false, side, attempts_left: 3, ..*rescuer };
        let is_settled = |state: &State| {
            let phase = state.replica(RESCUER).actor.phase;
            state.broken.is_some() || matches!(phase, Phase::Hot | Phase::Cold)
        };
        match search::reach(self, fresh, is_settled) {
            None => Some(Violation::Stuck),
            Some(state) => state.broken,
        }
    }
}

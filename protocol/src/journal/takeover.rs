//! A replica becomes the owner: the steps of "Becoming the owner".

use super::{
    Rule,
    call::{Call, Reply},
    model::Journal,
    sql::{COLD, ERASED, Owner, Row},
    state::{Actor, Phase, RESCUER, State},
    step::Step,
};
use crate::{
    faults::{Fate, Name},
    list::List,
};

impl Journal {
    /// Learns the run, then reads the row, and asks the owner where it must.
    pub fn open(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let replica = state.replica(name);
        if replica.actor.phase != Phase::None || replica.attempts_left == 0 || !state.sql.is_up {
            return None;
        }
        let server = state.server(replica.side);
        let run = if state.redis_is_up { server.run } else { 0 };
        let row = match state.sql.row {
            Some(row) => row,
            // A copy stands for the row.
            None if run != 0 && server.copy.epoch != 0 && server.copy.run != 0 => {
                let owner = Owner { name: Name(0), attempt: 0 };
                Row { owner, epoch: server.copy.epoch, run: server.copy.run, list: List::EMPTY }
            }
            None if self.may_create(state, name) => {
                let owner = Owner { name, attempt: 0 };
                Row { owner, epoch: 0, run: COLD, list: List::EMPTY }
            }
            None => return None,
        };
        let is_hot = row.run != COLD;
        if row.epoch == ERASED || (is_hot && !self.may_take(state, name, &row, run)) {
            return None;
        }
        let mut next = *state;
        let replica = next.replica_mut(name);
        replica.attempts_left -= 1;
        replica.actor = Actor {
            phase: if is_hot && !self.has(Rule::CasBeforeFence) {
                Phase::Fencing
            } else {
                Phase::Trying
            },
            attempt: replica.attempts_left + 1,
            run,
            epoch: row.epoch,
            was_hot: is_hot,
            list: row.list,
            ..Actor::default()
        };
        Some((Step::Open(name), next))
    }

    /// Whether a hot session may be taken over now.
    fn may_take(&self, state: &State, name: Name, row: &Row, run: u8) -> bool {
        let owner = state.replica(row.owner.name);
        let is_idle = match owner.actor.phase {
            Phase::None => true,
            Phase::Trying => !self.has(Rule::WaitWhileTrying),
            _ => false,
        };
        let is_free = row.owner.name == name || owner.seems_dead || is_idle;
        is_free && run != 0 && (run >= row.run || !self.has(Rule::LaterRun))
    }

    pub fn cas(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let actor = replica.actor;
        if actor.phase != Phase::Trying {
            return None;
        }
        let run = self.run_to_name(state, name);
        let owner = Owner { name, attempt: actor.attempt };
        let (mut next, reply) =
            self.call(state, Call::Cas { seen: actor.epoch, owner, run }, fate)?;
        match reply {
            None => {}
            Some(Reply::Events(events)) => {
                let list = if self.has(Rule::EventsWithCas) { events } else { actor.list };
                let phase = match (actor.was_hot, run) {
                    (true, _) if self.has(Rule::CasBeforeFence) => Phase::Fencing,
                    (_, 0) => Phase::Cold,
                    _ => Phase::Putting,
                };
                let list = if phase == Phase::Putting && actor.was_hot {
                    longer(list, actor.list)
                } else {
                    list
                };
                if phase != Phase::Fencing {
                    next.go_on_from(actor.epoch + 1, list);
                }
                next.is_made |= phase == Phase::Cold;
                let (epoch, seq_in_sql) = (actor.epoch + 1, events.seq() as u8);
                *next.actor_mut(name) = Actor { phase, epoch, run, seq_in_sql, list, ..actor };
            }
            Some(_) => *next.actor_mut(name) = Actor::default(),
        }
        Some((Step::Cas(name, fate), next))
    }

    pub fn fence(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let actor = replica.actor;
        if actor.phase != Phase::Fencing {
            return None;
        }
        let comes_first = !self.has(Rule::CasBeforeFence);
        let epoch = actor.epoch + u8::from(comes_first);
        let run = self.run_to_name(state, name);
        let (mut next, reply) = if self.has(Rule::Fence) {
            self.call(state, Call::Fence { side: replica.side, run, epoch }, fate)?
        } else {
            let copy = state.server(replica.side).copy.list;
            let answers = state.redis_is_up && fate == Fate::Answered;
            (*state, answers.then_some(Reply::Events(copy)))
        };
        match reply {
            None => {}
            Some(Reply::Events(copy)) => {
                let list = longer(actor.list, copy);
                let phase = if comes_first { Phase::Trying } else { Phase::Putting };
                if !comes_first {
                    next.go_on_from(actor.epoch, list);
                }
                *next.actor_mut(name) = Actor { phase, list, ..actor };
            }
            Some(_) => *next.actor_mut(name) = Actor::default(),
        }
        Some((Step::Fence(name, fate), next))
    }

    pub fn put(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let actor = replica.actor;
        if actor.phase != Phase::Putting {
            return None;
        }
        let run = self.run_to_name(state, name);
        let Actor { epoch, list, .. } = actor;
        let waits = self.has_with_replica(Rule::PutWaits);
        let shown = if waits { actor.seq_in_sql } else { list.seq() as u8 };
        let side = replica.side;
        let call = Call::Put { side, run, epoch, list, shown };
        let (mut next, reply) = self.call(state, call, fate)?;
        match reply {
            None => {}
            Some(Reply::Done) if waits && !state.has_redis_replica(side) => {}
            Some(Reply::Done) => {
                if waits {
                    next.server_mut(side).replicated();
                }
                next.is_made = true;
                *next.actor_mut(name) = Actor { phase: Phase::Hot, run, ..actor };
            }
            Some(_) => *next.actor_mut(name) = Actor::default(),
        }
        Some((Step::Put(name, fate), next))
    }

    /// The run that the attempt learnt. Without the rule it learns the run again for each call.
    fn run_to_name(&self, state: &State, name: Name) -> u8 {
        let replica = state.replica(name);
        if self.has(Rule::RunBeforeCas) || !state.redis_is_up {
            replica.actor.run
        } else {
            state.server(replica.side).run
        }
    }

    /// SQL is away: a new session begins in Redis alone, in epoch 1. Nobody else knows its id.
    pub fn create(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let replica = *state.replica(name);
        let is_time = !state.sql.is_up || !self.has(Rule::RowFirst);
        if replica.actor.phase != Phase::None
            || replica.attempts_left == 0
            || !is_time
            || !state.redis_is_up
            || state.sql.row.is_some()
            || !self.may_create(state, name)
        {
            return None;
        }
        let waits = self.has_with_replica(Rule::PutWaits);
        if waits && !state.has_redis_replica(replica.side) {
            return None;
        }
        let mut next = *state;
        let server = next.server_mut(replica.side);
        let run = server.run;
        server.put((run, 1), List::EMPTY, 0, self.checks()).ok()?;
        if waits {
            server.replicated();
        }
        next.is_made = true;
        let replica = next.replica_mut(name);
        replica.attempts_left -= 1;
        let attempt = replica.attempts_left + 1;
        replica.actor = Actor { phase: Phase::Hot, attempt, run, epoch: 1, ..Actor::default() };
        Some((Step::Create(name), next))
    }

    /// Only the first replica makes the session, and once.
    fn may_create(&self, state: &State, name: Name) -> bool {
        name == Name(0) && name != RESCUER && !state.is_made
    }
}

/// What a new owner takes: the copy if it is longer, SQL's list if neither is the beginning of the
/// other.
fn longer(sql: List, copy: List) -> List {
    if copy.starts_with(sql) { copy } else { sql }
}

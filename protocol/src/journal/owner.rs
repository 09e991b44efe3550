//! What an owner does: the rows "all well", "no answer" and "release" of "The roads".

use super::{
    Rule,
    call::{Call, Reply},
    model::Journal,
    sql::{COLD, Owner},
    state::{Actor, Phase, Replica, State},
    step::Step,
};
use crate::{
    faults::{Fate, Name},
    list::Event,
};

impl Journal {
    /// The append in doubt, or else a new one.
    fn next_event(&self, name: Name, replica: &Replica) -> Option<Event> {
        let number = self.appends.checked_sub(replica.appends_left)?;
        match replica.actor.doubt {
            0 if replica.appends_left == 0 => None,
            0 => Some((name.0 + 1) * 16 + number),
            doubt => Some(doubt),
        }
    }

    pub fn append(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let actor = replica.actor;
        if actor.phase != Phase::Hot {
            return None;
        }
        let event = self.next_event(name, replica)?;
        let Actor { run, epoch, list: base, .. } = actor;
        let side = replica.side;
        let call = Call::Append { side, run, epoch, base, event };
        let (mut next, reply) = self.call(state, call, fate)?;
        let waits = self.has_with_replica(Rule::Wait);
        let is_heard = !waits || state.has_redis_replica(side);
        self.begin_append(&mut next, name, event);
        match reply {
            Some(Reply::Done) if is_heard => {
                if waits {
                    next.server_mut(side).replicated();
                }
                self.acknowledge(&mut next, name);
            }
            Some(Reply::Done) | None => self.withdraw(&mut next, name),
            Some(Reply::Fenced) => *next.actor_mut(name) = Actor::default(),
            Some(_) => next.actor_mut(name).phase = Phase::Cooling,
        }
        Some((Step::Append(name, fate), next))
    }

    pub fn cold_append(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let replica = state.replica(name);
        if replica.actor.phase != Phase::Cold {
            return None;
        }
        let event = self.next_event(name, replica)?;
        let mut begun = *state;
        self.begin_append(&mut begun, name, event);
        let (_, next) = self.cold_write_now(&begun, name, fate)?;
        Some((Step::ColdAppend(name, fate), next))
    }

    fn begin_append(&self, next: &mut State, name: Name, event: Event) {
        let replica = next.replica_mut(name);
        if replica.actor.doubt == 0 {
            replica.appends_left -= 1;
            replica.actor.doubt = event;
        }
    }

    fn acknowledge(&self, next: &mut State, name: Name) {
        let actor = next.actor_mut(name);
        if actor.doubt != 0 {
            actor.settle();
            let list = actor.list;
            next.acknowledge(list);
        }
    }

    /// Without the rule, an append in doubt is forgotten and the session goes cold without it.
    fn withdraw(&self, next: &mut State, name: Name) {
        if !self.has(Rule::KeepInDoubt) {
            let actor = next.actor_mut(name);
            actor.doubt = 0;
            actor.phase = Phase::Cooling;
        }
    }

    /// From the first try on, nothing of this epoch goes to Redis any more. Release and passivation
    /// begin in the same way, so an owner may do this at any time.
    pub fn cold_write(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let phase = state.replica(name).actor.phase;
        if !matches!(phase, Phase::Putting | Phase::Hot | Phase::Cooling) {
            return None;
        }
        self.cold_write_now(state, name, fate)
    }

    fn cold_write_now(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let actor = state.replica(name).actor;
        let call = self.write_of(name, &actor, COLD);
        let (mut next, reply) = self.call(state, call, fate)?;
        if actor.phase != Phase::Cold {
            next.actor_mut(name).phase = Phase::Cooling;
        }
        match reply {
            None => {}
            Some(Reply::Done) => {
                next.actor_mut(name).phase = Phase::Cold;
                next.is_made = true;
                self.acknowledge(&mut next, name);
            }
            Some(_) => *next.actor_mut(name) = Actor::default(),
        }
        Some((Step::ColdWrite(name, fate), next))
    }

    fn write_of(&self, name: Name, actor: &Actor, run: u8) -> Call {
        let owner = Owner { name, attempt: actor.attempt };
        // A flush brings what Redis acknowledged, a cold write also what is in doubt.
        let list = if run == COLD { actor.whole() } else { actor.list };
        Call::Write { owner, epoch: actor.epoch, run, list }
    }

    pub fn flush(&self, state: &State, name: Name, fate: Fate) -> Option<(Step, State)> {
        let actor = state.replica(name).actor;
        if actor.phase != Phase::Hot || !state.sql.is_up {
            return None;
        }
        let call = self.write_of(name, &actor, actor.run);
        let (mut next, reply) = self.call(state, call, fate)?;
        if matches!(reply, Some(Reply::Fenced)) {
            *next.actor_mut(name) = Actor::default();
        }
        Some((Step::Flush(name, fate), next))
    }

    /// After a cold write nothing is in doubt, and SQL has everything. An attempt that has fenced
    /// first must give up when SQL is away: its client waits.
    pub fn leave(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let actor = state.replica(name).actor;
        let is_done = actor.phase == Phase::Cold && actor.doubt == 0;
        let fenced_first = !self.has(Rule::CasBeforeFence) && actor.phase == Phase::Trying;
        let gives_up = fenced_first && !state.sql.is_up;
        if !is_done && !gives_up {
            return None;
        }
        let mut next = *state;
        *next.actor_mut(name) = Actor::default();
        Some((Step::Leave(name), next))
    }

    /// Without one of two rules, a cold owner goes back to Redis in its old epoch: it only puts its
    /// events there, or it also sets the row to hot.
    pub fn heat(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let replica = state.replica(name);
        let run = state.server(replica.side).run;
        let actor = Actor { phase: Phase::Putting, run, ..replica.actor };
        let sets_row = !self.has(Rule::ColdOnce);
        if replica.actor.phase != Phase::Cold
            || replica.actor.doubt != 0
            || (self.has(Rule::BackByNewEpoch) && !sets_row)
            || !state.redis_is_up
        {
            return None;
        }
        let mut next = *state;
        if sets_row && (!state.sql.is_up || next.sql.heat(actor.epoch, run).is_err()) {
            return None;
        }
        *next.actor_mut(name) = actor;
        Some((Step::Heat(name), next))
    }
}

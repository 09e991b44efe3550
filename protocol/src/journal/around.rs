//! What happens around the owners: faults, beats, the eraser, 404, and the reader that sees all.

use super::{
    Rule, Violation,
    model::Journal,
    redis::{Copy, Server},
    sql::Owner,
    state::{Actor, Erasure, Phase, RESCUER, Replica, State},
    step::Step,
};
use crate::faults::{
    Fault::{self, *},
    Name,
};

impl State {
    fn spend(&self, fault: Fault) -> Option<Self> {
        Some(Self { budget: self.budget.spend(fault)?, ..*self })
    }

    /// The others know of it at once. Until they do, they only wait.
    pub fn crash(&self, name: Name) -> Option<(Step, Self)> {
        let mut next = self.spend(Crash)?;
        let replica = next.replica_mut(name);
        *replica = Replica {
            lives: false,
            seems_dead: true,
            attempts_left: 0,
            appends_left: 0,
            actor: Actor::default(),
            ..*replica
        };
        Some((Step::Fault(Crash, Some(name)), next))
    }

    pub fn declare_dead(&self, name: Name) -> Option<(Step, Self)> {
        let mut next = self.spend(DeclaredDead)?;
        next.replica_mut(name).seems_dead = true;
        Some((Step::Fault(DeclaredDead, Some(name)), next))
    }

    pub fn reconnect(&self, name: Name) -> Option<(Step, Self)> {
        let mut next = *self;
        let side = self.master();
        let moves = std::mem::replace(&mut next.replica_mut(name).side, side) != side;
        moves.then_some((Step::Reconnect(name), next))
    }

    pub fn store_faults(&self, next: &mut Vec<(Step, Self)>) {
        if self.sql.is_up {
            next.extend(self.spend(SqlAway).map(|mut away| {
                away.sql.is_up = false;
                away.replicas.iter_mut().for_each(|replica| replica.has_beaten = false);
                (Step::Fault(SqlAway, None), away)
            }));
        } else {
            let mut back = *self;
            back.sql.is_up = true;
            next.push((Step::SqlBack, back));
        }
        if self.redis_is_up {
            let away = self.spend(RedisAway);
            next.extend(
                away.map(|away| {
                    (Step::Fault(RedisAway, None), Self { redis_is_up: false, ..away })
                }),
            );
        } else {
            next.push((Step::RedisBack, Self { redis_is_up: true, ..*self }));
        }
    }

    /// The master restarts: a new run, with what was on its disk.
    pub fn restarts(&self, next: &mut Vec<(Step, Self)>) {
        let server = self.server(self.master());
        let before_last = server.rolled_back();
        let restarts = [
            (Restart, Some(server.copy)),
            (RollbackOfFence, before_last.filter(|_| !server.last_write_is_append())),
            (RollbackOfTail, before_last),
            (Emptied, Some(Copy::default())),
        ];
        for (fault, copy) in restarts {
            let (Some(copy), Some(mut restarted)) = (copy, self.spend(fault)) else { continue };
            *restarted.server_mut(self.master()) = Server::new(self.newest_run() + 1, copy);
            next.push((Step::Fault(fault, None), restarted));
        }
    }

    /// A replica of the server becomes the master. All replicas of ours are still connected to the
    /// old one.
    pub fn splits(&self, next: &mut Vec<(Step, Self)>) {
        if self.is_split() {
            return;
        }
        let server = self.server(0);
        for (lags, copy) in [(false, Some(server.copy)), (true, server.behind())] {
            let (Some(copy), Some(mut split)) = (copy, self.spend(Split)) else { continue };
            split.servers[1] = Server::new(self.newest_run() + 1, copy);
            next.push((Step::Split { lags }, split));
        }
    }

    fn newest_run(&self) -> u8 {
        self.servers[0].run.max(self.servers[1].run)
    }

    pub fn erase(&self) -> Option<(Step, Self)> {
        if !self.sql.is_up {
            return None;
        }
        let mut next = self.spend(Fault::Erasure)?;
        next.sql.erase(Owner { name: RESCUER, attempt: 0 });
        next.erasure = Erasure::InSql;
        Some((Step::Fault(Fault::Erasure, None), next))
    }

    pub fn erase_in_redis(&self) -> Option<(Step, Self)> {
        if self.erasure != Erasure::InSql || !self.redis_is_up {
            return None;
        }
        let mut next = Self { erasure: Erasure::InBoth, ..*self };
        next.server_mut(self.master()).erase();
        Some((Step::EraseInRedis, next))
    }

    /// Whether it is so for each replica that counts as living.
    fn all(&self, is_so: fn(&Replica) -> bool) -> bool {
        let mut counted = self.replicas[..ROOM_OF_MOST].iter().filter(|one| !one.seems_dead);
        counted.all(is_so)
    }
}

/// All but the rescuer.
const ROOM_OF_MOST: usize = RESCUER.0 as usize;

impl Journal {
    /// A beat stops the actor of an erased session, and writes the row of a session without one.
    pub fn beat(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let replica = state.replica(name);
        if !state.sql.is_up {
            return None;
        }
        let mut next = *state;
        next.replica_mut(name).has_beaten = true;
        next.replica_mut(name).has_heard = state.sql.is_erased();
        let Actor { phase, attempt, epoch, run, list, .. } = replica.actor;
        if state.sql.is_erased() {
            *next.actor_mut(name) = Actor::default();
        } else if matches!(phase, Phase::Hot | Phase::Cooling) && state.sql.row.is_none() {
            let owner = Owner { name, attempt };
            next.sql.write(owner, epoch, run, list, true).ok()?;
        }
        Some((Step::Beat(name), next))
    }

    pub fn receipt(&self, state: &State) -> Option<(Step, State)> {
        let is_in_stores = state.erasure == Erasure::InBoth
            || (state.erasure == Erasure::InSql && !self.has(Rule::ReceiptAfterBoth));
        let is_heard = state.all(|replica| replica.has_heard) || !self.has(Rule::ReceiptAfterBeats);
        let next = State { erasure: Erasure::Receipt, ..*state };
        (is_in_stores && is_heard).then_some((Step::Receipt, next))
    }

    /// A replica that finds the session in neither store says so.
    pub fn not_found(&self, state: &State, name: Name) -> Option<(Step, State)> {
        let side = state.replica(name).side;
        let is_nowhere = state.sql.row.is_none() && state.server(side).copy.epoch == 0;
        let may_say = state.all(|replica| replica.has_beaten) || !self.has(Rule::WaitBefore404);
        let is_cut_off =
            self.has_with_replica(Rule::NotFoundFromMaster) && !state.has_redis_replica(side);
        let both_answer = state.sql.is_up && state.redis_is_up && !is_cut_off;
        if !state.is_made || !both_answer || !is_nowhere || !may_say {
            return None;
        }
        Some((Step::NotFound(name), State { broken: Some(Violation::NotFound), ..*state }))
    }

    pub fn arrivals(&self, state: &State, next: &mut Vec<(Step, State)>) {
        for (index, late) in state.late.iter().enumerate() {
            let Some(call) = late else { continue };
            let mut arrived = *state;
            arrived.late[index] = None;
            arrived.late.sort_unstable_by_key(Option::is_none);
            self.execute(&mut arrived, call);
            next.push((Step::Arrive(call.name()), arrived));
        }
    }

    /// A replica that has heard of the erasure reads nothing of the session from Redis. Nor does
    /// one that misses its own beats.
    fn refuses_readers(&self, state: &State, replica: &Replica) -> bool {
        state.erasure != Erasure::None
            && self.has_with_replica(Rule::ReadersHearErasures)
            && (replica.has_heard || replica.seems_dead)
    }

    /// The reader looks at everything that can be read now.
    pub fn read_all(&self, state: &mut State) {
        let checks = self.checks();
        let mut feeds_erased = false;
        for side in 0..=state.master() {
            let is_near =
                |one: &Replica| one.lives && one.side == side && !self.refuses_readers(state, one);
            if !state.redis_is_up || !state.replicas[..ROOM_OF_MOST].iter().any(is_near) {
                continue;
            }
            let Some(list) = state.server(side).read(checks) else { continue };
            feeds_erased = true;
            see(state, list);
        }
        if let Some(row) = state.sql.row.filter(|_| state.sql.is_up) {
            see(state, row.list);
        }
        // An owner shows its session from memory.
        let shows = |replica: &Replica| {
            replica.lives && !replica.seems_dead && replica.actor.phase != Phase::None
        };
        feeds_erased |= state.replicas.iter().any(shows);
        let is_leak = state.erasure == Erasure::Receipt && feeds_erased;
        state.break_if(is_leak, Violation::ErasedAndRead);
    }
}

fn see(state: &mut State, list: crate::list::List) {
    let agrees = list.agrees_with(state.seen);
    state.break_if(!agrees, Violation::SeenAndGone);
    if agrees && list.seq() > state.seen.seq() {
        state.seen = list;
    }
}

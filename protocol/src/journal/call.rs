//! One call to a store. It is executed at one moment or not at all, and its answer may be lost.

use super::{
    Rule,
    model::Journal,
    redis::{Checks, Refused},
    sql::{CasChecks, Owner, Run},
    state::State,
};
use crate::{
    faults::Fate,
    list::{Event, List},
};

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Append {
        side: u8,
        run: Run,
        epoch: u8,
        base: List,
        event: Event,
    },
    Fence {
        side: u8,
        run: Run,
        epoch: u8,
    },
    Put {
        side: u8,
        run: Run,
        epoch: u8,
        list: List,
        shown: u8,
    },
    Cas {
        seen: u8,
        owner: Owner,
        run: Run,
    },
    /// Flush, or cold write if `run` is 0.
    Write {
        owner: Owner,
        epoch: u8,
        run: Run,
        list: List,
    },
}

pub enum Reply {
    Done,
    /// The events of SQL, or of the copy.
    Events(List),
    /// A higher epoch is there.
    Fenced,
    /// Redis only: the road has ended for this epoch.
    Lost,
}

impl Call {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Append { .. } => "append",
            Self::Fence { .. } => "fence",
            Self::Put { .. } => "put",
            Self::Cas { .. } => "compare-and-set",
            Self::Write { run: 0, .. } => "cold write",
            Self::Write { .. } => "flush",
        }
    }

    fn is_sql(&self) -> bool {
        matches!(self, Self::Cas { .. } | Self::Write { .. })
    }

    fn store_is_up(&self, state: &State) -> bool {
        if self.is_sql() { state.sql.is_up } else { state.redis_is_up }
    }
}

impl Journal {
    pub fn checks(&self) -> Checks {
        Checks {
            true_run: self.has(Rule::TrueRun),
            copy_in_its_run: self.has(Rule::CopyInItsRun),
            put_lengthens: self.has(Rule::PutLengthens),
            stub: self.has(Rule::Stub),
            read_acknowledged: self.has_with_replica(Rule::ReadAcknowledged),
        }
    }

    pub fn execute(&self, state: &mut State, call: &Call) -> Reply {
        let checks = self.checks();
        let in_redis = |result: Result<Reply, Refused>| match result {
            Ok(reply) => reply,
            Err(Refused::Fenced) => Reply::Fenced,
            Err(Refused::Lost) => Reply::Lost,
        };
        match *call {
            Call::Append { side, run, epoch, base, event } => {
                let done = state.server_mut(side).append((run, epoch), base, event, checks);
                in_redis(done.map(|()| Reply::Done))
            }
            Call::Fence { side, run, epoch } => {
                let events = state.server_mut(side).fence(run, epoch, checks);
                in_redis(events.map(Reply::Events))
            }
            Call::Put { side, run, epoch, list, shown } => {
                let done = state.server_mut(side).put((run, epoch), list, shown, checks);
                in_redis(done.map(|()| Reply::Done))
            }
            Call::Cas { seen, owner, run } => {
                let (runs, epoch) = (self.has(Rule::LaterRun), self.has(Rule::CasOfThisEpoch));
                let events = state.sql.cas(seen, owner, run, CasChecks { runs, epoch });
                events.map_or(Reply::Fenced, Reply::Events)
            }
            Call::Write { owner, epoch, run, list } => {
                let done = state.sql.write(owner, epoch, run, list, self.has(Rule::EpochInSql));
                done.map_or(Reply::Fenced, |()| Reply::Done)
            }
        }
    }

    /// The state after the call met this fate, and the answer if the caller gets one. A store that
    /// is away loses each call.
    pub fn call(&self, state: &State, call: Call, fate: Fate) -> Option<(State, Option<Reply>)> {
        let mut next = State { budget: fate.spend(state.budget)?, ..*state };
        if !call.store_is_up(state) {
            return (fate == Fate::Answered).then_some((next, None));
        }
        if fate == Fate::CallLate {
            *next.late.iter_mut().find(|late| late.is_none())? = Some(call);
        }
        let reply = fate.executes().then(|| self.execute(&mut next, &call));
        Some((next, reply.filter(|_| fate == Fate::Answered)))
    }
}

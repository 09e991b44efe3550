//! The state: two stores, the replicas, calls under way, and what was promised so far.

use super::{
    Violation,
    call::Call,
    redis::Server,
    sql::{Run, Sql},
};
use crate::{
    faults::{Budget, Name},
    list::{Event, List},
};

/// Replicas that a state has room for. The last one comes when the faults are over, to see whether
/// the session can go on.
pub const ROOM: usize = 4;
pub const RESCUER: Name = Name(ROOM as u8 - 1);
/// Calls that are late at one time.
pub const MAX_LATE: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    pub sql: Sql,
    /// The second server exists after a split, and is the newer master.
    pub servers: [Server; 2],
    pub redis_is_up: bool,
    pub replicas: [Replica; ROOM],
    pub late: [Option<Call>; MAX_LATE],
    pub erasure: Erasure,
    /// A client was told that the session is there.
    pub is_made: bool,
    /// The longest list that was acknowledged.
    pub acknowledged: List,
    /// The longest list that could be read.
    pub seen: List,
    pub budget: Budget,
    pub broken: Option<Violation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Erasure {
    None,
    InSql,
    InBoth,
    Receipt,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Replica {
    pub lives: bool,
    /// What the others see in the table of beats.
    pub seems_dead: bool,
    /// It has beaten since the last outage of SQL.
    pub has_beaten: bool,
    /// It has beaten since the erasure began.
    pub has_heard: bool,
    /// The server that it is connected to.
    pub side: u8,
    pub attempts_left: u8,
    pub appends_left: u8,
    pub actor: Actor,
}

/// The actor of the session in one replica. All of it is lost in a crash.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Actor {
    pub phase: Phase,
    pub attempt: u8,
    /// The run that it learnt; 0 if Redis was away.
    pub run: Run,
    /// The epoch that it saw, and from the compare-and-set on its own.
    pub epoch: u8,
    pub was_hot: bool,
    /// `seq` of SQL when it became the owner.
    pub seq_in_sql: u8,
    pub list: List,
    /// The append in doubt; 0 is none.
    pub doubt: Event,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// There is no actor.
    #[default]
    None,
    /// Knows the run and the row, and sends the compare-and-set until it is answered.
    Trying,
    /// Owner in SQL: fences the copy.
    Fencing,
    /// Has all events: puts them into Redis.
    Putting,
    /// Redis acknowledges.
    Hot,
    /// Sends the cold write until it is answered.
    Cooling,
    /// SQL acknowledges.
    Cold,
}

impl State {
    pub fn replica(&self, name: Name) -> &Replica {
        &self.replicas[usize::from(name.0)]
    }

    pub fn replica_mut(&mut self, name: Name) -> &mut Replica {
        &mut self.replicas[usize::from(name.0)]
    }

    pub fn actor_mut(&mut self, name: Name) -> &mut Actor {
        &mut self.replica_mut(name).actor
    }

    /// The server that a replica talks to.
    pub fn server(&self, side: u8) -> &Server {
        &self.servers[usize::from(side)]
    }

    pub fn server_mut(&mut self, side: u8) -> &mut Server {
        &mut self.servers[usize::from(side)]
    }

    pub fn is_split(&self) -> bool {
        self.servers[1].run != 0
    }

    /// The old master has lost its replica.
    pub fn has_redis_replica(&self, side: u8) -> bool {
        side == self.master()
    }

    /// The server that is the master for all but those who are cut off.
    pub fn master(&self) -> u8 {
        u8::from(self.is_split())
    }

    pub fn break_if(&mut self, condition: bool, violation: Violation) {
        if condition && self.broken.is_none() {
            self.broken = Some(violation);
        }
    }

    /// A client hears that the last event of `list` is there.
    pub fn acknowledge(&mut self, list: List) {
        self.break_if(!list.agrees_with(self.acknowledged), Violation::Fork);
        self.break_if(list.has_twice(|one, other| one == other), Violation::Twice);
        if list.starts_with(self.acknowledged) {
            self.acknowledged = list;
        }
    }

    /// The owner of `epoch` goes on from `list`. An attempt that is the owner no more may have an
    /// old list: what it acknowledges would be a fork.
    pub fn go_on_from(&mut self, epoch: u8, list: List) {
        let is_owner = self.sql.row.is_some_and(|row| row.epoch == epoch);
        let is_whole = list.starts_with(self.acknowledged);
        self.break_if(is_owner && !is_whole, Violation::AcknowledgedAndLost);
        self.break_if(is_owner && !list.starts_with(self.seen), Violation::SeenAndGone);
    }
}

impl Actor {
    /// All events that may stand in a store.
    pub fn whole(&self) -> List {
        if self.doubt == 0 { self.list } else { self.list.with(self.doubt) }
    }

    /// The append in doubt is done.
    pub fn settle(&mut self) {
        self.list = self.whole();
        self.doubt = 0;
    }
}

//! `store.ack = "redis"`: one owner per session, fenced in SQL and in Redis.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `sql` | the row and the statements: compare-and-set, flush, cold write |
//! | `redis` | a server with its run and its copy, and the scripts |
//! | `call` | one call to a store, and what may happen to it |
//! | `state` | the whole state, and what each actor knows |
//! | `takeover` | a replica becomes the owner |
//! | `owner` | the owner appends, flushes, leaves Redis and stops |
//! | `around` | faults, beats, the eraser, readers |
//! | `model` | all steps, and what is checked when all is quiet |
//!
//! A turn has one event here, since nothing in this half speaks of open turns. The rules about them
//! are in [`crate::cold`].
//!
//! A reader is not a process. After each step it reads all that can be read: the copy on each
//! server that a living replica is connected to, and the row. It has seen the longest of these
//! lists. No other reader can see more.
//!
//! Left out: the questions to a living owner, which here stops by itself at any time; the bounds of
//! tails; several shards.

mod around;
mod call;
mod model;
mod owner;
mod redis;
mod sql;
mod state;
mod step;
mod takeover;

pub use self::{
    model::{Journal, Start},
    state::State,
    step::Step,
};
use crate::faults::Fault;

/// The rules that can be switched off, in the order of "What fails without each rule".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The events of SQL are read with the compare-and-set, and not before it.
    EventsWithCas,
    /// An append without an answer is written before anything else.
    KeepInDoubt,
    /// A cold session goes back to Redis only in a new epoch.
    BackByNewEpoch,
    /// The row of a cold epoch is never set to hot again.
    ColdOnce,
    /// The new owner fences the copy, and does not only read it.
    Fence,
    /// Flush and cold write compare the epoch.
    EpochInSql,
    /// The compare-and-set comes before the fence.
    CasBeforeFence,
    /// A replica that is just becoming the owner answers "wait", not "not mine".
    WaitWhileTrying,
    /// A put into the same epoch and run may only lengthen the copy.
    PutLengthens,
    /// The run is learnt before the compare-and-set and named by each later script.
    RunBeforeCas,
    /// Scripts compare the run that they name with the run of the server.
    TrueRun,
    /// `read.lua` compares the run of the copy with the run of the server.
    CopyInItsRun,
    /// The fence leaves a stub where there is no copy.
    Stub,
    /// The receipt of an erasure waits for Redis.
    ReceiptAfterBoth,
    /// The receipt of an erasure waits for a beat of each living replica.
    ReceiptAfterBeats,
    /// The row of a new session is there before its copy.
    RowFirst,
    /// No 404 before each living replica has beaten since the last outage of SQL.
    WaitBefore404,
    /// A session is taken over only in the run of the row or a later one.
    LaterRun,
    /// An append is acknowledged when a replica of Redis has it. Only with
    /// [`Ack::RedisAndReplica`].
    Wait,
    /// A repeated compare-and-set is known by its owner and its epoch. An erasure between the two
    /// leaves the owner, and raises the epoch.
    CasOfThisEpoch,
    /// `read.lua` leaves out what its owner does not call acknowledged yet. Only with
    /// [`Ack::RedisAndReplica`].
    ReadAcknowledged,
    /// A put counts only when a replica of Redis has it, and shows only what is in SQL. Only with
    /// [`Ack::RedisAndReplica`].
    PutWaits,
    /// 404 only from a master that a replica of Redis confirms: an old master does not know the
    /// newest sessions. Only with [`Ack::RedisAndReplica`].
    NotFoundFromMaster,
    /// A beat also stops the readers of an erased session. Only with [`Ack::RedisAndReplica`].
    ReadersHearErasures,
}

/// `store.ack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// One server of Redis.
    Redis,
    /// A replica of Redis may become the master, and confirms each append: `WAIT 1`.
    RedisAndReplica,
}

/// The faults that are known to lose events: the owner is dead, or taken for dead, and Redis loses
/// what SQL does not have yet. That is the tail, or a session that was made while SQL was away.
pub fn is_beyond(start: Start, faults: &[Fault]) -> bool {
    let has = |fault| faults.contains(&fault);
    let loses_tail = has(Fault::RollbackOfTail) || has(Fault::Emptied);
    let loses_session = start == Start::New && has(Fault::SqlAway) && has(Fault::RollbackOfFence);
    (has(Fault::Crash) || has(Fault::DeclaredDead)) && (loses_tail || loses_session)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// An owner goes on from a list without an acknowledged event.
    AcknowledgedAndLost,
    /// Two owners acknowledged different events at one `seq`.
    Fork,
    /// An event stands twice.
    Twice,
    /// What a reader saw is not the beginning of what came later.
    SeenAndGone,
    /// An erased session can be read after its receipt.
    ErasedAndRead,
    /// 404 for a session that lives.
    NotFound,
    /// The faults are over, and no replica can become the owner.
    Stuck,
}

//! `store.ack = "sql"`: the cold half alone. No epoch becomes hot, and Redis acknowledges nothing.
//!
//! Each append is one statement, a compare-and-set on the row's epoch, `seq`, `head` and open turn.
//! A replica that is not the owner becomes it in the same statement, which raises the epoch by one.
//!
//! * An open turn of a living owner blocks strangers. An open turn of a dead owner is ended by the
//!   replica that takes the session over.
//! * An append without an answer is sent again with the same bytes, until the row has it or has
//!   gone on without it.
//!
//! A reader is not modelled as a process. It may read the row at any time, so it has seen every
//! list that ever stood there: each statement must only lengthen the list.

mod model;
mod row;

pub use self::{
    model::{Cold, State, Step},
    row::Row,
};

/// The rules that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The statement compares the epoch. An erasure leaves the largest epoch behind.
    Epoch,
    /// The statement compares `seq`. The head implies it: without this rule alone nothing fails.
    Seq,
    /// The statement compares `head`, a hash of the whole list.
    Head,
    /// The statement compares the open turn, and a replica that is refused looks at it again.
    OpenTurn,
    /// An append is sent again with the same bytes.
    SameBytes,
    /// An append without an answer is never given up. If it is, it may stand there as a turn that
    /// no actor runs.
    KeepInDoubt,
    /// Only the open turn of a dead owner may be ended by a stranger.
    LivingOwner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Violation {
    /// An owner was told that an event stands in the row, and it does not.
    AcknowledgedAndLost,
    /// An event stands behind events that its owner does not know.
    BehindUnknownEvents,
    /// One request stands twice.
    Twice,
    /// A turn began in an open turn, or has two ends.
    TurnsMixed,
    /// A turn of a living owner was ended by a stranger.
    LivingTurnEnded,
    /// A list that a reader may have seen is not the beginning of the new one.
    SeenAndGone,
    /// An erased session has events.
    ErasedAndThere,
    /// The faults are over, and no replica can append.
    Stuck,
}

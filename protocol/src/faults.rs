//! What may go wrong, and how often in one run.

use std::fmt;

use Fault::{
    AnswerLost, CallLate, CallLost, Crash, DeclaredDead, Emptied, Erasure, RedisAway, Restart,
    RollbackOfFence, RollbackOfTail, Split, SqlAway, SqlRollback,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A call is executed and its answer does not arrive.
    AnswerLost,
    /// A call is not executed, and the caller does not learn it.
    CallLost,
    /// The caller gives the call up, and it is executed at any later time.
    CallLate,
    /// Redis does not answer for a while; it keeps everything.
    RedisAway,
    /// SQL does not answer for a while.
    SqlAway,
    /// Redis restarts with all that it acknowledged: `appendfsync always`.
    Restart,
    /// Redis restarts without its last write, which was no append.
    RollbackOfFence,
    /// Redis restarts without its last write.
    RollbackOfTail,
    /// Redis restarts with nothing.
    Emptied,
    /// A replica of Redis becomes the master while the old master goes on.
    Split,
    /// A replica ends without a word.
    Crash,
    /// A replica lives and acts, and the others take it for dead.
    DeclaredDead,
    /// No fault, but rare as one: somebody erases the session.
    Erasure,
    /// Beyond what the protocol assumes: SQL returns to an earlier state.
    SqlRollback,
}

/// What may happen to one call and to one replica, and an erasure.
pub const OF_CALLS: [Fault; 6] = [AnswerLost, CallLost, CallLate, Crash, DeclaredDead, Erasure];

/// All but [`SqlRollback`]: SQL is assumed to be durable.
pub const OF_STORES: [Fault; 13] = [
    AnswerLost,
    CallLost,
    CallLate,
    RedisAway,
    SqlAway,
    Restart,
    RollbackOfFence,
    RollbackOfTail,
    Emptied,
    Split,
    Crash,
    DeclaredDead,
    Erasure,
];

const FAULTS: [Fault; 14] = [
    AnswerLost,
    CallLost,
    CallLate,
    RedisAway,
    SqlAway,
    Restart,
    RollbackOfFence,
    RollbackOfTail,
    Emptied,
    Split,
    Crash,
    DeclaredDead,
    Erasure,
    SqlRollback,
];

/// How often each fault may still happen: two bits for each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Budget(u32);

impl Budget {
    pub const NONE: Self = Self(0);

    pub fn of(faults: &[Fault]) -> Self {
        Self(faults.iter().map(|fault| 1 << (2 * *fault as u32)).sum())
    }

    fn left(self, fault: Fault) -> u32 {
        self.0 >> (2 * fault as u32) & 3
    }

    pub fn allows(self, fault: Fault) -> bool {
        self.left(fault) > 0
    }

    /// The budget after this fault, if the fault may happen.
    pub fn spend(self, fault: Fault) -> Option<Self> {
        self.allows(fault).then(|| Self(self.0 - (1 << (2 * fault as u32))))
    }
}

/// All ways to choose `number` of these faults; one may be chosen more than once.
pub fn choices(faults: &[Fault], number: usize) -> Vec<Vec<Fault>> {
    let Some((first, rest)) = faults.split_first() else {
        return if number == 0 { vec![vec![]] } else { vec![] };
    };
    if number == 0 {
        return vec![vec![]];
    }
    let with_first = choices(faults, number - 1).into_iter().map(|more| {
        let mut chosen = vec![*first];
        chosen.extend(more);
        chosen
    });
    with_first.chain(choices(rest, number)).collect()
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |fault: Fault| std::iter::repeat_n(fault, self.left(fault) as usize);
        f.debug_list().entries(FAULTS.into_iter().flat_map(times)).finish()
    }
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    Answered,
    AnswerLost,
    CallLost,
    CallLate,
}

impl Fate {
    pub const ALL: [Self; 4] = [Self::Answered, Self::AnswerLost, Self::CallLost, Self::CallLate];

    /// The budget after this fate.
    pub fn spend(self, budget: Budget) -> Option<Budget> {
        match self {
            Self::Answered => Some(budget),
            Self::AnswerLost => budget.spend(AnswerLost),
            Self::CallLost => budget.spend(CallLost),
            Self::CallLate => budget.spend(CallLate),
        }
    }

    /// Whether the store executes the call now.
    pub fn executes(self) -> bool {
        matches!(self, Self::Answered | Self::AnswerLost)
    }
}

/// A replica, named in traces by a letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(pub u8);

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", char::from(b'A' + self.0))
    }
}

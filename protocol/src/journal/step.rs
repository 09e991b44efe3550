//! What a trace is made of.

use std::fmt;

use crate::faults::{Fate, Fault, Name};

#[derive(Clone, Copy)]
pub enum Step {
    /// Learns the run of Redis, reads the row, and asks a living owner.
    Open(Name),
    Cas(Name, Fate),
    Fence(Name, Fate),
    Put(Name, Fate),
    Append(Name, Fate),
    ColdAppend(Name, Fate),
    Flush(Name, Fate),
    ColdWrite(Name, Fate),
    /// Sets the row of a cold epoch to hot; only without a rule.
    Heat(Name),
    Leave(Name),
    Create(Name),
    Beat(Name),
    Reconnect(Name),
    NotFound(Name),
    Arrive(&'static str),
    SqlBack,
    RedisBack,
    EraseInRedis,
    Receipt,
    Fault(Fault, Option<Name>),
    /// A split whose new master has all, or all but the last write.
    Split {
        lags: bool,
    },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, text, fate) = match self {
            Self::Open(name) => (name, "learns the run and reads the row", None),
            Self::Cas(name, fate) => (name, "compare-and-set", Some(fate)),
            Self::Fence(name, fate) => (name, "fence", Some(fate)),
            Self::Put(name, fate) => (name, "put", Some(fate)),
            Self::Append(name, fate) => (name, "append in Redis", Some(fate)),
            Self::ColdAppend(name, fate) => (name, "append in SQL", Some(fate)),
            Self::Flush(name, fate) => (name, "flush", Some(fate)),
            Self::ColdWrite(name, fate) => (name, "cold write", Some(fate)),
            Self::Heat(name) => (name, "sets the cold epoch to hot", None),
            Self::Leave(name) => (name, "stops its actor", None),
            Self::Create(name) => (name, "makes the session in Redis", None),
            Self::Beat(name) => (name, "beats", None),
            Self::Reconnect(name) => (name, "connects to the new master", None),
            Self::NotFound(name) => (name, "answers 404", None),
            Self::Fault(fault, Some(name)) => return write!(f, "{fault:?} of {name:?}"),
            Self::Fault(fault, None) => return write!(f, "{fault:?}"),
            Self::Arrive(call) => return write!(f, "the late {call} is executed"),
            Self::SqlBack => return f.write_str("SQL is back"),
            Self::RedisBack => return f.write_str("Redis is back"),
            Self::EraseInRedis => return f.write_str("tombstone in Redis"),
            Self::Receipt => return f.write_str("receipt of the erasure"),
            Self::Split { lags: true } => return f.write_str("Split without the last write"),
            Self::Split { lags: false } => return f.write_str("Split with everything"),
        };
        write!(f, "{name:?}: {text}")?;
        match fate {
            None | Some(Fate::Answered) => Ok(()),
            Some(fate) => write!(f, ", {fate:?}"),
        }
    }
}

//! Names of the Redis keys. Everything of a session lies in the slot of its shard, so one script
//! may touch all of it.

use super::session::SHARDS;
use crate::domain::{PrincipalId, SessionId};

/// The shard of a session. The low bits of a UUIDv7 are random, and every replica must agree on
/// them for ever.
pub fn shard_of(id: SessionId) -> u16 {
    (id.0.as_u128() % u128::from(SHARDS)) as u16
}

/// Makes names under one prefix.
pub struct Keys {
    prefix: String,
}

/// The keys of a session; all but the last are made, kept and expired together.
pub struct SessionKeys {
    /// Hash: `meta` and `running` as JSON, `seq` and `flushed` as numbers.
    pub meta: String,
    /// List of events as JSON; the last one has the number `seq`.
    pub events: String,
    /// Hash: idempotency key to record as JSON.
    pub records: String,
    /// Sorted set: idempotency key by the `seq` of its append, so that old records can be found.
    pub order: String,
    /// Set: replicas that want to hear of the session.
    pub watchers: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub fn session(&self, id: SessionId) -> SessionKeys {
        let base = format!("{}:{{{}}}:s:{id}", self.prefix, shard_of(id));
        SessionKeys {
            meta: format!("{base}:meta"),
            events: format!("{base}:events"),
            records: format!("{base}:idem"),
            order: format!("{base}:idem-order"),
            watchers: format!("{base}:watchers"),
        }
    }

    /// Sorted set: session id by the time of its dirty mark.
    pub fn dirty(&self, shard: u16) -> String {
        format!("{}:{{{shard}}}:dirty", self.prefix)
    }

    /// Sorted set of session ids, all with score 0, so that Redis orders them by their text, which
    /// is by time.
    pub fn owner(&self, owner: PrincipalId) -> String {
        format!("{}:{{owner:{owner}}}:sessions", self.prefix)
    }

    /// Stream: letters to the process `replica`.
    pub fn inbox(&self, replica: &str) -> String {
        format!("{}:{{inbox:{replica}}}:letters", self.prefix)
    }

    /// Text: who holds a lease.
    pub fn lease(&self, name: &str) -> String {
        format!("{}:{{lease:{name}}}", self.prefix)
    }

    /// There while the process `replica` lives.
    pub fn replica(&self, replica: &str) -> String {
        format!("{}:{{replica:{replica}}}:beat", self.prefix)
    }
}

//! Names of the Redis keys.

use crate::domain::SessionId;

/// Hash tags that sessions are spread over; each is one slot of a Redis Cluster.
pub const SHARDS: u16 = 64;

/// The shard of a session. The low bits of a UUIDv7 are random, and every replica must agree on
/// them for ever.
fn shard_of(id: SessionId) -> u16 {
    (id.0.as_u128() % u128::from(SHARDS)) as u16
}

/// Makes names under one prefix.
pub struct Keys {
    prefix: String,
}

impl Keys {
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// Set: replicas that want to hear of the session.
    pub fn watchers(&self, id: SessionId) -> String {
        format!("{}:{{{}}}:s:{id}:watchers", self.prefix, shard_of(id))
    }

    /// Sorted set: sessions that builds before this journal had not flushed.
    pub fn dirty_before_upgrade(&self, shard: u16) -> String {
        format!("{}:{{{shard}}}:dirty", self.prefix)
    }

    /// Stream: messages to the process `replica`.
    pub fn inbox(&self, replica: &str) -> String {
        format!("{}:{{inbox:{replica}}}:letters", self.prefix)
    }

    /// Text: who holds a lease.
    pub fn lease(&self, name: &str) -> String {
        format!("{}:{{lease:{name}}}", self.prefix)
    }
}

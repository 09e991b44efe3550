//! Which replicas live: each says so again and again, and counts as dead when it has been silent
//! for long enough.

use std::time::Duration;

use deadpool_redis::redis::pipe;

use super::{error::HotError, redis::RedisHot, store::HotStore};

impl HotStore {
    /// Says that the process `replica` lives for the next `ttl`.
    pub async fn beat(&self, replica: &str, ttl: Duration) -> Result<(), HotError> {
        match self {
            Self::Redis(store) => store.beat(replica, ttl).await,
            Self::Memory(store) => store.beat(replica, ttl).await,
        }
    }

    /// Whether the process `replica` has beaten lately. One that has not is dead, unless the store
    /// has forgotten it.
    pub async fn is_beating(&self, replica: &str) -> Result<bool, HotError> {
        match self {
            Self::Redis(store) => store.is_beating(replica).await,
            Self::Memory(store) => store.is_beating(replica).await,
        }
    }

    /// Nobody waits for the last beat of `replica` to fade: it is known to be dead.
    pub async fn bury(&self, replica: &str) -> Result<(), HotError> {
        match self {
            Self::Redis(store) => store.bury(replica).await,
            Self::Memory(store) => store.bury(replica).await,
        }
    }
}

impl RedisHot {
    async fn beat(&self, replica: &str, ttl: Duration) -> Result<(), HotError> {
        let mut commands = pipe();
        let beat = commands.cmd("SET").arg(self.keys.replica(replica)).arg(1);
        beat.arg("PX").arg(ttl.as_millis() as u64).ignore();
        self.connections.pipeline("beat", &commands).await
    }

    async fn is_beating(&self, replica: &str) -> Result<bool, HotError> {
        let mut commands = pipe();
        commands.exists(self.keys.replica(replica));
        let (beating,) = self.connections.pipeline("liveness", &commands).await?;
        Ok(beating)
    }

    async fn bury(&self, replica: &str) -> Result<(), HotError> {
        let mut commands = pipe();
        commands.del(self.keys.replica(replica)).ignore();
        self.connections.pipeline("bury", &commands).await
    }
}

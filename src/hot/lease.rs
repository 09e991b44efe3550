//! Short-lived claims: one process at a time does something, until it says that it is done or dies.

use std::time::Duration;

use deadpool_redis::redis::pipe;

use super::{error::HotError, redis::RedisHot, store::HotStore};

impl HotStore {
    /// Takes `name` for `ttl` in the name of `holder`; `None` where that worked, else who holds it.
    pub async fn claim(
        &self,
        name: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<String>, HotError> {
        match self {
            Self::Redis(store) => store.claim(name, holder, ttl).await,
            Self::Memory(_) => Ok(None),
        }
    }

    /// Holds on to a claim; false where somebody else has it by now.
    pub async fn renew(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool, HotError> {
        match self {
            Self::Redis(store) => store.renew(name, holder, ttl).await,
            Self::Memory(_) => Ok(true),
        }
    }

    /// Gives up a claim; nothing happens where somebody else has it.
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), HotError> {
        match self {
            Self::Redis(store) => store.release(name, holder).await,
            Self::Memory(_) => Ok(()),
        }
    }
}

impl RedisHot {
    async fn claim(
        &self,
        name: &str,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<String>, HotError> {
        let mut commands = pipe();
        let set = commands.cmd("SET").arg(self.keys.lease(name)).arg(holder);
        set.arg("NX").arg("GET").arg("PX").arg(ttl.as_millis() as u64);
        let (other,) = self.connections.pipeline("claim", &commands).await?;
        Ok(other)
    }

    async fn renew(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool, HotError> {
        let mut call = self.scripts.renew.prepare_invoke();
        call.key(self.keys.lease(name)).arg(holder).arg(ttl.as_millis() as u64);
        self.connections.script("renew", &call).await
    }

    async fn release(&self, name: &str, holder: &str) -> Result<(), HotError> {
        let mut call = self.scripts.release.prepare_invoke();
        call.key(self.keys.lease(name)).arg(holder);
        self.connections.script("release", &call).await
    }
}

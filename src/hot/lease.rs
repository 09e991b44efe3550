//! Short-lived claims: one process at a time does something, until it says that it is done or dies.

use std::time::Duration;

use deadpool_redis::redis::pipe;

use super::{error::HotError, store::HotStore};

impl HotStore {
    /// Takes `name` for `ttl` in the name of `holder`; `None` if that worked, else who holds it.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn claim(
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

    /// Holds on to a claim; false if another holder has it by now.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub async fn renew(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool, HotError> {
        let mut call = self.scripts.renew.prepare_invoke();
        call.key(self.keys.lease(name)).arg(holder).arg(ttl.as_millis() as u64);
        self.connections.script("renew", &call).await
    }

    /// Gives up a claim; nothing happens if another holder has it.
    ///
    /// # Errors
    /// If Redis does not answer; the claim then ends by itself.
    pub async fn release(&self, name: &str, holder: &str) -> Result<(), HotError> {
        let mut call = self.scripts.release.prepare_invoke();
        call.key(self.keys.lease(name)).arg(holder);
        self.connections.script("release", &call).await
    }
}

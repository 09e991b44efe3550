//! The store and its scripts.

use deadpool_redis::redis::{Script, pipe};

use super::{connection::Connections, error::HotError, keys::Keys};
use crate::config;

/// What replicas share in Redis while they run.
pub struct HotStore {
    pub(super) connections: Connections,
    pub(super) keys: Keys,
    pub(super) scripts: Scripts,
}

pub(super) struct Scripts {
    pub release: Script,
    pub renew: Script,
}

impl HotStore {
    /// Does not connect yet; connections are made, and made again, when they are needed.
    ///
    /// # Errors
    /// [`HotError::Unavailable`] if `store.redis_url` is not a Redis address.
    pub fn new(store: &config::Store) -> Result<Self, HotError> {
        Ok(Self {
            connections: Connections::new(store)?,
            keys: Keys::new(&store.redis_prefix),
            scripts: Scripts {
                release: Script::new(include_str!("scripts/release.lua")),
                renew: Script::new(include_str!("scripts/renew.lua")),
            },
        })
    }

    /// Whether the store answers, as far as is known: it is not asked.
    pub fn is_up(&self) -> bool {
        self.connections.is_up()
    }

    /// Asks the store, also while it is known to be away.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ping(&self) -> Result<(), HotError> {
        let mut commands = pipe();
        commands.cmd("PING").ignore();
        self.connections.observed("ping", self.connections.run_pipeline(&commands)).await
    }

    /// Sessions that a build before the journal of this one left here and the archive does not have.
    ///
    /// # Errors
    /// If the store does not answer.
    pub async fn unflushed_before_upgrade(&self) -> Result<usize, HotError> {
        let mut count = 0;
        for shard in 0..super::keys::SHARDS {
            let mut commands = pipe();
            commands.zcard(self.keys.dirty_before_upgrade(shard));
            let (sessions,): (usize,) = self.connections.pipeline("upgrade", &commands).await?;
            count += sessions;
        }
        Ok(count)
    }
}

//! The connection to Redis, and how long to wait between attempts.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use deadpool_redis::redis::{RedisError, RedisResult};
use uuid::Uuid;

use super::keys::Keys;
use crate::{
    cache::metrics,
    config::{self, AddressFault},
    redis::{Handle, Redis},
};

/// How many records the log keeps. A reader further behind reads everything again.
pub(super) const LOG_LENGTH: usize = 10_000;

/// How much the clocks of two replicas may differ. A purge from another replica also covers answers
/// that are younger by this much.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(2);

/// How long the reader waits for news at most before it asks again.
pub(super) const BLOCK: Duration = Duration::from_secs(1);

/// The longest wait between attempts after a failure.
pub(super) const BACKOFF: Duration = Duration::from_secs(2);

/// The connection to Redis, shared by the writer and the reader.
pub(super) struct Link {
    redis: Redis,
    pub(super) timeout: Duration,
    pub(super) keys: Keys,
    /// Written into each record, so that a process recognises its own.
    pub(super) process: Uuid,
    up: AtomicBool,
}

impl Link {
    pub(super) fn new(config: &config::Store) -> Result<Self, AddressFault> {
        Ok(Self {
            redis: Redis::open(config)?,
            timeout: config.redis_timeout,
            keys: Keys::new(&config.redis_prefix),
            process: Uuid::new_v4(),
            up: AtomicBool::new(true),
        })
    }

    /// A connection whose responses may take `extra` longer than the configured timeout.
    pub(super) async fn connect(&self, extra: Duration) -> RedisResult<Handle> {
        self.redis.dedicated(extra).await
    }

    /// Logs one line for each change of state.
    pub(super) fn up(&self) {
        metrics::connected(true);
        if !self.up.swap(true, Ordering::Relaxed) {
            tracing::info!("cache: redis is reachable again; entries are shared");
        }
    }

    pub(super) fn down(&self, error: &RedisError) {
        metrics::connected(false);
        if self.up.swap(false, Ordering::Relaxed) {
            let kind = error.category();
            tracing::warn!(kind, "cache: redis is unreachable; entries are not shared");
        }
    }
}

/// Waits between attempts; each is twice as long as the one before.
pub(super) struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);

    pub(super) fn new() -> Self {
        Self(Self::FIRST)
    }

    pub(super) fn reset(&mut self) {
        self.0 = Self::FIRST;
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(BACKOFF);
    }
}

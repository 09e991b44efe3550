//! The way to Redis, and how long to wait before it is tried again.

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

/// Records kept in the log. Who is further behind reads everything anew.
pub(super) const LOG_LENGTH: usize = 10_000;

/// Clocks of two replicas may differ by so much; a purge of another replica reaches answers that
/// are younger by this.
pub(super) const CLOCK_SKEW: Duration = Duration::from_secs(2);

/// The reader waits for news at most so long, then asks again.
pub(super) const BLOCK: Duration = Duration::from_secs(1);

/// Tries after a failure are so far apart, at most.
pub(super) const BACKOFF: Duration = Duration::from_secs(2);

/// The way to Redis, as the writer and the reader share it.
pub(super) struct Link {
    redis: Redis,
    pub(super) timeout: Duration,
    pub(super) keys: Keys,
    /// Written into each record, so that a process knows its own.
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

    /// A connection whose answers may take `extra` longer than the configured time.
    pub(super) async fn connect(&self, extra: Duration) -> RedisResult<Handle> {
        self.redis.dedicated(extra).await
    }

    /// One log line for each change of state.
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

/// Doubling waits between tries.
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

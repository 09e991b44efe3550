//! One cache on many replicas. Entries lie in Redis under keys of their own, a log tells everybody what changed.
//!
//! Each process runs a writer, which empties the outbox, and a reader, which follows the log on its own connection. The
//! log carries addresses and purges, so it stays small; what is purged is also kept with its time, so that nothing older
//! comes back after a restart or from a slow replica. Without Redis both wait and try again; look-ups never touch it.

mod keys;
mod reader;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use deadpool_redis::redis::{RedisError, RedisResult};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{Cache, metrics};
use crate::{
    config::{self, AddressFault},
    redis::{Handle, Redis},
};
use keys::Keys;

/// Records kept in the log. Who is further behind reads everything anew.
const LOG_LENGTH: usize = 10_000;

/// Clocks of two replicas may differ by so much; a purge of another replica reaches answers that are younger by this.
const CLOCK_SKEW: Duration = Duration::from_secs(2);

/// The reader waits for news at most so long, then asks again.
const BLOCK: Duration = Duration::from_secs(1);

/// Tries after a failure are so far apart, at most.
const BACKOFF: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub enum ReplicationError {
    #[error("store.redis_url {0}")]
    Address(#[from] AddressFault),
    #[error("the shared cache was not read in time")]
    Late,
}

/// The running replication of one cache. Ends with the shutdown token; the tracker knows its tasks.
pub struct Replication {
    loaded: watch::Receiver<Option<usize>>,
}

impl Replication {
    /// Starts to follow and to share. Neither waits for Redis to be there.
    pub fn start(
        cache: Cache,
        config: &config::Store,
        tracker: &TaskTracker,
        shutdown: CancellationToken,
    ) -> Result<Self, ReplicationError> {
        let (loaded_tx, loaded) = watch::channel(None);
        let link = Arc::new(Link {
            redis: Redis::open(config)?,
            timeout: config.redis_timeout,
            keys: Keys::new(&config.redis_prefix),
            process: Uuid::new_v4(),
            up: AtomicBool::new(true),
        });
        cache.shared.outbox.open();
        metrics::connected(false);
        tracker.spawn(writer::run(cache.clone(), link.clone(), shutdown.clone()));
        tracker.spawn(reader::run(cache, link, loaded_tx, shutdown));
        Ok(Self { loaded })
    }

    /// Waits until the shared entries have been read once, and gives how many.
    pub async fn warm(&self, deadline: Instant) -> Result<usize, ReplicationError> {
        let mut loaded = self.loaded.clone();
        let first = timeout_at(deadline, loaded.wait_for(Option::is_some)).await;
        let Ok(Ok(count)) = first else { return Err(ReplicationError::Late) };
        count.ok_or(ReplicationError::Late)
    }
}

/// The way to Redis, as the writer and the reader share it.
struct Link {
    redis: Redis,
    timeout: Duration,
    keys: Keys,
    process: Uuid,
    up: AtomicBool,
}

impl Link {
    /// A connection whose answers may take `extra` longer than the configured time.
    async fn connect(&self, extra: Duration) -> RedisResult<Handle> {
        self.redis.dedicated(extra).await
    }

    /// One log line for each change of state.
    fn up(&self) {
        metrics::connected(true);
        if !self.up.swap(true, Ordering::Relaxed) {
            tracing::info!("cache: redis is reachable again; entries are shared");
        }
    }

    fn down(&self, error: &RedisError) {
        metrics::connected(false);
        if self.up.swap(false, Ordering::Relaxed) {
            let kind = error.category();
            tracing::warn!(kind, "cache: redis is unreachable; entries are not shared");
        }
    }
}

/// Doubling waits between tries.
struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);

    fn new() -> Self {
        Self(Self::FIRST)
    }

    fn reset(&mut self) {
        self.0 = Self::FIRST;
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(BACKOFF);
    }
}

#[cfg(test)]
mod tests;

//! Starts the replication of a cache, and waits until it was read once.

use std::sync::Arc;

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{link::Link, reader, writer};
use crate::{
    cache::{answers::Cache, metrics},
    config::{self, AddressFault},
};

#[derive(Debug, thiserror::Error)]
pub enum ReplicationError {
    #[error("store.redis_url {0}")]
    Address(#[from] AddressFault),
    #[error("the shared cache was not read in time")]
    Late,
}

/// The running replication of one cache. It ends with the shutdown token; the tracker has its
/// tasks.
pub struct Replication {
    loaded: watch::Receiver<Option<usize>>,
}

impl Replication {
    /// Starts the reader and the writer. Neither needs Redis to be reachable yet.
    pub fn start(
        cache: Cache,
        config: &config::Store,
        tracker: &TaskTracker,
        shutdown: CancellationToken,
    ) -> Result<Self, ReplicationError> {
        let (loaded_tx, loaded) = watch::channel(None);
        let link = Arc::new(Link::new(config)?);
        cache.shared.outbox.open();
        metrics::connected(false);
        tracker.spawn(writer::run(cache.clone(), link.clone(), shutdown.clone()));
        tracker.spawn(reader::run(cache, link, loaded_tx, shutdown));
        Ok(Self { loaded })
    }

    /// Waits until the shared entries were read once, and returns their number.
    pub async fn warm(&self, deadline: Instant) -> Result<usize, ReplicationError> {
        let mut loaded = self.loaded.clone();
        let first = timeout_at(deadline, loaded.wait_for(Option::is_some)).await;
        let Ok(Ok(count)) = first else { return Err(ReplicationError::Late) };
        count.ok_or(ReplicationError::Late)
    }
}

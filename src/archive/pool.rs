//! A bounded set of connections to one database.
//!
//! A connection is owned by the work that uses it and comes back only through [`Pool::settle`].
//! Work that is dropped half way (a timeout, a client that left) drops its connection with it: the
//! database rolls back, and nobody ever meets a connection in the middle of something. That is why
//! this is not one of the usual pools, whose guards put a connection back whatever state it is in.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use diesel::{ConnectionResult, QueryResult};
use diesel_async::{AsyncConnection, TransactionManager as _};
use futures_util::future::BoxFuture;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{error::ArchiveError, metrics};

/// After this time unused a connection is replaced: its server may have closed it silently.
const MAX_IDLE: Duration = Duration::from_secs(60);

type Opener<C> = Box<dyn Fn() -> BoxFuture<'static, ConnectionResult<C>> + Send + Sync>;

pub(super) struct Pool<C> {
    open: Opener<C>,
    idle: Mutex<Vec<(C, Instant)>>,
    permits: Arc<Semaphore>,
}

/// A connection and the right to use it.
#[must_use]
pub(super) struct Lease<C> {
    pub connection: C,
    _permit: OwnedSemaphorePermit,
}

impl<C: AsyncConnection> Pool<C> {
    /// At most `size` connections, each opened by `open` when it is first needed.
    pub fn new(
        size: usize,
        open: impl Fn() -> BoxFuture<'static, ConnectionResult<C>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(size));
        Arc::new(Self { open: Box::new(open), idle: Mutex::default(), permits })
    }

    /// Waits for its turn, in order; the caller bounds the wait.
    pub async fn take(&self) -> Result<Lease<C>, ArchiveError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| ArchiveError::Unavailable("pool is closed".into()))?;
        let idle = self.idle().pop().filter(|(_, since)| since.elapsed() < MAX_IDLE);
        let connection = match idle {
            Some((connection, _)) => connection,
            None => (self.open)().await?,
        };
        Ok(Lease { connection, _permit: permit })
    }

    /// Takes the connection back, or drops it where it may be unusable, and counts the outcome.
    pub fn settle<T>(
        &self,
        mut lease: Lease<C>,
        outcome: QueryResult<T>,
    ) -> Result<T, ArchiveError> {
        let outcome = outcome.map_err(ArchiveError::from);
        if let Err(error) = &outcome {
            metrics::failed(error);
        }
        if matches!(outcome, Err(ArchiveError::Unavailable(_))) {
            // One lost connection says that the others to the same server are lost too.
            self.idle().clear();
        } else if !C::TransactionManager::is_broken_transaction_manager(&mut lease.connection) {
            self.idle().push((lease.connection, Instant::now()));
        }
        outcome
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(C, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The handle of the archive: connections, time limits and the breaker of every call.

use std::{
    future::Future,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};
use tokio::{runtime::Handle, time::Instant};

use super::{
    error::ArchiveError,
    file, metrics,
    mysql::{self, MysqlUrlError},
    pool::Pool,
    query::read,
    sqlite::{self, Sqlite},
};
use crate::{
    circuit::{Change, Circuit},
    config,
};

/// A service that runs may move data from its log to the file between two reads of a look, so a fault
/// counts if it stays.
const LOOKS: u32 = 3;
const LOOK: Duration = Duration::from_millis(50);

/// The one door to the database. Cheap to clone.
#[derive(Clone)]
pub struct Archive {
    pub(super) store: Store,
    /// The runtime that was current at start. Connections and blocking work live on it, whichever
    /// worker asks.
    pub(super) home: Handle,
    pub(super) timeout: Duration,
    /// A server that is away is not waited for by everybody. A file is never away.
    pub(super) circuit: Option<Arc<Mutex<Circuit>>>,
    /// The database file may have copies of rows that were deleted.
    pub(super) unscrubbed: Arc<AtomicBool>,
}

#[derive(Clone)]
pub(super) enum Store {
    Mysql(Arc<Pool<AsyncMysqlConnection>>),
    Sqlite { writer: Arc<Pool<Sqlite>>, readers: Arc<Pool<Sqlite>> },
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.store {
            Store::Mysql(_) => "Archive(mysql)",
            Store::Sqlite { .. } => "Archive(sqlite)",
        })
    }
}

impl Archive {
    /// The archive behind `store.mysql_url`. Opens no connection yet, so a server that is briefly
    /// away does not stop a start; [`Archive::migrate`] is the first to need it. Must be called
    /// inside a tokio runtime.
    ///
    /// # Errors
    /// Where the URL is none, or the authorities that it trusts cannot be read.
    pub fn connect_mysql(store: &config::Store) -> Result<Self, MysqlUrlError> {
        let home = Handle::current();
        let timeout = store.archive_timeout;
        let options = mysql::options(store)?;
        let pool = mysql::pool(options, store.archive_pool, timeout, home.clone());
        let circuit = Some(Arc::default());
        let unscrubbed = Arc::default();
        Ok(Self { store: Store::Mysql(pool), home, timeout, circuit, unscrubbed })
    }

    /// The archive in the file at `path`, which is made where it is missing. Must be called inside
    /// a tokio runtime.
    ///
    /// # Errors
    /// Where the file cannot be opened, is not a database of this program, or has lost something:
    /// nothing is changed then.
    pub async fn open_sqlite(path: &Path, store: &config::Store) -> Result<Self, ArchiveError> {
        let home = Handle::current();
        let timeout = store.archive_timeout;
        let path =
            path.to_str().ok_or_else(|| ArchiveError::Rejected("path is not UTF-8".into()))?;
        let mut looks = LOOKS;
        loop {
            let checked = path.to_owned();
            let look = home.spawn_blocking(move || {
                let path = Path::new(&checked);
                file::check(path).and_then(|()| file::make(path))
            });
            let Err(error) = look
                .await
                .unwrap_or_else(|error| Err(ArchiveError::Unavailable(error.to_string())))
            else {
                break;
            };
            looks -= 1;
            if looks == 0 {
                return Err(error);
            }
            tokio::time::sleep(LOOK).await;
        }
        let pool =
            |size, pragmas| sqlite::pool(path.to_owned(), size, pragmas, timeout, home.clone());
        let writer = pool(1, "");
        let readers = pool(store.archive_pool, "PRAGMA query_only = ON");
        let store = Store::Sqlite { writer, readers };
        // A process that was killed may have left copies.
        let unscrubbed = Arc::new(AtomicBool::new(true));
        let archive = Self { store, home, timeout, circuit: None, unscrubbed };
        archive.ping().await?;
        Ok(archive)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), ArchiveError> {
        let one = diesel::dsl::sql::<diesel::sql_types::Integer>("1");
        read!(self, |conn| { diesel::select(one.clone()).get_result::<i32>(conn).await })?;
        Ok(())
    }

    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, ArchiveError>>,
    ) -> Result<T, ArchiveError> {
        #[cfg(test)]
        super::steps::next().await?;
        if self.circuit().is_some_and(|mut circuit| !circuit.admits(Instant::now())) {
            return Err(ArchiveError::Unavailable("it was away a moment ago".into()));
        }
        let begun = Instant::now();
        let outcome = tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| {
            metrics::failed(&ArchiveError::Timeout);
            Err(ArchiveError::Timeout)
        });
        metrics::called(begun.elapsed());
        self.note(outcome.as_ref().err());
        outcome
    }

    fn circuit(&self) -> Option<MutexGuard<'_, Circuit>> {
        Some(self.circuit.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One log line for each change of state.
    fn note(&self, error: Option<&ArchiveError>) {
        let away = error.filter(|error| error.is_away());
        let change = self.circuit().and_then(|mut circuit| match away {
            Some(_) => circuit.failed(Instant::now()),
            None => circuit.succeeded(),
        });
        match (change, away) {
            (Some(Change::Opened), Some(error)) => tracing::warn!(%error, "archive is unreachable"),
            (Some(Change::Closed), _) => tracing::info!("archive is reachable again"),
            _ => return,
        }
        metrics::up(change == Some(Change::Closed));
    }

    pub(super) async fn on_blocking_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        #[cfg(test)]
        if super::steps::are_taken() {
            return work();
        }
        self.home.spawn_blocking(work).await.unwrap_or_else(|error| {
            Err(ArchiveError::Unavailable(if error.is_panic() {
                "work on the database panicked".into()
            } else {
                "the process is shutting down".into()
            }))
        })
    }
}

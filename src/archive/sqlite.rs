//! The archive in one SQLite file: one process, one writer, a few readers.

use std::{error::Error, future::ready, sync::Arc, time::Duration};

use diesel::{
    Connection as _, ConnectionError, ConnectionResult, SqliteConnection,
    connection::SimpleConnection as _,
};
use diesel_async::sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper};
use futures_util::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;

use super::pool::Pool;

/// A connection whose statements complete where they are called. Only [`super::query`] uses one,
/// and only on a blocking thread: one hop for a whole transaction instead of one for each
/// statement.
pub(super) type Sqlite = SyncConnectionWrapper<SqliteConnection, Inline>;

pub(super) struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>> {
        ready(Ok(task())).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// A pool of connections to the file at `path`; `pragmas` come after those that all connections
/// need.
pub(super) fn pool(
    path: String,
    size: usize,
    pragmas: &'static str,
    busy_timeout: Duration,
    home: Handle,
) -> Arc<Pool<Sqlite>> {
    Pool::new(size, move || {
        let path = path.clone();
        let connection = home.spawn_blocking(move || open(&path, pragmas, busy_timeout));
        async move {
            connection.await.unwrap_or_else(|error| {
                Err(ConnectionError::BadConnection(format!("opening ended early: {error}")))
            })
        }
        .boxed()
    })
}

fn open(path: &str, pragmas: &str, busy_timeout: Duration) -> ConnectionResult<Sqlite> {
    let mut connection = SqliteConnection::establish(path)?;
    // FULL: what was committed survives a power cut. What is deleted is overwritten with zeros. The
    // timeout comes first, so that the others may wait.
    let setup = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; {pragmas}",
        busy_timeout.as_millis()
    );
    connection.batch_execute(&setup).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(SyncConnectionWrapper::with_runtime(connection, Inline))
}

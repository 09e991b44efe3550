//! The archive on MySQL 8 or MariaDB 10.11: several replicas, several writers.

use std::{sync::Arc, time::Duration};

use diesel::ConnectionError;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use tokio::runtime::Handle;

use super::pool::Pool;
use crate::config::Secret;

/// A pool whose connections live on the runtime of `home`, not on that of the worker that happened to need
/// one first: they outlast the workers, for the last flush of a shutdown.
pub(super) fn pool(
    url: Secret,
    size: usize,
    timeout: Duration,
    home: Handle,
) -> Arc<Pool<AsyncMysqlConnection>> {
    Pool::new(size, move || {
        let connection = home.spawn(open(url.clone(), timeout));
        async move {
            connection.await.unwrap_or_else(|error| {
                Err(ConnectionError::BadConnection(format!("connecting ended early: {error}")))
            })
        }
        .boxed()
    })
}

async fn open(url: Secret, timeout: Duration) -> Result<AsyncMysqlConnection, ConnectionError> {
    let connecting = AsyncMysqlConnection::establish(url.expose());
    let mut connection = tokio::time::timeout(timeout, connecting)
        .await
        .map_err(|_| ConnectionError::BadConnection("no answer in time".into()))??;
    // Strict: a value that does not fit is refused, never cut. READ COMMITTED: fewer gap locks, so fewer
    // deadlocks between replicas, and a transaction that holds a session's row sees what others have committed.
    let setup = format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION innodb_lock_wait_timeout = {}",
        timeout.as_secs().max(1)
    );
    connection.batch_execute(&setup).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

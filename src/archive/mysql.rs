//! The archive on MySQL 8 or MariaDB 10.11: several replicas, several writers.

use std::{sync::Arc, time::Duration};

use diesel::{
    ConnectionError,
    result::{DatabaseErrorKind, Error as QueryError},
};
use diesel_async::{AsyncMysqlConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder, SslOpts};
use tokio::runtime::Handle;

use super::pool::Pool;
use crate::{
    config::{self, MysqlAddress, MysqlFault, MysqlTls},
    tls::{AuthorityError, authorities},
};

/// Why `store.mysql_url` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MysqlUrlError {
    #[error(transparent)]
    Address(#[from] MysqlFault),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// How every connection is opened. Reads the authorities, once.
pub(super) fn options(store: &config::Store) -> Result<Opts, MysqlUrlError> {
    let MysqlAddress { options, tls } = MysqlAddress::parse(store.mysql_url.expose())?;
    // Diesel keeps statements itself, and counts the rows that an update found.
    let plain = OptsBuilder::from_opts(options).stmt_cache_size(0).client_found_rows(true);
    let ssl = match tls {
        MysqlTls::Off => return Ok(plain.into()),
        MysqlTls::Unverified => SslOpts::default().with_danger_accept_invalid_certs(true),
        MysqlTls::Verified { ca } => {
            let roots = authorities(ca.as_deref())?;
            let roots = roots.iter().map(|root| root.to_vec().into()).collect();
            // The driver has authorities of its own.
            SslOpts::default().with_root_certs(roots).with_disable_built_in_roots(true)
        }
    };
    // On a loopback address the driver goes over to the server's socket, unless told not to.
    Ok(plain.ssl_opts(ssl).prefer_socket(false).into())
}

/// A pool whose connections live on the runtime of `home`, not on that of the worker that happened
/// to need one first: they outlast the workers, until the replica has left.
pub(super) fn pool(
    options: Opts,
    size: usize,
    timeout: Duration,
    home: Handle,
) -> Arc<Pool<AsyncMysqlConnection>> {
    Pool::new(size, move || {
        let connection = home.spawn(open(options.clone(), timeout));
        async move {
            connection.await.unwrap_or_else(|error| {
                Err(ConnectionError::BadConnection(format!("connecting ended early: {error}")))
            })
        }
        .boxed()
    })
}

async fn open(options: Opts, timeout: Duration) -> Result<AsyncMysqlConnection, ConnectionError> {
    let connecting = async {
        let connection = Conn::new(options).await.map_err(refused)?;
        AsyncMysqlConnection::try_from(connection).await
    };
    let mut connection = tokio::time::timeout(timeout, connecting)
        .await
        .map_err(|_| ConnectionError::BadConnection("no answer in time".into()))??;
    // Strict: a value that does not fit is refused, never cut. READ COMMITTED: fewer gap locks, so
    // fewer deadlocks between replicas, and a transaction that holds a session's row sees what
    // others have committed.
    let setup = format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
         SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION innodb_lock_wait_timeout = {}",
        timeout.as_secs().max(1)
    );
    connection.batch_execute(&setup).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

fn refused(error: Error) -> ConnectionError {
    match error {
        Error::Server(error) => {
            let error =
                QueryError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(error.message));
            ConnectionError::CouldntSetupConfiguration(error)
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => ConnectionError::BadConnection(
            "the server does not speak TLS, which store.mysql_url asks for".into(),
        ),
        other => ConnectionError::BadConnection(other.to_string()),
    }
}

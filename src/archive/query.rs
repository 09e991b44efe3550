//! Every query is written once. [`read`] and [`transact`] put it into the program twice, once for
//! each kind of connection, and the compiler checks both.
//!
//! On SQLite the whole work runs on one blocking thread, where its statements complete at once; it
//! therefore owns what it uses and runs to its end even if nobody waits for it any more. On MySQL
//! it runs where it is awaited.

use std::future::Future;

use diesel::QueryResult;
use diesel_async::{AsyncConnection, TransactionManager as _};

/// A transaction that InnoDB rolled back to end a deadlock runs again this many times.
pub(super) const MAX_DEADLOCKS: u32 = 3;

macro_rules! on_store {
    ($archive:expr, $side:ident, |$connection:ident| $work:block) => {{
        let archive: &$crate::archive::handle::Archive = $archive;
        let work = async {
            match &archive.store {
                $crate::archive::handle::Store::Mysql(pool) => {
                    let mut lease = pool.take().await?;
                    let outcome = $crate::archive::query::typed(async {
                        let $connection = &mut lease.connection;
                        $work
                    });
                    let outcome = outcome.await;
                    pool.settle(lease, outcome)
                }
                $crate::archive::handle::Store::Sqlite { $side: pool, .. } => {
                    let pool = std::sync::Arc::clone(pool);
                    let mut lease = pool.take().await?;
                    let work = move || {
                        let outcome = $crate::archive::query::typed(async {
                            let $connection = &mut lease.connection;
                            $work
                        });
                        let outcome = tokio::runtime::Handle::current().block_on(outcome);
                        pool.settle(lease, outcome)
                    };
                    archive.on_blocking_thread(work).await
                }
            }
        };
        // Boxed, so that those who wait for the archive carry a pointer and not two databases'
        // worth of state.
        archive.bounded(Box::pin(work)).await
    }};
}

/// `read!(archive, |connection| { … })`: a `QueryResult` within the archive's timeout; changes
/// nothing.
macro_rules! read {
    ($archive:expr, |$connection:ident| $work:block) => {
        $crate::archive::query::on_store!($archive, readers, |$connection| $work)
    };
}

/// `transact!(archive, |connection| { … })`: all of it or nothing, within the archive's timeout.
/// The work may run more than once, so it must not use up what it captures.
macro_rules! transact {
    ($archive:expr, |$connection:ident| $work:block) => {
        $crate::archive::query::on_store!($archive, writer, |connection| {
            let mut deadlocks = 0;
            loop {
                $crate::archive::query::begin(connection).await?;
                let outcome = $crate::archive::query::typed(async {
                    let $connection = &mut *connection;
                    $work
                });
                let outcome = outcome.await;
                match $crate::archive::query::end(connection, outcome).await {
                    Err(error)
                        if deadlocks < $crate::archive::query::MAX_DEADLOCKS
                            && $crate::archive::error::is_deadlock(&error) =>
                    {
                        deadlocks += 1;
                    }
                    outcome => break outcome,
                }
            }
        })
    };
}

pub(super) use {on_store, read, transact};

/// Tells the compiler what `?` in the work of a query means.
pub(super) fn typed<T>(
    work: impl Future<Output = QueryResult<T>>,
) -> impl Future<Output = QueryResult<T>> {
    work
}

pub(super) async fn begin<C: AsyncConnection>(connection: &mut C) -> QueryResult<()> {
    C::TransactionManager::begin_transaction(connection).await
}

/// Commits what went well and takes back what did not.
pub(super) async fn end<C: AsyncConnection, T>(
    connection: &mut C,
    outcome: QueryResult<T>,
) -> QueryResult<T> {
    match outcome {
        Ok(value) => {
            C::TransactionManager::commit_transaction(connection).await?;
            Ok(value)
        }
        Err(error) => {
            // A failed rollback leaves the connection broken, and a broken one is not used again.
            let _ = C::TransactionManager::rollback_transaction(connection).await;
            Err(error)
        }
    }
}

//! Brings the tables to the shape that this program expects. The steps are part of the binary.

use std::time::Duration;

use diesel::{
    RunQueryDsl as _,
    dsl::sql,
    sql_types::{BigInt, Nullable},
};
use diesel_async::{AsyncConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{
    error::{ArchiveError, from_message},
    handle::{Archive, Store},
    pool::Lease,
};

const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Changing a large table takes longer than any query, and another replica may be at it first.
const TIMEOUT: Duration = Duration::from_secs(120);
/// One replica at a time, for MySQL cannot take a change of tables back; the others wait up to a
/// minute. The lock belongs to the connection and goes with it.
const LOCK: &str = "GET_LOCK(CONCAT('rushdesk.', MD5(DATABASE())), 60)";

impl Archive {
    /// Applies what is missing and names it, oldest first; nothing where the archive is up to date.
    /// Any number of replicas may call it at once.
    pub async fn migrate(&self) -> Result<Vec<String>, ArchiveError> {
        let work = async {
            match &self.store {
                Store::Mysql(pool) => {
                    let lease = pool.take().await?;
                    self.on_blocking_thread(move || {
                        let Lease { connection, .. } = lease;
                        let mut connection = AsyncConnectionWrapper::<_>::from(connection);
                        let locked: Option<i64> = diesel::select(sql::<Nullable<BigInt>>(LOCK))
                            .get_result(&mut connection)?;
                        if locked != Some(1) {
                            return Err(ArchiveError::Timeout);
                        }
                        apply(connection, MYSQL)
                    })
                    .await
                }
                Store::Sqlite { writer, .. } => {
                    let lease = writer.take().await?;
                    self.on_blocking_thread(move || {
                        let Lease { connection, .. } = lease;
                        apply(AsyncConnectionWrapper::from(connection), SQLITE)
                    })
                    .await
                }
            }
        };
        let work = async {
            let applied = work.await?;
            for user in self.normalise_emails().await? {
                tracing::warn!(%user, "the address of this account is also that of another one, which keeps it");
            }
            Ok(applied)
        };
        tokio::time::timeout(TIMEOUT, work).await.unwrap_or(Err(ArchiveError::Timeout))
    }
}

/// Uses the connection up: whatever the steps left in it goes with it.
fn apply<C>(
    mut connection: AsyncConnectionWrapper<C>,
    steps: EmbeddedMigrations,
) -> Result<Vec<String>, ArchiveError>
where
    C: AsyncConnection,
    AsyncConnectionWrapper<C>: MigrationHarness<C::Backend>,
{
    let applied = connection
        .run_pending_migrations(steps)
        .map_err(|error| from_message(&error.to_string()))?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

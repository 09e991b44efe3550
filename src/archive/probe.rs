//! What can be known of a database before it is used: whose it is, and whether it takes a change.

use diesel::{ExpressionMethods as _, QueryResult, dsl::sql, sql_types::BigInt};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};

use super::{
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    replicas::now,
    schema::probes,
    sqlite::Sqlite,
};

/// Whose tables a database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Ours,
    /// Only those of another program. A server's database may be shared, so there it is `Nothing`.
    Others,
}

impl Archive {
    /// What the database holds already.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn found(&self) -> Result<Found, ArchiveError> {
        read!(self, |conn| { conn.found().await })
    }

    /// Commits a small change, for the process `replica`. A database may answer questions and take
    /// no message, since its disk is full or it is read-only.
    ///
    /// # Errors
    /// If it takes no change.
    pub async fn probe(&self, replica: &str) -> Result<(), ArchiveError> {
        let replica = replica.to_owned();
        transact!(self, |conn| {
            let row = (probes::id.eq(&replica), probes::written_at.eq(sql::<BigInt>(now(conn))));
            diesel::replace_into(probes::table).values(row).execute(conn).await
        })?;
        Ok(())
    }
}

pub(super) trait Probe {
    async fn found(&mut self) -> QueryResult<Found>;
}

/// The first migration makes it.
const OURS: &str = "__diesel_schema_migrations";

impl Probe for AsyncMysqlConnection {
    async fn found(&mut self) -> QueryResult<Found> {
        let ours = sql::<BigInt>(&format!(
            "(SELECT COUNT(*) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = '{OURS}')"
        ));
        let ours: i64 = diesel::select(ours).get_result(self).await?;
        Ok(if ours > 0 { Found::Ours } else { Found::Nothing })
    }
}

impl Probe for Sqlite {
    async fn found(&mut self) -> QueryResult<Found> {
        let count = |of: &str| sql::<BigInt>(&format!("(SELECT COUNT(*) FROM sqlite_master {of})"));
        let ours = count(&format!("WHERE name = '{OURS}'"));
        let (ours, all): (i64, i64) = diesel::select((ours, count(""))).get_result(self).await?;
        Ok(match (ours, all) {
            (0, 0) => Found::Nothing,
            (0, _) => Found::Others,
            _ => Found::Ours,
        })
    }
}

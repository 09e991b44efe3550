//! Which replicas run. Each writes again and again that it does; all of them judge by the clock of
//! the database, so that clocks of machines do not matter.

use std::time::Duration;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, dsl::sql, sql_types::BigInt,
};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};

use super::{
    column::Count,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{customer_erasures, erased_sessions, probes, replicas},
    sqlite::Sqlite,
};
use crate::domain::{PrincipalId, SessionId, Timestamp};

/// A connection whose server has a clock.
pub(super) trait Clock {
    /// Milliseconds since the Unix epoch, as an expression.
    const NOW: &'static str;
}

impl Clock for AsyncMysqlConnection {
    const NOW: &'static str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";
}

impl Clock for Sqlite {
    const NOW: &'static str = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";
}

pub(super) fn now<C: Clock>(_: &C) -> &'static str {
    C::NOW
}

/// A replica that has not left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: String,
    /// Time since its last beat.
    pub silent: Duration,
    /// When it had last begun to read the newest erasures.
    pub looked_at: Timestamp,
}

/// What was erased lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasures {
    pub sessions: Vec<SessionId>,
    pub customers: Vec<PrincipalId>,
}

impl Archive {
    /// The time of the database, and what was erased at `since` or later.
    pub async fn erased_since(
        &self,
        since: Timestamp,
    ) -> Result<(Timestamp, Erasures), ArchiveError> {
        read!(self, |conn| {
            let begun = diesel::select(sql::<BigInt>(now(conn))).get_result(conn).await?;
            let newest = erased_sessions::table.filter(erased_sessions::erased_at.ge(since));
            let sessions = newest.select(erased_sessions::session_id).load(conn).await?;
            let newest = customer_erasures::table.filter(customer_erasures::requested_at.ge(since));
            let customers = newest.select(customer_erasures::customer_id).load(conn).await?;
            Ok((Timestamp::from_millis(begun), Erasures { sessions, customers }))
        })
    }

    /// Says that the process `replica` of this build runs now, and when it had begun to read the
    /// newest erasures.
    pub async fn beat(
        &self,
        replica: &str,
        build: u64,
        looked_at: Timestamp,
    ) -> Result<(), ArchiveError> {
        let replica = replica.to_owned();
        transact!(self, |conn| {
            let seen_at = sql::<BigInt>(now(conn));
            let row = (
                replicas::id.eq(&replica),
                replicas::build.eq(Count(build)),
                replicas::seen_at.eq(seen_at),
                replicas::looked_at.eq(looked_at),
            );
            diesel::replace_into(replicas::table).values(row).execute(conn).await
        })?;
        Ok(())
    }

    /// How long ago the process `replica` said that it runs; `None` if it has left.
    pub async fn silent_for(&self, replica: &str) -> Result<Option<Duration>, ArchiveError> {
        let replica = replica.to_owned();
        let silent: Option<i64> = read!(self, |conn| {
            let since = format!("{} - seen_at", now(conn));
            let row = replicas::table.find(&replica).select(sql::<BigInt>(&since));
            row.first(conn).await.optional()
        })?;
        Ok(silent.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
    }

    /// All replicas that have not left.
    pub async fn replicas(&self) -> Result<Vec<Seen>, ArchiveError> {
        let rows: Vec<(String, i64, Timestamp)> = read!(self, |conn| {
            let since = sql::<BigInt>(&format!("{} - seen_at", now(conn)));
            replicas::table.select((replicas::id, since, replicas::looked_at)).load(conn).await
        })?;
        let silent = |millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0));
        let seen = |(id, millis, looked_at)| Seen { id, silent: silent(millis), looked_at };
        Ok(rows.into_iter().map(seen).collect())
    }

    /// The process `replica` does not run any more.
    pub async fn leave(&self, replica: &str) -> Result<(), ArchiveError> {
        let replica = replica.to_owned();
        transact!(self, |conn| {
            diesel::delete(probes::table.find(&replica)).execute(conn).await?;
            diesel::delete(replicas::table.find(&replica)).execute(conn).await
        })?;
        Ok(())
    }

    /// Forgets replicas that have been silent for longer than `age`.
    pub async fn forget_silent(&self, age: Duration) -> Result<(), ArchiveError> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        transact!(self, |conn| {
            let before = format!("{} - {age}", now(conn));
            let silent = probes::table.filter(probes::written_at.lt(sql::<BigInt>(&before)));
            diesel::delete(silent).execute(conn).await?;
            let silent = replicas::table.filter(replicas::seen_at.lt(sql::<BigInt>(&before)));
            diesel::delete(silent).execute(conn).await
        })?;
        Ok(())
    }
}

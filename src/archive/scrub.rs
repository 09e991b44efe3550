//! What a database file still holds of rows that were deleted.
//!
//! SQLite overwrites deleted rows with zeros (`secure_delete`), but the pages in the write-ahead log
//! are older copies. They go when the log is emptied. A server of MySQL or MariaDB does as it is
//! configured; `docs/security.md` says what it keeps.

use std::sync::atomic::{AtomicBool, Ordering};

use diesel::{QueryResult, QueryableByName, sql_types::Integer};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::{error::ArchiveError, handle::Archive, query::on_store, sqlite::Sqlite};

/// The log is emptied while nobody reads or writes, so others wait for at most this long.
const PATIENCE_MS: u32 = 250;

impl Archive {
    /// Removes the copies of deleted rows that the database file has. False if that was not possible
    /// right now, since another process reads the file; see [`Archive::scrub_again`].
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn scrub(&self) -> Result<bool, ArchiveError> {
        let timeout = u32::try_from(self.timeout.as_millis()).unwrap_or(u32::MAX);
        // Before: rows that are deleted from now on need another one.
        self.unscrubbed.store(false, Ordering::Release);
        let scrubbed = on_store!(self, writer, |conn| { conn.scrub(timeout).await });
        if !matches!(scrubbed, Ok(true)) {
            self.unscrubbed.store(true, Ordering::Release);
        }
        scrubbed
    }

    /// To be called again and again: catches up on what [`Archive::scrub`] could not do, and on what
    /// a process that was killed has left.
    ///
    /// # Errors
    /// As [`Archive::scrub`].
    pub async fn scrub_again(&self) -> Result<(), ArchiveError> {
        if AtomicBool::load(&self.unscrubbed, Ordering::Acquire) {
            self.scrub().await?;
        }
        Ok(())
    }
}

trait Scrub {
    /// `timeout_ms`: how long statements of this connection wait for others, otherwise.
    async fn scrub(&mut self, timeout_ms: u32) -> QueryResult<bool>;
}

impl Scrub for AsyncMysqlConnection {
    async fn scrub(&mut self, _: u32) -> QueryResult<bool> {
        Ok(true)
    }
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Scrub for Sqlite {
    async fn scrub(&mut self, timeout_ms: u32) -> QueryResult<bool> {
        self.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MS}")).await?;
        let emptied = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)");
        let emptied: QueryResult<Checkpoint> = emptied.get_result(self).await;
        self.batch_execute(&format!("PRAGMA busy_timeout = {timeout_ms}")).await?;
        Ok(emptied?.busy == 0)
    }
}

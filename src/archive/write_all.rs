//! Many rows in few statements, on both kinds of connection.

use std::future::Future;

use diesel::QueryResult;

/// Writes many rows. MySQL takes them in statements of many rows, for each statement is a round
/// trip; SQLite takes them one by one through one prepared statement, for that is what it is
/// fastest at.
pub(super) trait WriteAll<Row>: Send {
    /// A row whose primary key is there already is an error, and nothing is written.
    fn add_all(&mut self, rows: &[Row]) -> impl Future<Output = QueryResult<()>> + Send;
    /// Rows whose primary key is there already stay as they are.
    fn insert_all(&mut self, rows: &[Row]) -> impl Future<Output = QueryResult<()>> + Send;
    /// Rows whose primary key is there already are replaced.
    fn replace_all(&mut self, rows: &[Row]) -> impl Future<Output = QueryResult<()>> + Send;
}

/// A statement stays below these, well under the smallest usual `max_allowed_packet` (16 MiB).
const MAX_ROWS: usize = 500;
const MAX_BYTES: usize = 4 << 20;

/// `rows` in portions of one statement each; a row that is too large alone still gets its own.
pub(super) fn portions<Row>(
    rows: &[Row],
    weight: fn(&Row) -> usize,
) -> impl Iterator<Item = &[Row]> {
    let (mut count, mut bytes) = (1, rows.first().map_or(0, weight));
    rows.chunk_by(move |_, next| {
        let weight = weight(next);
        let fits = count < MAX_ROWS && bytes + weight <= MAX_BYTES;
        (count, bytes) = if fits { (count + 1, bytes + weight) } else { (1, weight) };
        fits
    })
}

/// `write_all! { Row => table, |row| its bytes in a statement; … }`
macro_rules! write_all {
    ($($row:ty => $table:ident, $weight:expr;)+) => {$(
        impl $crate::archive::write_all::WriteAll<$row> for diesel_async::AsyncMysqlConnection {
            async fn add_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for rows in $crate::archive::write_all::portions(rows, $weight) {
                    diesel::insert_into($table::table).values(rows).execute(self).await?;
                }
                Ok(())
            }

            async fn insert_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for rows in $crate::archive::write_all::portions(rows, $weight) {
                    let insert = diesel::insert_into($table::table).values(rows);
                    insert.on_conflict_do_nothing().execute(self).await?;
                }
                Ok(())
            }

            async fn replace_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for rows in $crate::archive::write_all::portions(rows, $weight) {
                    diesel::replace_into($table::table).values(rows).execute(self).await?;
                }
                Ok(())
            }
        }

        impl $crate::archive::write_all::WriteAll<$row> for $crate::archive::sqlite::Sqlite {
            async fn add_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for row in rows {
                    diesel::insert_into($table::table).values(row).execute(self).await?;
                }
                Ok(())
            }

            async fn insert_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for row in rows {
                    let insert = diesel::insert_into($table::table).values(row);
                    insert.on_conflict_do_nothing().execute(self).await?;
                }
                Ok(())
            }

            async fn replace_all(&mut self, rows: &[$row]) -> diesel::QueryResult<()> {
                use diesel_async::RunQueryDsl as _;
                for row in rows {
                    diesel::replace_into($table::table).values(row).execute(self).await?;
                }
                Ok(())
            }
        }
    )+};
}
pub(super) use write_all;

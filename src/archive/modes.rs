//! What operators ordered for the whole service; it holds on every replica and after a restart.

use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _};
use diesel_async::RunQueryDsl as _;

use super::{
    column::Json,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::modes,
};
use crate::domain::Timestamp;

impl Archive {
    /// The value of a mode and when it was set.
    pub async fn mode(
        &self,
        name: &'static str,
    ) -> Result<Option<(serde_json::Value, Timestamp)>, ArchiveError> {
        let found: Option<(Json<serde_json::Value>, Timestamp)> = read!(self, |conn| {
            let row = modes::table.find(name).select((modes::value, modes::updated_at));
            row.first(conn).await.optional()
        })?;
        Ok(found.map(|(value, at)| (value.0, at)))
    }

    /// Gives the time under which it is kept: later than that of what it replaces, whatever the
    /// clocks of two replicas say.
    pub async fn set_mode(
        &self,
        name: &'static str,
        value: &serde_json::Value,
        now: Timestamp,
    ) -> Result<Timestamp, ArchiveError> {
        let value = Json(value.clone());
        transact!(self, |conn| {
            let before = modes::table.find(name).select(modes::updated_at);
            let before: Option<Timestamp> = before.first(conn).await.optional()?;
            let after = before.map_or(now, |at| Timestamp::from_millis(at.as_millis() + 1));
            let at = now.max(after);
            let row =
                (modes::name.eq(name), modes::value.eq(value.clone()), modes::updated_at.eq(at));
            diesel::replace_into(modes::table).values(row).execute(conn).await?;
            Ok(at)
        })
    }
}

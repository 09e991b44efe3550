//! Reads sessions as their tables have them, for a check.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::Count,
    error::ArchiveError,
    handle::Archive,
    query::read,
    rows::SessionRow,
    schema::{events, messages, sessions},
};
use crate::domain::{MessageId, SessionId, Version};

/// What the tables hold of one session, up to the `seq` of its row.
pub struct Kept {
    pub version: Version,
    /// Each event as it is stored, ascending by `seq`.
    pub payloads: Vec<(u64, String)>,
    pub messages: Vec<MessageId>,
}

impl Archive {
    /// At most `limit` sessions after `after`, in the order of their ids.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn session_ids(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionId>, ArchiveError> {
        let after = after.unwrap_or(SessionId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let later = sessions::table.filter(sessions::id.gt(after)).order(sessions::id.asc());
            later.limit(limit.into()).select(sessions::id).load(conn).await
        })
    }

    /// `None` if there is no such session.
    ///
    /// # Errors
    /// If the archive does not answer, or a row cannot be understood.
    pub async fn kept(&self, id: SessionId) -> Result<Option<Kept>, ArchiveError> {
        read!(self, |conn| {
            let row = sessions::table.find(id).select(SessionRow::as_select());
            let Some(row) = row.first(conn).await.optional()? else { return Ok(None) };
            let last = row.last_seq;
            let of_events = events::table.filter(events::session_id.eq(id));
            let of_events = of_events.filter(events::seq.le(last)).order(events::seq.asc());
            let payloads: Vec<(Count, String)> =
                of_events.select((events::seq, events::payload)).load(conn).await?;
            let of_messages = messages::table.filter(messages::session_id.eq(id));
            let of_messages = of_messages.filter(messages::seq.le(last)).order(messages::seq.asc());
            Ok(Some(Kept {
                version: row.version(),
                payloads: payloads.into_iter().map(|(seq, payload)| (seq.0, payload)).collect(),
                messages: of_messages.select(messages::id).load(conn).await?,
            }))
        })
    }
}

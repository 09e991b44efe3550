//! Sessions that went on in the archive while the hot store was away. Until one is attached again,
//! what the hot store says about it is old.

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::{Count, json},
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::{detached_sessions, sessions},
};
use crate::domain::{Append, Running, RunningChange, SessionId};

/// The mark that the hot store's copy of a session is behind.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = detached_sessions, treat_none_as_default_value = false, treat_none_as_null = true)]
#[diesel(primary_key(session_id))]
pub(super) struct DetachedRow {
    session_id: SessionId,
    last_seq: Count,
    /// The turn that runs, as JSON.
    running: Option<String>,
}

impl DetachedRow {
    pub fn new(append: &Append) -> Self {
        let running = match &append.running {
            RunningChange::Start(running) => Some(json(running)),
            RunningChange::Keep | RunningChange::Clear => None,
        };
        Self { session_id: append.meta.id, last_seq: Count(append.meta.last_seq), running }
    }
}

/// What is known of a detached session beside its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detached {
    pub running: Option<Running>,
}

impl Archive {
    /// Marks a session whose hot copy cannot be reached and must not be believed when it can.
    pub async fn detach(&self, id: SessionId) -> Result<(), ArchiveError> {
        let row = DetachedRow { session_id: id, last_seq: Count(0), running: None };
        transact!(self, |conn| {
            let insert = diesel::insert_into(detached_sessions::table).values(row.clone());
            insert.on_conflict_do_nothing().execute(conn).await?;
            Ok(())
        })
    }

    /// Whether the session is detached, and what runs in it.
    pub async fn detached(&self, id: SessionId) -> Result<Option<Detached>, ArchiveError> {
        let row = read!(self, |conn| {
            let row = detached_sessions::table.find(id).select(DetachedRow::as_select());
            row.first(conn).await.optional()
        })?;
        Ok(row.map(|row| Detached {
            running: row.running.and_then(|text| serde_json::from_str(&text).ok()),
        }))
    }

    /// At most `limit` detached sessions.
    pub async fn detached_sessions(&self, limit: u32) -> Result<Vec<SessionId>, ArchiveError> {
        read!(self, |conn| {
            let ids = detached_sessions::table.select(detached_sessions::session_id);
            ids.limit(limit.into()).load(conn).await
        })
    }

    /// The hot store has the session up to `through_seq` again. A session that went on meanwhile
    /// stays detached.
    pub async fn attach(&self, id: SessionId, through_seq: u64) -> Result<(), ArchiveError> {
        transact!(self, |conn| {
            let row = detached_sessions::table.find(id);
            let covered = row.filter(detached_sessions::last_seq.le(Count(through_seq)));
            diesel::delete(covered).execute(conn).await?;
            Ok(())
        })
    }

    /// How far the archive has those of `ids` that it knows.
    pub async fn last_seqs(
        &self,
        ids: &[SessionId],
    ) -> Result<Vec<(SessionId, u64)>, ArchiveError> {
        let ids = ids.to_vec();
        let rows: Vec<(SessionId, Count)> = read!(self, |conn| {
            let known = sessions::table.filter(sessions::id.eq_any(&ids));
            known.select((sessions::id, sessions::last_seq)).load(conn).await
        })?;
        Ok(rows.into_iter().map(|(id, seq)| (id, seq.0)).collect())
    }
}

//! Cold sessions: what is known of them, their journals, and how one is erased.
//!
//! A session's row in `sessions` is its lock: whoever writes a journal first makes or touches that
//! row. An erasure first makes its tombstone visible, then takes the same lock to delete. So a
//! flush either sees the tombstone or is finished before the deletion begins, and what was erased
//! does not come back.

use std::collections::{HashMap, HashSet};

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, QueryResult,
    SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use serde::Serialize;
use tokio::time::Instant;
use tracing::{Instrument as _, trace_span};

use super::{
    column::{Count, Json},
    error::{ArchiveError, conflict},
    handle::Archive,
    metrics,
    projection::{Views, write_journal},
    query::{read, transact},
    rows::{EventMark, EventRow, IdempotencyRow, SessionRow},
    schema::{audit, erased_sessions, events, feedback, idempotency, messages, sessions, tickets},
    write_all::WriteAll as _,
};
use crate::{
    clock,
    domain::{
        Event, IdempotencyRecord, MessageId, PrincipalId, SessionCopy, SessionId, SessionMeta,
        Timestamp, TurnId, newest_part, unfinished,
    },
    telemetry::traces,
};

/// Rows that an erasure removed; of `audit` entries only the details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ErasureCounts {
    pub events: usize,
    pub messages: usize,
    pub idempotency: usize,
    pub feedback: usize,
    pub tickets: usize,
    pub audit: usize,
}

/// The rows of a commit, at most one of `sessions` for each session: the newest.
pub(super) struct Rows {
    pub sessions: Vec<SessionRow>,
    /// Whether the batches say anything about a session's open turn.
    told: HashSet<SessionId>,
    pub views: Views,
}

/// What a commit needs to know of a session that is there.
type Known = HashMap<SessionId, (Count, Timestamp, Option<TurnId>)>;

impl Rows {
    pub fn new(batches: &[SessionCopy]) -> Self {
        let mut newest: HashMap<SessionId, SessionRow> = HashMap::new();
        let mut told = HashSet::new();
        let mut views = Views::default();
        for batch in batches {
            let last = newest_part(&batch.events);
            let mut row = SessionRow::new(&batch.meta, unfinished(&batch.events));
            if last.is_some() {
                told.insert(batch.meta.id);
            }
            newest
                .entry(batch.meta.id)
                .and_modify(|known| {
                    if last.is_none() {
                        row.open_turn_id = known.open_turn_id;
                    }
                    if (known.last_seq, known.updated_at) <= (row.last_seq, row.updated_at) {
                        known.clone_from(&row);
                    }
                })
                .or_insert_with(|| row.clone());
            views.add(&batch.meta, &batch.events, batch.idempotency.iter());
        }
        // One order for all replicas, so that two that flush the same sessions wait instead of
        // deadlocking.
        let mut sessions: Vec<_> = newest.into_values().collect();
        sessions.sort_unstable_by_key(|row| row.id);
        Self { sessions, told, views }
    }

    fn ids(&self) -> Vec<SessionId> {
        self.sessions.iter().map(|row| row.id).collect()
    }

    /// The session rows that are not older than what is there and belong to no erased session.
    fn sessions_to_write(&self, known: &Known, erased: &HashSet<SessionId>) -> Vec<SessionRow> {
        let rows = self.sessions.iter().filter(|row| !erased.contains(&row.id)).cloned();
        rows.filter_map(|mut row| {
            if let Some((last_seq, updated_at, open_turn_id)) = known.get(&row.id) {
                if (*last_seq, *updated_at) > (row.last_seq, row.updated_at) {
                    return None;
                }
                if !self.told.contains(&row.id) {
                    row.open_turn_id = *open_turn_id;
                }
            }
            Some(row)
        })
        .collect()
    }

    /// Sessions whose journal there may already hold some of these events, with the first such
    /// `seq`.
    fn overlap(&self, known: &Known) -> Option<(Vec<SessionId>, Count)> {
        let there =
            |row: &&EventRow| known.get(&row.session_id).is_some_and(|(last, ..)| row.seq <= *last);
        let overlapping: Vec<_> = self.views.events.iter().filter(there).collect();
        let first = overlapping.iter().map(|row| row.seq).min()?;
        let ids: HashSet<_> = overlapping.iter().map(|row| row.session_id).collect();
        Some((ids.into_iter().collect(), first))
    }

    /// Whether the journal there holds every one of these events.
    pub fn are_there(&self, there: &[EventMark]) -> bool {
        self.views.events.iter().all(|row| {
            let at = there.iter().find(|m| (m.session_id, m.seq) == (row.session_id, row.seq));
            at.is_some_and(|mark| mark.is_of(row))
        })
    }

    /// # Errors
    /// A conflict where the journal there holds another fact at the `seq` of one of these.
    fn check(&self, there: &[EventMark]) -> QueryResult<()> {
        let there: HashMap<_, _> =
            there.iter().map(|mark| ((mark.session_id, mark.seq), mark)).collect();
        let contradicts = |row: &EventRow| {
            there.get(&(row.session_id, row.seq)).is_some_and(|mark| !mark.is_of(row))
        };
        if self.views.events.iter().any(contradicts) { Err(conflict()) } else { Ok(()) }
    }
}

impl Archive {
    /// Brings all of `batches` into the archive or none of it. The same batch again changes
    /// nothing; what is known of a session never goes back to an earlier `last_seq`; a batch of an
    /// erased session is dropped.
    ///
    /// # Errors
    /// [`ArchiveError::Conflict`] where the archive holds another fact at the same `seq` of a session: two writers
    /// went on from one point, and the caller must read again.
    pub async fn commit(&self, batches: &[SessionCopy]) -> Result<(), ArchiveError> {
        if batches.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let span = trace_span!("flush", sessions = batches.len());
        let traces = batches.iter().flat_map(|batch| &batch.idempotency);
        traces.filter_map(|record| record.trace.as_deref()).for_each(|t| traces::link(&span, t));
        self.write(batches).instrument(span).await?;
        metrics::committed(batches.len(), started.elapsed());
        Ok(())
    }

    async fn write(&self, batches: &[SessionCopy]) -> Result<(), ArchiveError> {
        let rows = Rows::new(batches);
        transact!(self, |conn| {
            let ids = rows.ids();
            let blanks: Vec<_> = rows.sessions.iter().map(SessionRow::blank).collect();
            conn.insert_all(&blanks).await?;
            let erased: Vec<SessionId> = erased_sessions::table
                .filter(erased_sessions::session_id.eq_any(&ids))
                .select(erased_sessions::session_id)
                .load(conn)
                .await?;
            let erased: HashSet<_> = erased.into_iter().collect();
            if !erased.is_empty() {
                diesel::delete(sessions::table.filter(sessions::id.eq_any(&erased)))
                    .execute(conn)
                    .await?;
            }
            let known: Vec<(SessionId, Count, Timestamp, Option<TurnId>)> = sessions::table
                .filter(sessions::id.eq_any(&ids))
                .select((
                    sessions::id,
                    sessions::last_seq,
                    sessions::updated_at,
                    sessions::open_turn_id,
                ))
                .load(conn)
                .await?;
            let known: Known = known
                .into_iter()
                .map(|(id, last_seq, updated_at, open)| (id, (last_seq, updated_at, open)))
                .collect();
            if let Some((ids, first)) = rows.overlap(&known) {
                let there: Vec<EventMark> = events::table
                    .filter(events::session_id.eq_any(&ids))
                    .filter(events::seq.ge(first))
                    .select(EventMark::as_select())
                    .load(conn)
                    .await?;
                rows.check(&there)?;
            }
            let sessions = rows.sessions_to_write(&known, &erased);
            write_journal!(conn, &sessions, &rows.views.without(&erased));
            Ok(())
        })
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<SessionMeta>, ArchiveError> {
        let row = read!(self, |conn| {
            let row = sessions::table.find(id).select(SessionRow::as_select());
            row.first(conn).await.optional()
        })?;
        Ok(row.map(SessionRow::into_meta))
    }

    /// At most `limit` events after `after_seq`, ascending.
    pub async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<Event>, ArchiveError> {
        let events: Vec<Json<Event>> = read!(self, |conn| {
            let journal = events::table.filter(events::session_id.eq(id));
            let page = journal.filter(events::seq.gt(Count(after_seq))).order(events::seq.asc());
            page.limit(limit.into()).select(events::payload).load(conn).await
        })?;
        Ok(events.into_iter().map(|json| json.0).collect())
    }

    /// The newest `limit` events, ascending.
    pub async fn last_events(&self, id: SessionId, limit: u32) -> Result<Vec<Event>, ArchiveError> {
        let events: Vec<Json<Event>> = read!(self, |conn| {
            let journal = events::table.filter(events::session_id.eq(id));
            let page = journal.order(events::seq.desc()).limit(limit.into());
            page.select(events::payload).load(conn).await
        })?;
        Ok(events.into_iter().rev().map(|json| json.0).collect())
    }

    /// A session with at most `tail` of its newest events and the idempotency records of their
    /// turns.
    pub async fn cold(
        &self,
        id: SessionId,
        tail: u32,
    ) -> Result<Option<SessionCopy>, ArchiveError> {
        read!(self, |conn| {
            let row = sessions::table.find(id).select(SessionRow::as_select());
            let Some(row) = row.first(conn).await.optional()? else { return Ok(None) };
            let journal = events::table.filter(events::session_id.eq(id));
            // What was added since the row was read belongs to a later look.
            let page = journal.filter(events::seq.le(row.last_seq)).order(events::seq.desc());
            let newest: Vec<Json<Event>> =
                page.limit(tail.into()).select(events::payload).load(conn).await?;
            let events: Vec<Event> = newest.into_iter().rev().map(|json| json.0).collect();
            let turns: Vec<TurnId> = events.iter().map(|event| event.turn_id).collect();
            let records = idempotency::table.filter(idempotency::session_id.eq(id));
            let records = records.filter(idempotency::turn_id.eq_any(turns));
            let records: Vec<IdempotencyRow> =
                records.select(IdempotencyRow::as_select()).load(conn).await?;
            let idempotency = records.into_iter().map(IdempotencyRow::into_record).collect();
            Ok(Some(SessionCopy { meta: row.into_meta(), events, idempotency }))
        })
    }

    pub async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, ArchiveError> {
        let key = key.to_owned();
        let row = read!(self, |conn| {
            let row = idempotency::table.find((id, &key)).select(IdempotencyRow::as_select());
            row.first(conn).await.optional()
        })?;
        Ok(row.map(IdempotencyRow::into_record))
    }

    /// At most `limit` sessions of `owner` made before `before`, the newest first.
    pub async fn sessions_of(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, ArchiveError> {
        // No id is larger than the largest.
        let before = before.unwrap_or(SessionId(uuid::Uuid::max()));
        let rows = read!(self, |conn| {
            let owned = sessions::table.filter(sessions::owner_id.eq(owner));
            let page = owned.filter(sessions::id.lt(before)).order(sessions::id.desc());
            page.limit(limit.into()).select(SessionRow::as_select()).load(conn).await
        })?;
        Ok(rows.into_iter().map(SessionRow::into_meta).collect())
    }

    /// At most `limit` sessions whose last event starts a turn: after a crash of the embedded mode,
    /// the turns that were interrupted.
    pub async fn unfinished_turns(&self, limit: u32) -> Result<Vec<SessionId>, ArchiveError> {
        read!(self, |conn| {
            let open = sessions::table.filter(sessions::open_turn_id.is_not_null());
            open.limit(limit.into()).select(sessions::id).load(conn).await
        })
    }

    /// Removes everything that the archive holds of a session and leaves a tombstone, also for a
    /// session that it has not seen yet. May be repeated; a repetition counts what was left.
    pub async fn erase_session(
        &self,
        id: SessionId,
        owner: PrincipalId,
    ) -> Result<ErasureCounts, ArchiveError> {
        let erased_at = clock::now();
        transact!(self, |conn| {
            let tombstone = (
                erased_sessions::session_id.eq(id),
                erased_sessions::owner.eq(owner),
                erased_sessions::erased_at.eq(erased_at),
            );
            let insert = diesel::insert_into(erased_sessions::table).values(tombstone);
            insert.on_conflict_do_nothing().execute(conn).await
        })?;
        let target = id.to_string();
        transact!(self, |conn| {
            diesel::delete(sessions::table.find(id)).execute(conn).await?;
            let of_events = events::table.filter(events::session_id.eq(id));
            let of_messages = messages::table.filter(messages::session_id.eq(id));
            let of_idempotency = idempotency::table.filter(idempotency::session_id.eq(id));
            let of_feedback = feedback::table.filter(feedback::session_id.eq(id));
            let of_tickets = tickets::table.filter(tickets::session_id.eq(id));
            let of_audit = audit::table.filter(audit::target.eq(&target));
            Ok(ErasureCounts {
                events: diesel::delete(of_events).execute(conn).await?,
                messages: diesel::delete(of_messages).execute(conn).await?,
                idempotency: diesel::delete(of_idempotency).execute(conn).await?,
                feedback: diesel::delete(of_feedback).execute(conn).await?,
                tickets: diesel::delete(of_tickets).execute(conn).await?,
                audit: diesel::update(of_audit).set(audit::detail.eq("null")).execute(conn).await?,
            })
        })
    }

    /// Whose session it was, if it was erased.
    pub async fn erased_owner(&self, id: SessionId) -> Result<Option<PrincipalId>, ArchiveError> {
        read!(self, |conn| {
            let tombstone = erased_sessions::table.find(id).select(erased_sessions::owner);
            tombstone.first(conn).await.optional()
        })
    }

    /// The session that a message belongs to.
    pub async fn message_session(&self, id: MessageId) -> Result<Option<SessionId>, ArchiveError> {
        read!(self, |conn| {
            let message = messages::table.find(id).select(messages::session_id);
            message.first(conn).await.optional()
        })
    }
}

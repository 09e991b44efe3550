//! Journals that grow here and not in the hot store: one step of a session while that is away, and
//! facts that come home from a copy that went on elsewhere.

use std::collections::HashSet;

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::{Count, Json},
    detached::DetachedRow,
    error::ArchiveError,
    handle::Archive,
    journal::Rows,
    projection::{Views, write_journal},
    query::transact,
    rows::{EventMark, IdempotencyRow, SessionRow},
    schema::{detached_sessions, erased_sessions, events, idempotency, sessions},
    write_all::WriteAll as _,
};
use crate::domain::{
    Append, Appended, Event, RunningChange, SessionCopy, SessionId, SessionMeta, TurnId,
    newest_part, unfinished,
};

/// How [`Archive::merge`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The session as it is now; `moved` facts stand at another `seq` than they had.
    Done {
        meta: SessionMeta,
        moved: usize,
    },
    Erased,
}

impl Archive {
    /// One atomic step of a session, as the hot store would take it, and a mark that the session is
    /// detached: the hot store's copy is behind from now on. The same step again is done already.
    ///
    /// [`Appended::Missing`] where the archive does not know the session, or knows that it was erased.
    ///
    /// # Errors
    /// After [`ArchiveError::Timeout`] the step may have been taken.
    pub async fn append(&self, append: &Append) -> Result<Appended, ArchiveError> {
        let id = append.meta.id;
        let (expected, last) = (Count(append.expected_seq), Count(append.meta.last_seq));
        let rows = Rows::new(&[SessionCopy::from(append)]);
        let blanks: Vec<_> = match append.expected_seq {
            0 => rows.sessions.iter().map(SessionRow::blank).collect(),
            // Only a session that is known may go on.
            _ => Vec::new(),
        };
        let detached = DetachedRow::new(append);
        let keeps = append.running == RunningChange::Keep;
        let key = append.idempotency.as_ref().map(|record| record.key.clone());
        transact!(self, |conn| {
            conn.insert_all(&blanks).await?;
            let erased = erased_sessions::table.find(id).select(erased_sessions::session_id);
            if erased.first::<SessionId>(conn).await.optional()?.is_some() {
                diesel::delete(sessions::table.find(id)).execute(conn).await?;
                return Ok(Appended::Missing);
            }
            if let Some(key) = &key {
                let row = idempotency::table.find((id, key)).select(IdempotencyRow::as_select());
                if let Some(row) = row.first(conn).await.optional()? {
                    return Ok(Appended::Replayed(row.into_record()));
                }
            }
            // Whoever moves `last_seq` on holds the session's row until the end.
            let at_expected = sessions::table.find(id).filter(sessions::last_seq.eq(expected));
            let moved = diesel::update(at_expected).set(sessions::last_seq.eq(last));
            if moved.execute(conn).await? == 0 {
                let seq = sessions::table.find(id).select(sessions::last_seq);
                let Some(seq) = seq.first::<Count>(conn).await.optional()? else {
                    return Ok(Appended::Missing);
                };
                let there = events::table.filter(events::session_id.eq(id));
                let there: Vec<EventMark> = there
                    .filter(events::seq.gt(expected))
                    .filter(events::seq.le(last))
                    .select(EventMark::as_select())
                    .load(conn)
                    .await?;
                return Ok(if rows.are_there(&there) {
                    Appended::Done
                } else {
                    Appended::Conflict { last_seq: seq.0 }
                });
            }
            write_journal!(conn, &rows.sessions, &rows.views);
            let mark = diesel::insert_into(detached_sessions::table).values(detached.clone());
            mark.on_conflict_do_nothing().execute(conn).await?;
            let mark = diesel::update(detached_sessions::table.find(id));
            if keeps {
                mark.set(detached_sessions::last_seq.eq(last)).execute(conn).await?;
            } else {
                mark.set(detached.clone()).execute(conn).await?;
            }
            Ok(Appended::Done)
        })
    }

    /// Adds the facts of `batch` that the journal does not hold, in their order, behind its last.
    /// Where nobody else wrote meanwhile they keep their `seq`; where two copies went on from one
    /// point the later comers move behind, and nothing is lost. A turn whose idempotency key
    /// another turn has taken was never acknowledged and stays out.
    pub async fn merge(&self, batch: &SessionCopy) -> Result<Merged, ArchiveError> {
        // It may outlive whoever asked: on SQLite it runs to its end on a thread of its own.
        let batch = batch.clone();
        let id = batch.meta.id;
        let first = Count(
            batch.events.iter().map(|event| event.seq).min().unwrap_or(batch.meta.last_seq + 1),
        );
        let keys: Vec<String> = batch.idempotency.iter().map(|record| record.key.clone()).collect();
        let blank = SessionRow::new(&SessionMeta { last_seq: 0, ..batch.meta.clone() }, None);
        transact!(self, |conn| {
            conn.insert_all(std::slice::from_ref(&blank)).await?;
            let erased = erased_sessions::table.find(id).select(erased_sessions::session_id);
            if erased.first::<SessionId>(conn).await.optional()?.is_some() {
                diesel::delete(sessions::table.find(id)).execute(conn).await?;
                return Ok(Merged::Erased);
            }
            // Takes the session's row, so that nobody writes to its journal until the end.
            let row = diesel::update(sessions::table.find(id));
            row.set(sessions::last_seq.eq(sessions::last_seq)).execute(conn).await?;
            let known: SessionRow =
                sessions::table.find(id).select(SessionRow::as_select()).first(conn).await?;
            let there =
                events::table.filter(events::session_id.eq(id)).filter(events::seq.ge(first));
            let there: Vec<Json<Event>> = there.select(events::payload).load(conn).await?;
            let used = idempotency::table.filter(idempotency::session_id.eq(id));
            let used = used.filter(idempotency::idempotency_key.eq_any(&keys));
            let used: Vec<IdempotencyRow> =
                used.select(IdempotencyRow::as_select()).load(conn).await?;

            let merge = Merge::new(&batch, &there, &used, known);
            write_journal!(conn, std::slice::from_ref(&merge.session), &merge.views);
            Ok(Merged::Done { meta: merge.session.into_meta(), moved: merge.moved })
        })
    }
}

/// What a merge writes.
struct Merge {
    session: SessionRow,
    views: Views,
    moved: usize,
}

impl Merge {
    fn new(
        batch: &SessionCopy,
        there: &[Json<Event>],
        used: &[IdempotencyRow],
        known: SessionRow,
    ) -> Self {
        let void: HashSet<TurnId> = batch
            .idempotency
            .iter()
            .filter(|record| {
                let taken = used.iter().find(|row| row.idempotency_key == record.key);
                taken.is_some_and(|row| row.turn_id != record.turn_id)
            })
            .map(|record| record.turn_id)
            .collect();
        let missing = batch.events.iter().filter(|event| {
            !void.contains(&event.turn_id) && !there.iter().any(|other| is_same(event, &other.0))
        });
        let mut moved = 0;
        let added: Vec<Event> = missing
            .zip(known.last_seq.0 + 1..)
            .map(|(event, seq)| {
                moved += usize::from(event.seq != seq);
                Event { seq, ..event.clone() }
            })
            .collect();
        let last_seq = known.last_seq.0 + added.len() as u64;
        let newer = batch.meta.updated_at >= known.updated_at;
        let open = match newest_part(&added) {
            Some(_) => unfinished(&added),
            None => known.open_turn_id,
        };
        let base = if newer { batch.meta.clone() } else { known.into_meta() };
        let records = batch.idempotency.iter().filter(|record| !void.contains(&record.turn_id));
        let mut views = Views::default();
        views.add(&batch.meta, &added, records);
        Self { session: SessionRow::new(&SessionMeta { last_seq, ..base }, open), views, moved }
    }
}

/// Whether two events are one fact, wherever it stands.
fn is_same(one: &Event, other: &Event) -> bool {
    (one.turn_id, one.at, &one.fact) == (other.turn_id, other.at, &other.fact)
}

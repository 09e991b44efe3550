//! Sessions: what is known of them, their journals, and how one is erased.
//!
//! A session's row in `sessions` is its lock: an append takes it first, and so does the deletion of
//! an erasure. So an append is finished before the deletion begins, or finds no row. A creation
//! finds no row to lock, so an erasure makes its tombstone visible before it deletes: the creation
//! sees the tombstone, or is finished before the deletion begins. What was erased does not come
//! back.

use std::collections::HashMap;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    SelectableHelper as _, dsl::sql, sql_types::BigInt,
};
use diesel_async::RunQueryDsl as _;
use serde::Serialize;

use super::{
    column::{Count, Json},
    customers::number,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    replicas::now,
    rows::{IdempotencyRow, SessionRow},
    schema::{
        actions, audit, customer_erasures, erased_sessions, events, feedback, guard_decisions,
        handoffs, idempotency, messages, notes, sessions, step_ups, tags, tickets,
    },
};
use crate::domain::{
    Event, IdempotencyRecord, MessageId, PrincipalId, SessionId, SessionMeta, TurnId, Version,
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

/// A session as the archive has it.
pub struct Stored {
    pub meta: SessionMeta,
    pub version: Version,
    /// The replica that wrote the newest event; none before the first.
    pub owner: Option<String>,
    /// The newest events, ascending, without gaps up to `meta.last_seq`.
    pub events: Vec<Event>,
}

/// A session whose newest turn has no end yet.
pub struct OpenTurn {
    pub session: SessionId,
    pub turn: TurnId,
    /// The replica that began it; empty if an earlier build did.
    pub owner: String,
}

type OpenRow = (SessionId, Option<TurnId>, Option<String>);

impl OpenTurn {
    fn new((session, turn, owner): OpenRow) -> Option<Self> {
        Some(Self { session, turn: turn?, owner: owner.unwrap_or_default() })
    }
}

impl Archive {
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

    /// A session with at most `tail` of its newest events.
    pub async fn stored(&self, id: SessionId, tail: u32) -> Result<Option<Stored>, ArchiveError> {
        read!(self, |conn| {
            let row = sessions::table.find(id).select(SessionRow::as_select());
            let Some(row) = row.first(conn).await.optional()? else { return Ok(None) };
            let journal = events::table.filter(events::session_id.eq(id));
            // What was added since the row was read belongs to a later look.
            let page = journal.filter(events::seq.le(row.last_seq)).order(events::seq.desc());
            let newest: Vec<Json<Event>> =
                page.limit(tail.into()).select(events::payload).load(conn).await?;
            // It was erased since the row was read.
            if (newest.len() as u64) < row.last_seq.0.min(tail.into()) {
                return Ok(None);
            }
            Ok(Some(Stored {
                version: row.version(),
                owner: row.owner_replica.clone(),
                meta: row.into_meta(),
                events: newest.into_iter().rev().map(|json| json.0).collect(),
            }))
        })
    }

    /// Where a session stands.
    pub async fn version(&self, id: SessionId) -> Result<Option<Version>, ArchiveError> {
        let row = read!(self, |conn| {
            let row = sessions::table.find(id).select(SessionRow::as_select());
            row.first(conn).await.optional()
        })?;
        Ok(row.map(|row| row.version()))
    }

    /// `seq` of the newest event of those of `ids` that are there.
    pub async fn last_seqs(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, u64>, ArchiveError> {
        let ids = ids.to_vec();
        let rows: Vec<(SessionId, Count)> = read!(self, |conn| {
            let known = sessions::table.filter(sessions::id.eq_any(&ids));
            known.select((sessions::id, sessions::last_seq)).load(conn).await
        })?;
        Ok(rows.into_iter().map(|(id, seq)| (id, seq.0)).collect())
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

    /// At most `limit` open turns of replicas that are not among `living`, the oldest first.
    pub async fn open_turns_without(
        &self,
        living: &[String],
        limit: u32,
    ) -> Result<Vec<OpenTurn>, ArchiveError> {
        let living = living.to_vec();
        let rows: Vec<OpenRow> = read!(self, |conn| {
            let open = sessions::table.filter(sessions::open_turn_id.is_not_null());
            let others = open.filter(
                sessions::owner_replica.ne_all(&living).or(sessions::owner_replica.is_null()),
            );
            let oldest = others.order(sessions::open_turn_id.asc()).limit(limit.into());
            let columns = (sessions::id, sessions::open_turn_id, sessions::owner_replica);
            oldest.select(columns).load(conn).await
        })?;
        Ok(rows.into_iter().filter_map(OpenTurn::new).collect())
    }

    /// At most `limit` open turns of `replica`, the oldest first.
    pub async fn open_turns_of(
        &self,
        replica: &str,
        limit: u32,
    ) -> Result<Vec<OpenTurn>, ArchiveError> {
        let replica = replica.to_owned();
        let rows: Vec<OpenRow> = read!(self, |conn| {
            let open = sessions::table.filter(sessions::open_turn_id.is_not_null());
            let own = open.filter(sessions::owner_replica.eq(&replica));
            let oldest = own.order(sessions::open_turn_id.asc()).limit(limit.into());
            let columns = (sessions::id, sessions::open_turn_id, sessions::owner_replica);
            oldest.select(columns).load(conn).await
        })?;
        Ok(rows.into_iter().filter_map(OpenTurn::new).collect())
    }

    /// Removes everything that the archive holds of a session and leaves a tombstone, also for a
    /// session that it has not seen yet. May be repeated; a repetition counts what was left. The
    /// erasure of the whole customer, if there is one, counts it too.
    pub async fn erase_session(
        &self,
        id: SessionId,
        owner: PrincipalId,
    ) -> Result<ErasureCounts, ArchiveError> {
        use customer_erasures as whole;
        transact!(self, |conn| {
            let tombstone = (
                erased_sessions::session_id.eq(id),
                erased_sessions::owner.eq(owner),
                erased_sessions::erased_at.eq(sql::<BigInt>(now(conn))),
            );
            let insert = diesel::insert_into(erased_sessions::table).values(tombstone);
            insert.on_conflict_do_nothing().execute(conn).await
        })?;
        let target = id.to_string();
        transact!(self, |conn| {
            let gone = diesel::delete(sessions::table.find(id)).execute(conn).await?;
            let of_events = events::table.filter(events::session_id.eq(id));
            let of_messages = messages::table.filter(messages::session_id.eq(id));
            let of_idempotency = idempotency::table.filter(idempotency::session_id.eq(id));
            let of_feedback = feedback::table.filter(feedback::session_id.eq(id));
            let of_tickets = tickets::table.filter(tickets::session_id.eq(id));
            let of_guard = guard_decisions::table.filter(guard_decisions::session_id.eq(id));
            diesel::delete(of_guard).execute(conn).await?;
            let of_actions = actions::table.filter(actions::session_id.eq(id));
            diesel::delete(of_actions).execute(conn).await?;
            diesel::delete(step_ups::table.find(id)).execute(conn).await?;
            let of_handoffs = handoffs::table.filter(handoffs::session_id.eq(id));
            diesel::delete(of_handoffs).execute(conn).await?;
            let of_notes = notes::table.filter(notes::session_id.eq(id));
            diesel::delete(of_notes).execute(conn).await?;
            diesel::delete(tags::table.filter(tags::session_id.eq(id))).execute(conn).await?;
            let of_audit = audit::table.filter(audit::target.eq(&target));
            let counts = ErasureCounts {
                events: diesel::delete(of_events).execute(conn).await?,
                messages: diesel::delete(of_messages).execute(conn).await?,
                idempotency: diesel::delete(of_idempotency).execute(conn).await?,
                feedback: diesel::delete(of_feedback).execute(conn).await?,
                tickets: diesel::delete(of_tickets).execute(conn).await?,
                audit: diesel::update(of_audit).set(audit::detail.eq("null")).execute(conn).await?,
            };
            diesel::update(whole::table.find(owner))
                .set((
                    whole::sessions.eq(whole::sessions + number(gone)),
                    whole::events.eq(whole::events + number(counts.events)),
                    whole::messages.eq(whole::messages + number(counts.messages)),
                    whole::idempotency.eq(whole::idempotency + number(counts.idempotency)),
                    whole::feedback.eq(whole::feedback + number(counts.feedback)),
                    whole::tickets.eq(whole::tickets + number(counts.tickets)),
                    whole::audit.eq(whole::audit + number(counts.audit)),
                ))
                .execute(conn)
                .await?;
            Ok(counts)
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

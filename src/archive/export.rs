//! What the archive holds of one person, in pages.

use diesel::{ExpressionMethods as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _};
use diesel_async::RunQueryDsl as _;

use super::{
    audit::AuditEntry,
    column::{Count, Json, RecordId},
    error::ArchiveError,
    feedback::Feedback,
    handle::Archive,
    query::read,
    schema::{audit, events, feedback, idempotency, refresh_tokens, tickets},
    tickets::TicketRow,
    tokens::RefreshToken,
};
use crate::domain::{Event, Fact, MessageId, Part, People, PrincipalId, SessionId, TurnId};

/// The key of a request that began a turn.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = idempotency)]
pub struct KeyUse {
    pub turn_id: TurnId,
    pub idempotency_key: String,
}

/// Some events of a session, and all that is kept about them.
#[derive(Default)]
pub struct Held {
    pub events: Vec<Event>,
    pub ratings: Vec<Feedback>,
    pub tickets: Vec<TicketRow>,
    pub keys: Vec<KeyUse>,
}

impl Archive {
    /// At most `limit` events of a session after `after_seq`, ascending.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn held(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Held, ArchiveError> {
        read!(self, |conn| {
            let journal = events::table.filter(events::session_id.eq(id));
            let page = journal.filter(events::seq.gt(Count(after_seq))).order(events::seq.asc());
            let page: Vec<Json<Event>> =
                page.limit(limit.into()).select(events::payload).load(conn).await?;
            let events: Vec<Event> = page.into_iter().map(|json| json.0).collect();
            let Some(last) = events.last() else { return Ok(Held::default()) };
            let said: Vec<MessageId> =
                events.iter().filter_map(|event| event.fact.message_id()).collect();
            let delivered =
                |fact: &Fact| matches!(fact, Fact::People(People::MessageDelivered { .. }));
            let begun = events
                .iter()
                .filter(|event| event.fact.part() == Part::Begins || delivered(&event.fact));
            let turns: Vec<TurnId> = begun.map(|event| event.turn_id).collect();
            let ratings = feedback::table.filter(feedback::message_id.eq_any(&said));
            let tickets = tickets::table.filter(tickets::session_id.eq(id));
            let tickets = tickets.filter(tickets::seq.gt(Count(after_seq)));
            let tickets = tickets.filter(tickets::seq.le(Count(last.seq)));
            let keys = idempotency::table.filter(idempotency::session_id.eq(id));
            let keys = keys.filter(idempotency::turn_id.eq_any(&turns));
            Ok(Held {
                ratings: ratings.select(Feedback::as_select()).load(conn).await?,
                tickets: tickets.select(TicketRow::as_select()).load(conn).await?,
                keys: keys.select(KeyUse::as_select()).load(conn).await?,
                events,
            })
        })
    }

    /// At most `limit` refresh tokens of a person after `after`, the oldest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn sign_ins(
        &self,
        of: PrincipalId,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<RefreshToken>, ArchiveError> {
        let after = after.unwrap_or(RecordId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let own = refresh_tokens::table.filter(refresh_tokens::principal_id.eq(of));
            let page = own.filter(refresh_tokens::id.gt(after)).order(refresh_tokens::id.asc());
            page.limit(limit.into()).select(RefreshToken::as_select()).load(conn).await
        })
    }

    /// At most `limit` entries about `target` after `after`, the oldest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn audit_of(
        &self,
        target: &str,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, ArchiveError> {
        let target = target.to_owned();
        let after = after.unwrap_or(RecordId(uuid::Uuid::nil()));
        read!(self, |conn| {
            let about = audit::table.filter(audit::target.eq(&target));
            let page = about.filter(audit::id.gt(after)).order(audit::id.asc());
            page.limit(limit.into()).select(AuditEntry::as_select()).load(conn).await
        })
    }
}

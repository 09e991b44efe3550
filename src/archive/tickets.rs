//! Questions that are answered later, as a view of the journal: an answer that opens a ticket makes
//! its row, the answer to it closes the row, each in the transaction of its event. What else stands
//! in a row (who works on it until when) is not in the journal and may be lost: then the ticket is
//! only worked on again.

use diesel::{
    ExpressionMethods as _, Insertable, QueryDsl as _, QueryResult, Queryable, Selectable,
    SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;

use super::{
    column::Count,
    error::ArchiveError,
    handle::Archive,
    query::{read, transact},
    schema::tickets,
    write_all::write_all,
};
use crate::domain::{Event, Fact, SessionId, SiteId, Ticket, TicketId, TicketState, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = tickets, treat_none_as_default_value = false)]
pub struct TicketRow {
    pub id: TicketId,
    pub site_id: SiteId,
    pub session_id: SessionId,
    /// Of the question.
    pub seq: Count,
    pub created_at: Timestamp,
    pub answered_at: Option<Timestamp>,
    /// Leases so far.
    pub attempts: Count,
    pub leased_until: Timestamp,
}

impl TicketRow {
    /// The row of a ticket that `event` opens.
    pub(super) fn opened(event: &Event, site: &SiteId) -> Option<Self> {
        match ticket_of(event)? {
            Ticket { id, state: TicketState::Open } => Some(Self {
                id,
                site_id: site.clone(),
                session_id: event.session_id,
                // At most asides come between a message and the end of its turn.
                seq: Count(event.seq.saturating_sub(1)),
                created_at: event.at,
                answered_at: None,
                attempts: Count(0),
                leased_until: Timestamp::from_millis(0),
            }),
            Ticket { state: TicketState::Answered, .. } => None,
        }
    }
}

/// A ticket that `event` answers.
pub(super) fn answered(event: &Event) -> Option<(TicketId, Timestamp)> {
    let ticket = ticket_of(event)?;
    (ticket.state == TicketState::Answered).then_some((ticket.id, event.at))
}

fn ticket_of(event: &Event) -> Option<Ticket> {
    match &event.fact {
        Fact::AnswerCompleted(answer) => answer.ticket,
        Fact::MessageCreated { .. }
        | Fact::TurnFailed { .. }
        | Fact::TurnCancelled { .. }
        | Fact::ActionProposed(_)
        | Fact::ActionResult(_)
        | Fact::People(_)
        | Fact::Unknown(_) => None,
    }
}

write_all! {
    TicketRow => tickets, |_| 256;
}

impl Archive {
    /// Open tickets that nobody works on, the oldest first, at most `limit`: the caller's until
    /// `until`.
    pub async fn lease_tickets(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TicketRow>, ArchiveError> {
        // Read outside of the transaction: mostly there is nothing to do.
        let open: Vec<TicketRow> = read!(self, |conn| {
            let open = tickets::table.filter(tickets::answered_at.is_null());
            let free = open.filter(tickets::leased_until.le(now));
            let oldest = free.order((tickets::created_at.asc(), tickets::id.asc()));
            oldest.limit(limit.into()).select(TicketRow::as_select()).load(conn).await
        })?;
        if open.is_empty() {
            return Ok(open);
        }
        transact!(self, |conn| {
            let mut leased: Vec<TicketRow> = Vec::new();
            for row in &open {
                let attempts = Count(row.attempts.0 + 1);
                // Of two replicas that saw the same row, one finds it as it was.
                let same = tickets::table
                    .find(row.id)
                    .filter(tickets::answered_at.is_null())
                    .filter(tickets::leased_until.eq(row.leased_until))
                    .filter(tickets::attempts.eq(row.attempts));
                let lease = (tickets::leased_until.eq(until), tickets::attempts.eq(attempts));
                if diesel::update(same).set(lease).execute(conn).await? == 1 {
                    leased.push(TicketRow { attempts, leased_until: until, ..row.clone() });
                }
            }
            Ok(leased)
        })
    }

    /// Gives a lease back: the ticket may be worked on again from `from` on.
    pub async fn release_ticket(
        &self,
        lease: &TicketRow,
        from: Timestamp,
    ) -> Result<(), ArchiveError> {
        let (id, attempts) = (lease.id, lease.attempts);
        transact!(self, |conn| {
            let mine = tickets::table.find(id).filter(tickets::attempts.eq(attempts));
            diesel::update(mine).set(tickets::leased_until.eq(from)).execute(conn).await
        })?;
        Ok(())
    }

    pub async fn open_tickets(&self) -> Result<u64, ArchiveError> {
        let count: i64 = read!(self, |conn| {
            let open = tickets::table.filter(tickets::answered_at.is_null());
            let count: QueryResult<i64> = open.count().get_result(conn).await;
            count
        })?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

//! The views of the journal: messages, idempotency records and tickets are written here and nowhere
//! else, in one transaction with the events that they show.

use super::{
    rows::{EventRow, IdempotencyRow, MessageRow},
    tickets::{TicketRow, answered},
};
use crate::domain::{Event, IdempotencyRecord, SessionMeta, TicketId, Timestamp};

/// The rows of some events, of one session or of many.
#[derive(Clone, Default)]
pub(super) struct Views {
    pub events: Vec<EventRow>,
    pub messages: Vec<MessageRow>,
    pub idempotency: Vec<IdempotencyRow>,
    pub tickets: Vec<TicketRow>,
    /// Tickets that these events answer.
    pub answered: Vec<(TicketId, Timestamp)>,
}

impl Views {
    /// What `events` of a session show, and the record of the turn that they begin.
    pub fn of(meta: &SessionMeta, events: &[Event], record: Option<&IdempotencyRecord>) -> Self {
        Self {
            events: events.iter().map(EventRow::new).collect(),
            messages: events.iter().filter_map(MessageRow::new).collect(),
            idempotency: record.iter().map(|r| IdempotencyRow::new(meta.id, r)).collect(),
            tickets: events.iter().filter_map(|e| TicketRow::opened(e, &meta.site_id)).collect(),
            answered: events.iter().filter_map(answered).collect(),
        }
    }

    /// Takes in the rows of another step.
    pub fn extend(&mut self, other: &Self) {
        self.events.extend_from_slice(&other.events);
        self.messages.extend_from_slice(&other.messages);
        self.idempotency.extend_from_slice(&other.idempotency);
        self.tickets.extend_from_slice(&other.tickets);
        self.answered.extend_from_slice(&other.answered);
    }
}

/// `write_journal!(connection, &[SessionRow], &Views)`: within a transaction of the caller, which
/// holds the sessions' rows.
macro_rules! write_journal {
    ($connection:ident, $sessions:expr, $views:expr) => {{
        use $crate::archive::write_all::WriteAll as _;
        let views: &$crate::archive::projection::Views = $views;
        $connection.replace_all($sessions).await?;
        $connection.add_all(&views.events).await?;
        $connection.add_all(&views.messages).await?;
        $connection.add_all(&views.idempotency).await?;
        $connection.insert_all(&views.tickets).await?;
        for (id, at) in &views.answered {
            let close = diesel::update($crate::archive::schema::tickets::table.find(id));
            let answered = $crate::archive::schema::tickets::answered_at.eq(Some(*at));
            close.set(answered).execute($connection).await?;
        }
    }};
}
pub(super) use write_journal;

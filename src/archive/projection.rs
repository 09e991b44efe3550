//! The views of the journal: messages, idempotency records and tickets are written here and nowhere
//! else, in one transaction with the events that they show.

use std::collections::HashSet;

use super::{
    rows::{EventRow, IdempotencyRow, MessageRow},
    tickets::{TicketRow, answered},
};
use crate::domain::{Event, IdempotencyRecord, SessionId, SessionMeta, TicketId, Timestamp};

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
    /// Adds what `events` of a session show, and `records` of their turns.
    pub fn add<'a>(
        &mut self,
        meta: &SessionMeta,
        events: &[Event],
        records: impl Iterator<Item = &'a IdempotencyRecord>,
    ) {
        self.events.extend(events.iter().map(EventRow::new));
        self.messages.extend(events.iter().filter_map(MessageRow::new));
        self.idempotency.extend(records.map(|record| IdempotencyRow::new(meta.id, record)));
        self.tickets.extend(events.iter().filter_map(|e| TicketRow::opened(e, &meta.site_id)));
        self.answered.extend(events.iter().filter_map(answered));
    }

    /// Leaves out what belongs to these sessions.
    pub fn without(&self, erased: &HashSet<SessionId>) -> Self {
        let mut views = self.clone();
        views.events.retain(|row| !erased.contains(&row.session_id));
        views.messages.retain(|row| !erased.contains(&row.session_id));
        views.idempotency.retain(|row| !erased.contains(&row.session_id));
        views.tickets.retain(|row| !erased.contains(&row.session_id));
        views
    }
}

/// `write_journal!(connection, &[SessionRow], &Views)`: within a transaction of the caller, which
/// holds the sessions' rows. Rows that are there already stay as they are.
macro_rules! write_journal {
    ($connection:ident, $sessions:expr, $views:expr) => {{
        use $crate::archive::write_all::WriteAll as _;
        let views: &$crate::archive::projection::Views = $views;
        $connection.replace_all($sessions).await?;
        $connection.insert_all(&views.events).await?;
        $connection.insert_all(&views.messages).await?;
        $connection.insert_all(&views.idempotency).await?;
        $connection.insert_all(&views.tickets).await?;
        for (id, at) in &views.answered {
            let close = diesel::update($crate::archive::schema::tickets::table.find(id));
            let answered = $crate::archive::schema::tickets::answered_at.eq(Some(*at));
            close.set(answered).execute($connection).await?;
        }
    }};
}
pub(super) use write_journal;

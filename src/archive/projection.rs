//! The views of the journal: messages, idempotency records, tickets, actions and handoffs are
//! written here and nowhere else, in one transaction with the events that they show.

use super::{
    actions::ActionViews,
    handoffs::HandoffViews,
    rows::{EventRow, IdempotencyRow, MessageRow},
    tickets::{TicketRow, answered},
};
use crate::domain::{Append, TicketId, Timestamp};

/// The rows of some events, of one session or of many.
#[derive(Clone, Default)]
pub(super) struct Views {
    pub events: Vec<EventRow>,
    pub messages: Vec<MessageRow>,
    pub idempotency: Vec<IdempotencyRow>,
    pub tickets: Vec<TicketRow>,
    /// Tickets that these events answer.
    pub answered: Vec<(TicketId, Timestamp)>,
    pub actions: ActionViews,
    pub handoffs: HandoffViews,
}

impl Views {
    /// What the events of a step show, and the record of the turn that they begin. `replica`
    /// appends.
    pub fn of(append: &Append, replica: &str) -> Self {
        let Append { meta, events, idempotency: record, .. } = append;
        Self {
            events: events.iter().map(EventRow::new).collect(),
            messages: events.iter().filter_map(MessageRow::new).collect(),
            idempotency: record.iter().map(|r| IdempotencyRow::new(meta.id, r)).collect(),
            tickets: events.iter().filter_map(|e| TicketRow::opened(e, &meta.site_id)).collect(),
            answered: events.iter().filter_map(answered).collect(),
            actions: ActionViews::of(append, replica),
            handoffs: HandoffViews::of(append),
        }
    }

    /// Takes in the rows of another step.
    pub fn extend(&mut self, other: &Self) {
        self.events.extend_from_slice(&other.events);
        self.messages.extend_from_slice(&other.messages);
        self.idempotency.extend_from_slice(&other.idempotency);
        self.tickets.extend_from_slice(&other.tickets);
        self.answered.extend_from_slice(&other.answered);
        self.actions.extend(&other.actions);
        self.handoffs.extend(&other.handoffs);
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
        $crate::archive::actions::write_actions!($connection, &views.actions);
        $crate::archive::handoffs::write_handoffs!($connection, &views.handoffs);
    }};
}
pub(super) use write_journal;

//! A question that is kept and answered when there is room for it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TicketId, TurnId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TicketState {
    /// Kept; the answer comes into the session by itself.
    Open,
    Answered,
}

/// What an answer has to do with a ticket: the one that opens it and the one that answers it name the same `id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ticket {
    pub id: TicketId,
    pub state: TicketState,
}

impl Ticket {
    pub const fn opened_by(turn: TurnId) -> Self {
        Self { id: TicketId(turn.0), state: TicketState::Open }
    }

    pub const fn answered(id: TicketId) -> Self {
        Self { id, state: TicketState::Answered }
    }
}

impl TicketId {
    /// The turn whose question waits.
    pub const fn turn(self) -> TurnId {
        TurnId(self.0)
    }
}

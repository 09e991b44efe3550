//! A question that is kept and answered when a slot is free.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::{TicketId, TurnId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TicketState {
    /// Not answered yet. The answer will arrive in the session.
    Open,
    Answered,
}

/// The ticket of an answer. The answer that opens it and the one that answers it have the same
/// `id`.
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

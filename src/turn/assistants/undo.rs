//! "Undo that": the change that is meant, and the call that takes it back. It is proposed like any
//! other change: it may cost money, and the shopper sees what it does before it is done.

use tokio::time::Instant;

use crate::{
    archive::Action,
    clock,
    domain::{ActionId, Timestamp},
    tools::Prepared,
    turn::{ask::Ask, kept, ports::Ports, reply::Reply},
};

/// What became of the wish.
pub enum Undo {
    Call {
        change: Box<Prepared>,
        of: ActionId,
        until: Timestamp,
    },
    /// Nothing that was made here is meant.
    Other,
    /// The shop does not take it back, or not any more.
    TooLate,
    /// The shop does not say what its change did.
    Silent,
}

pub async fn undo(
    ports: &Ports,
    ask: &Ask,
    reply: &Reply,
    made: &[ActionId],
    orders: &[String],
) -> Undo {
    let session = reply.log().session_id();
    let Ok(open) = ports.undos.among(session, made).await else { return Undo::Silent };
    let is_meant = |action: &&Action| {
        let order = kept::order(action);
        orders.is_empty()
            || order.is_some_and(|order| orders.iter().any(|o| o.eq_ignore_ascii_case(&order)))
    };
    let Some(action) = open.iter().rev().find(is_meant) else {
        return if orders.is_empty() { Undo::TooLate } else { Undo::Other };
    };
    let until = kept::undo_until(&ports.tools, action, kept::asked_at(action));
    let Some(until) = until.filter(|until| clock::now() < *until) else { return Undo::TooLate };
    let deadline: Instant = ask.begun + ports.turn.timeout;
    match kept::undo(&ports.tools, action, deadline).await {
        Ok(Some(change)) => Undo::Call { change: Box::new(change), of: action.id, until },
        Ok(None) => Undo::TooLate,
        Err(_) => Undo::Silent,
    }
}

//! Carries out a change that its shopper has confirmed.
//!
//! It is asked of the shop once, with the action's id as the key. It cannot be cancelled: once it
//! was sent, only the shop knows what became of it. Without an answer the turn ends as "unknown",
//! and the shop is asked later (`actions`).

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout_at};
use tracing::error;

use super::{
    kept,
    ports::{Carried, Ports},
    reply::Reply,
};
use crate::{
    archive::Action,
    assistant::actions,
    clock,
    domain::{ActionOutcome, ActionStatus, Answer, Choice, Ending, Fact, Route, Timestamp},
};

/// Calls the shop and answers with what it said. `interrupted` gives up the wait.
pub async fn carry_out(
    ports: &Ports,
    action: &Action,
    reply: &mut Reply,
    interrupted: impl Future<Output = ()>,
) -> Ending {
    let deadline = Instant::now() + ports.actions.timeout;
    let call = AssertUnwindSafe((ports.actions.call)(action.clone(), deadline)).catch_unwind();
    let carried = tokio::select! {
        biased;
        carried = timeout_at(deadline, call) => carried,
        () = interrupted => Ok(Ok(Carried::Unknown)),
    };
    let carried = match carried {
        Ok(Ok(carried)) => carried,
        Ok(Err(_panic)) => {
            error!(action_id = %action.id, "a call of a tool panicked");
            Carried::Unknown
        }
        Err(_elapsed) => Carried::Unknown,
    };
    close(reply, action, carried.outcome(action))
}

/// Ends a turn with what became of a proposal.
pub fn close(reply: &mut Reply, action: &Action, outcome: ActionOutcome) -> Ending {
    let answer = reply.say(&outcome.detail, Route::Tool, Vec::new());
    let answer = told(action, outcome.clone(), answer);
    Ending { outcome: Some(outcome), ..reply.complete(answer).into() }
}

/// The end of a proposal that is told after its turn: a late answer of the service.
pub fn late(action: &Action, outcome: ActionOutcome) -> Ending {
    let answer = told(action, outcome.clone(), Answer::new(&outcome.detail, Route::Tool));
    Ending { outcome: Some(outcome), ..Fact::AnswerCompleted(answer).into() }
}

/// What can be taken back has a button for it.
fn told(action: &Action, outcome: ActionOutcome, answer: Answer) -> Answer {
    let choices = outcome.undo_until.map(|_| {
        let label = actions::undo(action.language).to_owned();
        let order = kept::order(action);
        let text = order.map_or_else(|| label.clone(), |order| format!("{label}: {order}"));
        Choice { label, text }
    });
    let choices = choices.into_iter().collect();
    Answer { language: Some(action.language), outcome: Some(outcome), choices, ..answer }
}

impl Carried {
    /// What became of it, and how that is said.
    pub fn outcome(self, action: &Action) -> ActionOutcome {
        let language = action.language;
        let (status, said, undo_until) = match self {
            Self::Done { said, undo_until } => (ActionStatus::Done, Some(said), undo_until),
            Self::Failed(said) => (ActionStatus::Failed, Some(said), None),
            Self::NotDone => (ActionStatus::Failed, None, None),
            Self::Unknown => (ActionStatus::Unknown, None, None),
        };
        let said = said.filter(|said| !said.is_empty());
        let mut detail = said.unwrap_or_else(|| actions::outcome(status, language).to_owned());
        // A time that is over before it was read is no offer.
        let minutes = |until: Timestamp| until.since(clock::now()).as_secs() / 60;
        let undo_until = undo_until.filter(|until| minutes(*until) > 0);
        if let Some(until) = undo_until {
            detail = format!("{detail} {}", actions::can_undo(minutes(until), language));
        }
        ActionOutcome { undo_until, ..ActionOutcome::new(action.id, status, detail) }
    }
}

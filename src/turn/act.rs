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
    ports::{Carried, Ports},
    reply::Reply,
};
use crate::{
    archive::Action,
    assistant::actions,
    domain::{ActionOutcome, ActionStatus, Answer, Ending, Fact, Language, Route},
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
    let (status, text) = carried.outcome(action.language);
    close(reply, action, status, &text)
}

/// Ends a turn with what became of a proposal.
pub fn close(reply: &mut Reply, action: &Action, status: ActionStatus, text: &str) -> Ending {
    let outcome = Some(outcome(action, status, text));
    let answer = reply.say(text, Route::Tool, Vec::new());
    let answer = Answer { language: Some(action.language), outcome: outcome.clone(), ..answer };
    Ending { outcome, ..reply.complete(answer).into() }
}

/// The end of a proposal that is told after its turn: a late answer of the service.
pub fn late(action: &Action, status: ActionStatus, text: &str) -> Ending {
    let outcome = Some(outcome(action, status, text));
    let answer = Answer::new(text, Route::Tool);
    let answer = Answer { language: Some(action.language), outcome: outcome.clone(), ..answer };
    Ending { outcome, ..Fact::AnswerCompleted(answer).into() }
}

fn outcome(action: &Action, status: ActionStatus, text: &str) -> ActionOutcome {
    ActionOutcome { action_id: action.id, status, detail: text.to_owned() }
}

impl Carried {
    /// What became of it, and how that is said.
    pub fn outcome(self, language: Language) -> (ActionStatus, String) {
        let (status, said) = match self {
            Self::Done(said) => (ActionStatus::Done, Some(said)),
            Self::Failed(said) => (ActionStatus::Failed, Some(said)),
            Self::NotDone => (ActionStatus::Failed, None),
            Self::Unknown => (ActionStatus::Unknown, None),
        };
        let said = said.filter(|said| !said.is_empty());
        (status, said.unwrap_or_else(|| actions::outcome(status, language).to_owned()))
    }
}

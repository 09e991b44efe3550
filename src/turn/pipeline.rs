//! The life of a turn, top to bottom.

use super::{
    ask::Ask,
    assistants, cached,
    ports::Ports,
    refuse,
    reply::Reply,
    retrieve,
    share::{self, Shared},
    understand,
};
use crate::domain::{Ending, Problem};

/// Continues as the leader, or ends the turn with another turn's answer.
macro_rules! shared {
    ($shared:expr) => {
        match $shared {
            Shared::Answered(fact) => return Ok((*fact).into()),
            Shared::Leading(place) => Some(place),
            Shared::Alone => None,
        }
    };
}

/// Answers `ask` into `reply` and returns how the turn ended. The caller ends the log.
///
/// Dropping the future cancels the turn: a backend's connection closes and its slot is free.
///
/// # Errors
/// The problem that the shopper sees in `turn.failed`.
pub async fn run_turn(ports: &Ports, ask: &Ask, reply: &mut Reply) -> Result<Ending, Problem> {
    if let Some(code) = &ask.code {
        return Ok(assistants::typed(ports, ask, reply, code).await);
    }
    if let Some(refusal) = refuse::at_once(ask) {
        return Ok(reply.refuse(refusal).into());
    }
    if let Some(hit) = ask.exact() {
        return Ok(reply.serve(hit).into());
    }
    let level = share::level(ports, ask);
    let _place = shared!(share::same_words(ports, ask, reply).await);
    // Rules read an errand, and nothing is searched for it.
    let embedding = match &ask.errand {
        Some(_) => None,
        None => retrieve::embed(ports, ask, reply).await,
    };
    let embedding = embedding.as_ref();
    if let Some(refusal) = refuse::by_meaning(ports, ask, embedding).await {
        return Ok(reply.refuse(refusal).into());
    }
    let understood = understand::understand(ports, ask, embedding);
    reply.understand(&understood.intent, ask.language);
    let mut led = None;
    if understood.is_question() {
        if let Some(hit) = cached::by_meaning(ports, ask, reply, embedding) {
            return Ok(reply.serve(&hit).into());
        }
        led = shared!(share::same_meaning(ports, ask, reply, embedding).await);
    }
    let given = assistants::answer(ports, ask, reply, level, &understood, embedding).await?;
    cached::remember(ports, ask, reply, &given, embedding).await;
    drop(led);
    let (drafts, people) = (given.drafts, given.people);
    Ok(Ending { drafts, people, ..reply.complete(given.answer).into() })
}

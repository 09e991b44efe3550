//! Reads the answer of another turn with the same question.

use std::sync::Arc;

use crate::{
    brownout,
    domain::{Answer, CacheInfo, CacheTier, Fact, Route},
    log::{TextReader, TextStep, TurnLog},
    turn::{ask::Ask, ports::Ports, reply::Reply},
};

/// Copies the leader's answer into `reply` while it is written. `tier` is what the two questions
/// have in common. Returns `None` if the leader ended without an answer for others; text shown
/// until then is withdrawn.
pub async fn follow(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    leader: &Arc<TurnLog>,
    tier: CacheTier,
) -> Option<Fact> {
    reply.start(Route::Coalesced);
    match read_along(ports, ask, reply, leader, tier).await {
        Some(answer) => {
            reply.cite(&answer.citations);
            Some(reply.complete(answer))
        }
        None => {
            reply.withdraw("leader_ended");
            None
        }
    }
}

async fn read_along(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    leader: &Arc<TurnLog>,
    tier: CacheTier,
) -> Option<Answer> {
    let mut reader = TextReader::of(leader);
    let end = loop {
        match reader.next().await {
            TextStep::Added(text) => {
                if !reply.add(&text) {
                    return None;
                }
            }
            TextStep::Replaced(text) => reply.replace("restarted", text),
            TextStep::Ended(end) => break end?,
        }
    };
    let Fact::AnswerCompleted(answer) = &end.fact else { return None };
    // Each question gets its own ticket. If none may be opened, another leader is tried.
    let own = answer.ticket.and_then(|_| ask.ticket(ports, reply.turn_id()));
    if own.is_some() != answer.ticket.is_some() {
        return None;
    }
    own.iter().for_each(|_| brownout::metrics::ticket_opened());
    let route = if own.is_some() { Route::Template } else { Route::Coalesced };
    let source = CacheInfo { tier, age_ms: None, entry: Some(answer.message_id) };
    Some(Answer {
        citations: answer.citations.clone(),
        cache: answer.cache.or(Some(source)),
        finish_reason: answer.finish_reason,
        ticket: own,
        intent: answer.intent.clone(),
        language: answer.language,
        choices: answer.choices.clone(),
        ..Answer::new(answer.text.clone(), route)
    })
}

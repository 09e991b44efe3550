//! Writes the answer: with a model if there is one, else from the best passage, else an honest "I
//! do not know". If the model has no capacity, the service level decides what happens instead, down
//! to a ticket.

mod citations;
mod failure;
mod model;
mod pages;
mod request;

use self::failure::Failure;
use super::{
    ask::Ask,
    cached::Given,
    ports::{ModelPort, Ports},
    reply::Reply,
};
use crate::{
    assistant::{smalltalk, ticket},
    brownout::{self, Service},
    domain::{Answer, Problem, ServiceLevel},
    knowledge::Passage,
};

/// Sent if neither the model nor the knowledge has an answer.
const UNKNOWN: &str = "I could not find an answer to that in our help pages. \
Would you like a person from our team to help you?";

/// The answer, shown while it is generated. `level`: the service level for the model.
///
/// # Errors
/// The problem that the shopper sees.
pub async fn answer(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    level: ServiceLevel,
    passages: &[Passage],
) -> Result<Given, Problem> {
    let at = ask.service.level;
    let Some(model) = &ports.model else {
        let answer = match smalltalk::reply(ask.said.text()) {
            Some(text) => pages::template(reply, text),
            None => match pages::found(ports, ask, passages) {
                Some(found) => pages::quote(reply, found),
                None => pages::template(reply, UNKNOWN),
            },
        };
        return Ok(Given { answer, at });
    };
    let Service { level: current, pinned } = ask.service;
    if current >= ServiceLevel::KNOWLEDGE && !has_room(ports, ask, model) {
        if let Some(text) = smalltalk::reply(ask.said.text()) {
            return Ok(Given { answer: pages::template(reply, text), at });
        }
        if let Some(found) = pages::found(ports, ask, passages) {
            return Ok(Given { answer: pages::quote(reply, found), at });
        }
    }
    let failure = if current >= ServiceLevel::TICKET && pinned {
        Failure::Ordered
    } else {
        match model::generate(ports, ask, reply, model, level, passages).await {
            Ok(answer) => return Ok(Given { answer, at: level }),
            Err(failure) => failure,
        }
    };
    let fallback = fall_back(ports, ask, reply, passages, &failure);
    fallback.map(|answer| Given { answer, at }).ok_or_else(|| failure.problem())
}

/// Whether the model would start at once, so that skipping it gains nothing. False if an operator
/// pinned the level.
fn has_room(ports: &Ports, ask: &Ask, model: &ModelPort) -> bool {
    let soon = model.pressure.predicted_wait() <= ports.brownout.room();
    !ask.service.pinned && model.pressure.has_backend() && soon
}

/// Falls back step by step. First comes the shop's own text if it is a sure answer; it visibly
/// replaces what a failed model had shown. Next comes a ticket, if nothing was shown. `None` means
/// that the failure is reported.
fn fall_back(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    passages: &[Passage],
    failure: &Failure,
) -> Option<Answer> {
    if let Some(found) = pages::found(ports, ask, passages) {
        reply.withdraw("model_failed");
        return Some(pages::quote(reply, found));
    }
    if !reply.text().is_empty() || !failure.may_wait(ask.service.level) {
        return None;
    }
    let ticket = ask.ticket(ports, reply.turn_id())?;
    brownout::metrics::ticket_opened();
    let answer = pages::template(reply, ticket::kept(&ask.locale));
    Some(Answer { ticket: Some(ticket), ..answer })
}

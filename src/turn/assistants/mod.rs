//! Carries out what the assistant's plan says: searches, asks the model, quotes, asks back. If the
//! model has no capacity, the service level decides what happens instead, down to a ticket.

mod citations;
mod errands;
mod failure;
mod grounding;
mod hands;
mod items;
mod model;
mod own;
mod pages;
mod proposal;
mod request;
mod results;
mod step_up;
mod stream;
mod undo;

use self::{errands::Why, failure::Failure, hands::Hands, model::Made, proposal::propose};
use super::{
    ask::Ask,
    codes::Wanting,
    ports::{ModelPort, Ports},
    reply::Reply,
    retrieve::{self, Retrieved},
    understand::Understanding,
};
use crate::{
    assistant::plan::{self, Scratch, Search, Step},
    brownout::{self, Service},
    domain::{Answer, Draft, Ending, OneTimeCode, People, Problem, Route, ServiceLevel},
    embedding::messages::Embedding,
    knowledge::{Extract, Passage},
    tools::Prepared,
};

/// What a typed one-time code leads to.
pub async fn typed(ports: &Ports, ask: &Ask, reply: &mut Reply, code: &OneTimeCode) -> Ending {
    let (answer, draft) = step_up::typed(ports, ask, reply, code).await;
    let answer = Answer { language: Some(ask.language), ..answer };
    Ending { drafts: draft.into_iter().collect(), ..reply.complete(answer).into() }
}

/// An answer and what it was made from.
pub struct Given {
    pub answer: Answer,
    /// Changes that it proposes, to this shopper only.
    pub drafts: Vec<Draft>,
    /// The handoff that it tells of.
    pub people: Vec<People>,
    /// The service level of the answer. Only answers at the full level are shared.
    pub at: ServiceLevel,
    /// No sentence of it broke a rule of the guard.
    pub is_supported: bool,
    /// Whether it fits everybody who asks the same.
    pub for_all: bool,
    pub retrieved: Retrieved,
}

/// The answer, shown while it is made. `level`: the service level for the model.
///
/// # Errors
/// The problem that the shopper sees.
pub async fn answer(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    level: ServiceLevel,
    understood: &Understanding,
    embedding: Option<&Embedding>,
) -> Result<Given, Problem> {
    let catalog = &ask.duty.catalog;
    let at = ask.service.level;
    let mut scratch = scratch(ports, ask, understood);
    let (mut retrieved, mut found, mut failure) = (Retrieved::default(), None, None);
    let (mut drafts, mut people) = (Vec::new(), Vec::new());
    // An errand is not embedded before it turns out to be a question for the pages.
    let mut late = None;
    let (answer, at, is_supported, for_all) = loop {
        let at_once = match plan::next(&scratch, catalog) {
            Step::Search => {
                let assistant = catalog.of(understood.intent.topic);
                let embedding = embedding.or(late.as_ref());
                retrieved = retrieve::passages(ports, ask, reply, embedding, assistant).await;
                found = pages::found(ports, ask, &retrieved);
                let by_meaning = embedding.is_some();
                scratch.search = Some(searched(&retrieved.passages, found.as_ref(), by_meaning));
                continue;
            }
            Step::Generate => {
                match generate(
                    ports,
                    ask,
                    reply,
                    level,
                    understood,
                    &retrieved.passages,
                    found.as_ref(),
                )
                .await
                {
                    Ok(Generated::Model(answer, is_supported)) => {
                        let for_all = !understood.frustrated && answer.route == Route::Model;
                        break (*answer, level, is_supported, for_all);
                    }
                    Ok(Generated::Proposal(change)) => {
                        let (answer, draft) =
                            propose(ports, ask, reply, &change, &Why::Asked(Vec::new())).await;
                        drafts.extend(draft);
                        break (answer, at, true, false);
                    }
                    Ok(Generated::Code(wanting)) => {
                        let answer = step_up::send(ports, ask, reply, &wanting).await;
                        break (answer, at, true, false);
                    }
                    Ok(Generated::Person) => {
                        let (answer, brought) = own::person(ports, ask, reply).await;
                        people = brought;
                        break (answer, at, true, false);
                    }
                    Ok(Generated::Quoted(answer)) => {
                        break (*answer, at, true, !understood.frustrated);
                    }
                    Err(failed) => {
                        failure = Some(failed);
                        scratch.failed = true;
                        continue;
                    }
                }
            }
            Step::Quote => {
                if scratch.failed {
                    reply.withdraw("model_failed");
                }
                match found.take() {
                    Some(found) => {
                        let answer = pages::quote(ask, reply, understood, found);
                        break (answer, at, true, !understood.frustrated);
                    }
                    None => own::unknown(ask, reply, understood),
                }
            }
            Step::GiveUp => match &failure {
                Some(failure) => {
                    let kept = keep(ports, ask, reply, failure);
                    kept.ok_or_else(|| failure.problem())?
                }
                None => own::unknown(ask, reply, understood),
            },
            Step::Errand => match &ask.errand {
                Some(errand) => {
                    match errands::run(ports, ask, reply, errand, understood.frustrated).await {
                        errands::Done::Answer(answer) => *answer,
                        errands::Done::Nothing => {
                            scratch.errand = false;
                            late = retrieve::embed(ports, ask, reply).await;
                            continue;
                        }
                        errands::Done::Code(wanting) => {
                            step_up::send(ports, ask, reply, &wanting).await
                        }
                        errands::Done::Proposal(change, why) => {
                            let (answer, draft) = propose(ports, ask, reply, &change, &why).await;
                            drafts.extend(draft);
                            answer
                        }
                        errands::Done::Person => {
                            let (answer, brought) = own::person(ports, ask, reply).await;
                            people = brought;
                            answer
                        }
                    }
                }
                None => own::unknown(ask, reply, understood),
            },
            Step::Say(sentence) => own::say(ask, reply, understood, sentence),
            Step::AskBack(sentence, topics) => own::ask_back(ask, reply, sentence, &topics),
            Step::Reach => {
                let (answer, brought) = own::person(ports, ask, reply).await;
                people = brought;
                answer
            }
        };
        break (at_once, at, true, false);
    };
    Ok(Given { answer, drafts, people, at, is_supported, for_all, retrieved })
}

fn scratch<'a>(ports: &Ports, ask: &Ask, understood: &'a Understanding) -> Scratch<'a> {
    Scratch {
        intent: &understood.intent,
        small_talk: understood.small_talk,
        number: understood.number,
        asks_for_person: understood.asks_for_person,
        errand: ask.errand.is_some(),
        offered: understood.offered,
        declines: understood.declines,
        helpless: understood.helpless,
        follows: !ask.said.history().is_empty(),
        model: ports.model.is_some(),
        knowledge: ports.knowledge.has_passages(&ask.site),
        search: None,
        failed: false,
    }
}

fn searched(passages: &[Passage], found: Option<&Extract>, by_meaning: bool) -> Search {
    let confidence = passages.first().map_or(0.0, |passage| passage.confidence);
    Search { confidence, by_meaning, quotable: found.is_some() }
}

enum Generated {
    /// And whether no sentence of it broke a rule of the guard.
    Model(Box<Answer>, bool),
    /// The model asks for a change.
    Proposal(Box<Prepared>),
    /// The model asks for what needs a one-time code.
    Code(Box<Wanting>),
    /// The model asks for a person.
    Person,
    /// The model has no capacity, and a page answers.
    Quoted(Box<Answer>),
}

/// Asks the model, unless the service level says that a page comes first.
async fn generate(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    level: ServiceLevel,
    understood: &Understanding,
    passages: &[Passage],
    found: Option<&Extract>,
) -> Result<Generated, Failure> {
    let Some(model) = &ports.model else { return Err(Failure::Ordered) };
    let Service { level: current, pinned } = ask.service;
    if let Some(found) = found
        && current >= ServiceLevel::KNOWLEDGE
        && !has_room(ports, ask, model)
    {
        let quoted = pages::quote(ask, reply, understood, found.clone());
        return Ok(Generated::Quoted(Box::new(quoted)));
    }
    if current >= ServiceLevel::TICKET && pinned {
        return Err(Failure::Ordered);
    }
    let hands = Hands::of(ports, ask, reply.log().session_id());
    let made =
        model::generate(ports, ask, reply, model, level, understood, passages, hands).await?;
    Ok(match made {
        Made::Answer(answer, is_supported) => Generated::Model(answer, is_supported),
        Made::Proposal(change) => Generated::Proposal(change),
        Made::Code(wanting) => Generated::Code(wanting),
        Made::Person => Generated::Person,
    })
}

/// Whether the model would start at once, so that skipping it gains nothing. False if an operator
/// pinned the level.
fn has_room(ports: &Ports, ask: &Ask, model: &ModelPort) -> bool {
    let soon = model.pressure.predicted_wait() <= ports.brownout.room();
    !ask.service.pinned && model.pressure.has_backend() && soon
}

/// Keeps the question as a ticket, if nothing was shown. `None` means that the failure is reported.
fn keep(ports: &Ports, ask: &Ask, reply: &mut Reply, failure: &Failure) -> Option<Answer> {
    if !reply.text().is_empty() || !failure.may_wait(ask.service.level) {
        return None;
    }
    let ticket = ask.ticket(ports, reply.turn_id())?;
    brownout::metrics::ticket_opened();
    Some(Answer { ticket: Some(ticket), ..own::busy(ask, reply) })
}

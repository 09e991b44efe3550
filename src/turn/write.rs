//! Writing the answer: with a model where there is one, else from the best passage, else an honest "I do not know".
//! Where the model has no time, the service level says what comes instead, down to a ticket.

use std::sync::Arc;

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{
    citations::cited,
    pipeline::{Answer, Turn, millis},
    ports::{ModelPort, Purpose},
};
use crate::{
    assistant::{
        prompt::{Budget, Earlier, Length, Line, Source, Speaker, build},
        smalltalk, ticket,
    },
    brownout::{self, Service},
    domain::{ErrorCode, FinishReason, Live, Problem, Route, ServiceLevel, Stage},
    guard::{OutputFilter, mask},
    inference::{
        ChatMessage, ChatRequest, ChatRole, GenerateError, GenerateRequest, Generation, Piece,
        QueuePosition, Refused, Tier, affinity_of, estimate_tokens,
    },
    knowledge::{Passage, extract},
};

/// A turn leaves the queue when it has waited this many times the longest wait that it accepts.
const QUEUE_PATIENCE: f32 = 1.5;
/// When a client may ask again that was turned away by an operator's order.
const AFTER_AN_ORDER: Duration = Duration::from_secs(30);

/// What is said where neither the model nor the knowledge has an answer.
const UNKNOWN: &str = "I could not find an answer to that in our help pages. \
Would you like a person from our team to help you?";

pub async fn answer(turn: &mut Turn, passages: &[Passage]) -> Result<Answer, Problem> {
    let ports = Arc::clone(&turn.ports);
    let Some(model) = &ports.model else {
        if let Some(reply) = smalltalk::reply(&turn.masked.text) {
            return Ok(template(turn, reply));
        }
        let found = from_knowledge(turn, passages);
        return Ok(found.unwrap_or_else(|| template(turn, UNKNOWN)));
    };
    let Service { level, pinned } = turn.service;
    if level >= ServiceLevel::KNOWLEDGE && !has_room(turn, model) {
        if let Some(reply) = smalltalk::reply(&turn.masked.text) {
            return Ok(template(turn, reply));
        }
        if let Some(found) = from_knowledge(turn, passages) {
            return Ok(found);
        }
    }
    if level >= ServiceLevel::TICKET && pinned {
        return instead(turn, passages, &Failure::Ordered)
            .ok_or_else(|| problem(&Failure::Ordered));
    }
    match generate(turn, model, passages).await {
        Ok(answer) => Ok(answer),
        // Nothing was shown yet: whatever helps is better than an error.
        Err(failure) if turn.log.text().is_empty() => {
            instead(turn, passages, &failure).ok_or_else(|| problem(&failure))
        }
        Err(failure) => Err(problem(&failure)),
    }
}

/// Why the model gave no answer.
enum Failure {
    Generate(GenerateError),
    /// It ended well and said nothing.
    Empty,
    /// An operator took the model out of service.
    Ordered,
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        Self::Generate(error)
    }
}

/// Whether the model would begin at once, so that nothing is gained by passing it by. An order counts all the same.
fn has_room(turn: &Turn, model: &ModelPort) -> bool {
    let soon = model.pressure.predicted_wait() <= turn.ports.brownout.room();
    !turn.service.pinned && model.pressure.has_backend() && soon
}

/// Down the ladder: the shop's own words where they are sure, else a ticket. `None` leaves an honest no.
fn instead(turn: &mut Turn, passages: &[Passage], failure: &Failure) -> Option<Answer> {
    if let Some(found) = from_knowledge(turn, passages) {
        return Some(found);
    }
    let ticket = turn.ticket().filter(|_| may_wait(turn.service.level, failure))?;
    brownout::metrics::ticket_opened();
    let text = ticket::kept(&turn.input.locale);
    Some(Answer { ticket: Some(ticket), ..template(turn, text) })
}

/// Whether the question may become a ticket: where there was no room for it, and at the last level whatever failed. A
/// visitor who asks too much at once is told so, and a service that shuts down promises nothing.
fn may_wait(level: ServiceLevel, failure: &Failure) -> bool {
    match failure {
        Failure::Generate(GenerateError::Refused(refused)) => match refused {
            Refused::QueueFull { .. }
            | Refused::TooLate { .. }
            | Refused::NoBackend { .. }
            | Refused::DeadlinePassed => true,
            Refused::TooManyOfVisitor { .. } | Refused::Closing => false,
        },
        Failure::Generate(_) | Failure::Empty => level >= ServiceLevel::TICKET,
        Failure::Ordered => true,
    }
}

/// The best passage's own sentences, with their source.
fn from_knowledge(turn: &mut Turn, passages: &[Passage]) -> Option<Answer> {
    let found = extract(&turn.masked.text, passages)
        .filter(|found| found.confidence >= turn.ports.turn.answer_confidence)?;
    turn.start(Route::Knowledge);
    Some(say(turn, found.text, Route::Knowledge, found.citations))
}

fn template(turn: &mut Turn, text: &str) -> Answer {
    turn.start(Route::Template);
    say(turn, text.to_owned(), Route::Template, Vec::new())
}

fn say(
    turn: &mut Turn,
    text: String,
    route: Route,
    citations: Vec<crate::domain::Citation>,
) -> Answer {
    turn.first_token();
    let complete = turn.log.push_text(&text);
    turn.cite(&citations);
    Answer {
        text: turn.log.text(),
        route,
        citations,
        usage: None,
        cache: None,
        finish_reason: if complete { FinishReason::Stop } else { FinishReason::Length },
        ticket: None,
        given_at: turn.service.level,
    }
}

async fn generate(
    turn: &mut Turn,
    model: &ModelPort,
    passages: &[Passage],
) -> Result<Answer, Failure> {
    let (sender, mut queued) = watch::channel(None);
    let request = request(turn, model, passages, sender);
    let begun = Instant::now();
    let started = Generation::start(&model.acquire, request.clone());
    let mut generation = told(turn, started, &mut queued).await?;
    turn.timings.queue_ms = Some(generation.queue_wait().as_millis().try_into().unwrap_or(0));
    turn.start(Route::Model);
    turn.log.push(&Live::TurnStatus { stage: Stage::Writing });
    tracing::debug!(backend = generation.backend(), waited_ms = millis(begun), "generation began");

    let mut filter = OutputFilter::new(&turn.masked.vault, turn.ports.turn.max_answer_bytes);
    let mut usage = None;
    let mut finish_reason = FinishReason::Stop;
    let mut restarts = request.limits.restarts;
    loop {
        let piece = match generation.next().await {
            Ok(piece) => piece,
            Err(error) if generation.can_restart() && restarts > 0 => {
                restarts -= 1;
                let restarted = generation.restart(&model.acquire, request.clone());
                let restarted = told(turn, restarted, &mut queued).await;
                // The first failure says more, and what was shown stays.
                generation = restarted.map_err(|_| error)?;
                if !turn.log.text().is_empty() {
                    let (reason, text) = ("restarted".into(), String::new());
                    turn.log.push(&Live::AnswerReplaced { reason, text });
                }
                filter = OutputFilter::new(&turn.masked.vault, turn.ports.turn.max_answer_bytes);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match piece {
            Some(Piece::Text(piece)) => {
                let safe = filter.push(&piece);
                if !safe.is_empty() {
                    turn.first_token();
                }
                if !turn.log.push_text(&safe) || filter.is_truncated() {
                    finish_reason = FinishReason::Length;
                    break;
                }
            }
            Some(Piece::Usage(counted)) => usage = Some(counted),
            Some(Piece::Finished(reason)) => finish_reason = reason,
            // No tool was offered, so none is run.
            Some(Piece::ToolCall(_)) => {}
            None => break,
        }
    }
    let tail = filter.finish();
    if !turn.log.push_text(&tail.text) || tail.truncated {
        finish_reason = FinishReason::Length;
    }
    let text = turn.log.text();
    if text.trim().is_empty() {
        return Err(Failure::Empty);
    }
    let citations = cited(&text, passages, turn.ports.turn.answer_confidence);
    turn.cite(&citations);
    Ok(Answer {
        text,
        route: Route::Model,
        citations,
        usage,
        cache: None,
        finish_reason,
        ticket: None,
        given_at: owed(turn),
    })
}

/// Waits until the answer begins, and says where the turn stands in the queue meanwhile.
async fn told(
    turn: &Turn,
    started: impl Future<Output = Result<Generation, GenerateError>>,
    queued: &mut watch::Receiver<Option<QueuePosition>>,
) -> Result<Generation, GenerateError> {
    let mut started = Box::pin(started);
    loop {
        tokio::select! {
            biased;
            generation = &mut started => return generation,
            Ok(()) = queued.changed() => {
                let place = *queued.borrow_and_update();
                if let Some(QueuePosition { position, eta }) = place {
                    let eta_ms = u64::try_from(eta.as_millis()).unwrap_or(u64::MAX);
                    turn.log.push(&Live::TurnQueued { position, eta_ms });
                }
            }
        }
    }
}

fn request(
    turn: &Turn,
    model: &ModelPort,
    passages: &[Passage],
    queued: watch::Sender<Option<QueuePosition>>,
) -> GenerateRequest {
    let config = &turn.ports.turn;
    let sources: Vec<Source<'_>> =
        passages.iter().map(|p| Source { title: &p.title, text: &p.text }).collect();
    let history: Vec<Earlier> = turn
        .input
        .history
        .iter()
        .map(|exchange| Earlier {
            user: mask(&exchange.user).text,
            answer: exchange.answer.as_deref().map(|answer| mask(answer).text),
        })
        .collect();
    let budget = Budget { total: config.prompt_tokens, history: config.history_tokens };
    let Brief { length, max_tokens, reasoning, tier, max_wait } = brief(turn);
    let question = &turn.masked.text;
    let lines = build(question, &sources, &history, length, budget, estimate_tokens);
    let mut limits = model.limits;
    if let Some(max_wait) = max_wait {
        // A prediction that was too kind is not paid for by the shopper.
        limits.queue = limits.queue.min(max_wait.mul_f32(QUEUE_PATIENCE));
    }
    GenerateRequest {
        site: turn.input.site.clone(),
        visitor: turn.input.visitor,
        lane: turn.input.lane,
        tier,
        deadline: Instant::now() + config.timeout,
        max_wait,
        affinity: Some(affinity(turn)),
        queued: Some(queued),
        limits,
        chat: ChatRequest {
            model: None,
            messages: lines.into_iter().map(message).collect(),
            max_tokens,
            temperature: config.temperature,
            reasoning,
        },
    }
}

/// How much is asked of the model.
struct Brief {
    length: Length,
    max_tokens: u32,
    reasoning: bool,
    tier: Tier,
    /// Longest predicted wait; a ticket takes what comes.
    max_wait: Option<Duration>,
}

/// The level of service at which the model is asked. A question that others ask too is answered in full at any level, for
/// the cache gives that answer to all who come later; an order counts all the same.
fn owed(turn: &Turn) -> ServiceLevel {
    let shared = turn.in_demand && !turn.service.pinned;
    if shared { ServiceLevel::FULL } else { turn.service.level }
}

fn brief(turn: &Turn) -> Brief {
    let (level, brownout) = (owed(turn), &turn.ports.brownout);
    let longest = turn.ports.turn.max_answer_tokens;
    let short = level >= ServiceLevel::SHORT;
    let waits = turn.input.purpose != Purpose::Ticket;
    Brief {
        length: if short { Length::Short } else { Length::Normal },
        max_tokens: if short { longest.min(brownout.short_answer_tokens()) } else { longest },
        reasoning: !short,
        tier: if level >= ServiceLevel::SMALL { Tier::Small } else { Tier::Full },
        max_wait: waits.then(|| brownout.longest_wait(turn.service.level)),
    }
}

/// A conversation that goes on prefers the backend that has it in its cache; a first question that of its shop.
fn affinity(turn: &Turn) -> u64 {
    let visitor = (!turn.input.history.is_empty()).then_some(turn.input.visitor);
    affinity_of((turn.input.site.as_str(), visitor.map(|visitor| visitor.0)))
}

fn message(line: Line) -> ChatMessage {
    let role = match line.speaker {
        Speaker::System => ChatRole::System,
        Speaker::User => ChatRole::User,
        Speaker::Assistant => ChatRole::Assistant,
    };
    ChatMessage { role, content: line.text }
}

/// What a failed generation is called in public.
fn problem(failure: &Failure) -> Problem {
    let retry = |code: ErrorCode, after: Duration| {
        let mut problem = Problem::new(code);
        problem.retry_after_ms = u64::try_from(after.as_millis()).ok();
        problem
    };
    let error = match failure {
        Failure::Generate(error) => error,
        Failure::Empty => return Problem::new(ErrorCode::DependencyUnavailable),
        Failure::Ordered => return retry(ErrorCode::Overloaded, AFTER_AN_ORDER),
    };
    match error {
        GenerateError::Refused(
            Refused::QueueFull { retry_after } | Refused::TooLate { retry_after },
        ) => retry(ErrorCode::Overloaded, *retry_after),
        // The visitor's own doing.
        GenerateError::Refused(Refused::TooManyOfVisitor { retry_after }) => {
            retry(ErrorCode::RateLimited, *retry_after)
        }
        GenerateError::Refused(Refused::NoBackend { retry_after }) => {
            retry(ErrorCode::DependencyUnavailable, *retry_after)
        }
        GenerateError::Refused(Refused::DeadlinePassed) => Problem::new(ErrorCode::Overloaded),
        GenerateError::Refused(Refused::Closing) => Problem::new(ErrorCode::Draining),
        GenerateError::Timeout(_) => Problem::new(ErrorCode::UpstreamTimeout),
        GenerateError::Upstream(_) => Problem::new(ErrorCode::DependencyUnavailable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_whose_questions_wait_already_is_told_apart_from_a_full_queue() {
        let retry_after = Duration::from_secs(3);
        for (refused, status) in [
            (Refused::TooManyOfVisitor { retry_after }, 429),
            (Refused::QueueFull { retry_after }, 503),
            (Refused::TooLate { retry_after }, 503),
        ] {
            let problem = problem(&Failure::Generate(refused.into()));
            assert_eq!((problem.status, problem.retry_after_ms), (status, Some(3_000)));
        }
    }
}

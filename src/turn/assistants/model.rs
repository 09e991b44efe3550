//! An answer of the model, with the tools that it calls on the way.

use super::{
    citations::cited,
    failure::Failure,
    grounding::Ground,
    hands::{Handed, Hands},
    request::request,
    stream::{Streamed, stream},
};
use crate::{
    domain::{Answer, Route, ServiceLevel, Stage, Usage},
    inference::{ChatMessage, GenerateError, Outcome, ToolChoice},
    knowledge::Passage,
    tools::Prepared,
    turn::{
        ask::Ask,
        codes::Wanting,
        ports::{ModelPort, Ports},
        reply::Reply,
        understand::Understanding,
    },
};

pub enum Made {
    /// And whether the guard let through all of it.
    Answer(Box<Answer>, bool),
    /// The model asks for a change. The shopper decides.
    Proposal(Box<Prepared>),
    /// The model asks for what needs a one-time code.
    Code(Box<Wanting>),
    /// The model asks for a person.
    Person,
}

/// Sends the question to the model at `level` of service, runs the tools that it calls with
/// `hands`, and shows what the guard lets through.
///
/// # Errors
/// The text shown before the failure stays in `reply`.
#[expect(clippy::too_many_arguments, reason = "each is another part of the turn")]
pub async fn generate(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    model: &ModelPort,
    level: ServiceLevel,
    understood: &Understanding,
    passages: &[Passage],
    hands: Option<Hands<'_>>,
) -> Result<Made, Failure> {
    let told = ask.said.told();
    let mut request = request(ports, ask, model, level, &told, understood, passages);
    let mut hands = hands.filter(|_| model.takes_tools.is_worth_trying());
    let mut steps = if hands.is_some() { ports.turn.tool_steps } else { 0 };
    request.chat.tools = hands.as_ref().map(Hands::offered).unwrap_or_default();
    let mut found = Vec::new();
    let mut usage = None;
    let Streamed { finish_reason, checked, .. } = loop {
        if steps == 0 {
            request.chat.tool_choice = ToolChoice::None;
        }
        let ground = Ground::new(ports, ask, &told, passages, &found, &request.chat);
        let vault = hands.as_ref().map_or(&told.vault, |hands| &hands.vault);
        let streamed = match stream(ports, reply, model, &request, &ground, vault).await {
            // A server that was not started for tools refuses every request with some.
            Err(GenerateError::Upstream(Outcome::ClientError(400 | 422))) if steps > 0 => {
                model.takes_tools.refused();
                hands = None;
                steps = 0;
                request.chat.tools.clear();
                continue;
            }
            // Half a call is never run.
            Err(GenerateError::Upstream(Outcome::BrokenToolCall)) if steps > 0 => {
                reply.withdraw("tool_call");
                steps = 0;
                continue;
            }
            streamed => streamed?,
        };
        usage = sum(usage, streamed.usage);
        let calls = &streamed.calls;
        let Some(hands) = hands.as_mut().filter(|_| steps > 0 && !calls.is_empty()) else {
            break streamed;
        };
        steps -= 1;
        reply.withdraw("tool_call");
        reply.stage(Stage::Searching);
        let first_number = passages.len() + 1;
        match hands.run(calls, first_number, &mut found).await {
            Handed::Proposed(prepared) => return Ok(Made::Proposal(prepared)),
            Handed::Code(wanting) => return Ok(Made::Code(wanting)),
            Handed::Person => return Ok(Made::Person),
            Handed::Results(results) => {
                let results = calls.iter().zip(results);
                let results = results.map(|(call, result)| ChatMessage::result(call, result));
                let called = ChatMessage::calls(streamed.spoken.clone(), calls.clone());
                request.chat.messages.extend(std::iter::once(called).chain(results));
            }
        }
    };
    let text = reply.text();
    if text.trim().is_empty() {
        return Err(Failure::Empty);
    }
    let sources = checked.as_ref().map(|checked| checked.sources.as_slice());
    let citations = cited(&text, passages, &found, sources, ports.turn.answer_confidence);
    reply.cite(&citations);
    let decisions = checked.map(|checked| checked.decisions).unwrap_or_default();
    let is_supported = decisions.is_empty();
    let session = reply.log().session_id();
    ports.decisions.note(&ask.site, session, reply.turn_id(), decisions);
    let route = if found.is_empty() { Route::Model } else { Route::Tool };
    let answer = Answer { citations, usage, finish_reason, ..Answer::new(text, route) };
    Ok(Made::Answer(Box::new(answer), is_supported))
}

/// Of all requests of the turn.
fn sum(one: Option<Usage>, other: Option<Usage>) -> Option<Usage> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Usage {
            prompt_tokens: one.prompt_tokens + other.prompt_tokens,
            completion_tokens: one.completion_tokens + other.completion_tokens,
        }),
        (one, other) => one.or(other),
    }
}

//! The request to the model, and its limits.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    assistant::{
        Assistant,
        prompt::{Brief, Budget, Earlier, Length, Line, Parts, Source, Speaker, build},
    },
    domain::ServiceLevel,
    inference::{
        ChatMessage, ChatRequest, ChatRole, GenerateRequest, Tier, ToolChoice, affinity_of,
        estimate_tokens,
    },
    knowledge::Passage,
    turn::{
        ask::Ask,
        ports::{ModelPort, Ports},
        screen::Screened,
        understand::Understanding,
    },
};

/// A turn leaves the queue after this many times the longest wait that it accepts.
const QUEUE_PATIENCE: f32 = 1.5;

/// The prompt with what was `told`, and its limits at `level` of service.
pub fn request(
    ports: &Ports,
    ask: &Ask,
    model: &ModelPort,
    level: ServiceLevel,
    told: &Screened,
    understood: &Understanding,
    passages: &[Passage],
) -> GenerateRequest {
    let config = &ports.turn;
    let sources: Vec<Source<'_>> =
        passages.iter().map(|p| Source { title: &p.title, text: &p.text }).collect();
    let history: Vec<Earlier<'_>> = told
        .history
        .iter()
        .map(|exchange| Earlier { user: &exchange.user, answer: exchange.answer.as_deref() })
        .collect();
    let budget = Budget { total: config.prompt_tokens, history: config.history_tokens };
    let shop = ports.shop(&ask.site);
    let assistant = ask.duty.catalog.of(understood.intent.topic);
    let Size { length, max_tokens, reasoning, tier, max_wait } = size(ports, ask, level, assistant);
    let today = ask.began_at.date_in_words();
    let parts = Parts {
        brief: Brief {
            shop: &shop.name,
            assistant,
            language: ask.language,
            today: &today,
            upset: understood.frustrated,
            page: ask.page.as_ref().map_or(&[], |page| &page.lines),
        },
        question: &told.text,
        sources: &sources,
        history: &history,
        length,
        placeholders: !told.vault.is_empty(),
    };
    let lines = build(&parts, budget, estimate_tokens);
    let mut limits = model.limits;
    if let Some(max_wait) = max_wait {
        // A prediction that was too optimistic must not make the shopper wait much longer.
        limits.queue = limits.queue.min(max_wait.mul_f32(QUEUE_PATIENCE));
    }
    GenerateRequest {
        site: ask.site.clone(),
        visitor: ask.visitor,
        from: ask.from,
        lane: ask.lane,
        tier,
        deadline: Instant::now() + config.timeout,
        max_wait,
        affinity: Some(affinity(ask)),
        queued: None,
        limits,
        chat: ChatRequest {
            messages: lines.into_iter().map(message).collect(),
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens,
            temperature: assistant.temperature.unwrap_or(config.temperature),
            reasoning,
        },
    }
}

/// The size of the request to the model.
struct Size {
    length: Length,
    max_tokens: u32,
    reasoning: bool,
    tier: Tier,
    /// Longest predicted wait; a ticket accepts any.
    max_wait: Option<Duration>,
}

fn size(ports: &Ports, ask: &Ask, level: ServiceLevel, assistant: &Assistant) -> Size {
    let brownout = &ports.brownout;
    let longest = ports.turn.max_answer_tokens;
    let short = level >= ServiceLevel::SHORT;
    Size {
        length: if short { Length::Short } else { Length::Normal },
        max_tokens: if short { longest.min(brownout.short_answer_tokens()) } else { longest },
        reasoning: !short,
        tier: if level >= ServiceLevel::SMALL || assistant.small_model {
            Tier::Small
        } else {
            Tier::Full
        },
        max_wait: ask.is_waited_for().then(|| brownout.longest_wait(ask.service.level)),
    }
}

/// A continued conversation prefers the backend that has it in its cache. A question that stands
/// alone prefers the one with the prompt of its shop.
fn affinity(ask: &Ask) -> u64 {
    let visitor = (!ask.said.history().is_empty()).then_some(ask.visitor);
    affinity_of((ask.site.as_str(), visitor.map(|visitor| visitor.0)))
}

fn message(line: Line) -> ChatMessage {
    let role = match line.speaker {
        Speaker::System => ChatRole::System,
        Speaker::User => ChatRole::User,
        Speaker::Assistant => ChatRole::Assistant,
    };
    ChatMessage::new(role, line.text)
}

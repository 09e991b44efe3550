//! The common parts of whole answers and chunks.

use serde_json::{Value, json};

use crate::domain::{Answer, FinishReason, Usage};

/// The only model: the service itself.
pub const MODEL: &str = "rushdesk";

/// Finish reason, usage, and the fields that the format lacks.
pub fn facts(answer: &Answer) -> (&'static str, Value, Value) {
    let finish = match answer.finish_reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    };
    let extra = json!({
        "route": answer.route,
        "service_level": answer.service_level,
        "citations": answer.citations,
        "cache": answer.cache,
        "timings": answer.timings,
        "intent": answer.intent,
        "language": answer.language,
        "choices": answer.choices,
    });
    (finish, usage_json(answer.usage), extra)
}

fn usage_json(usage: Option<Usage>) -> Value {
    let usage = usage.unwrap_or_default();
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

//! The body of `POST /v1/chat/completions`. vLLM needs nothing beyond it.

use serde::Serialize;

use super::{ChatMessage, ChatRequest};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    max_tokens: u32,
    temperature: f32,
    stream: bool,
    stream_options: StreamOptions,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

pub fn body<'a>(chat: &'a ChatRequest, model: &'a str) -> Body<'a> {
    Body {
        model,
        messages: &chat.messages,
        max_tokens: chat.max_tokens,
        temperature: chat.temperature,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
    }
}

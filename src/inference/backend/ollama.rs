//! The body of Ollama's `POST /api/chat`.

use serde::Serialize;

use super::{ChatMessage, ChatRequest};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    stream: bool,
    options: Options,
}

/// Options that shape the loaded model must be the same on every call: a differing `num_ctx` makes
/// Ollama load the model anew.
#[derive(Serialize)]
struct Options {
    num_ctx: u32,
    num_predict: u32,
    temperature: f32,
}

pub fn body<'a>(chat: &'a ChatRequest, model: &'a str, context_tokens: u32) -> Body<'a> {
    Body {
        model,
        messages: &chat.messages,
        stream: true,
        options: Options {
            num_ctx: context_tokens,
            num_predict: chat.max_tokens,
            temperature: chat.temperature,
        },
    }
}

//! The body of Ollama's `POST /api/chat`.

use serde::Serialize;

use super::{ChatMessage, ChatRequest};

#[derive(Serialize)]
pub struct Body<'a> {
    model: &'a str,
    messages: &'a [ChatMessage],
    stream: bool,
    options: Options,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<bool>,
}

/// Options that shape the loaded model must be the same on every call: a differing `num_ctx` makes
/// Ollama load the model anew.
#[derive(Serialize)]
struct Options {
    num_ctx: u32,
    num_predict: u32,
    temperature: f32,
}

/// `hush`: the model thinks first and is asked not to. That is no option: it reloads nothing.
pub fn body<'a>(
    chat: &'a ChatRequest,
    model: &'a str,
    context_tokens: u32,
    hush: bool,
) -> Body<'a> {
    Body {
        model,
        messages: &chat.messages,
        stream: true,
        options: Options {
            num_ctx: context_tokens,
            num_predict: chat.max_tokens,
            temperature: chat.temperature,
        },
        think: hush.then_some(false),
    }
}

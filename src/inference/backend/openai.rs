//! The body of `POST /v1/chat/completions`, and the one thing of vLLM's own in it.

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
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<TemplateSwitches>,
}

/// What a vLLM hands to the model's chat template.
#[derive(Serialize)]
struct TemplateSwitches {
    enable_thinking: bool,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// `hush`: the model thinks first and is asked not to.
pub fn body<'a>(chat: &'a ChatRequest, model: &'a str, hush: bool) -> Body<'a> {
    Body {
        model,
        messages: &chat.messages,
        max_tokens: chat.max_tokens,
        temperature: chat.temperature,
        stream: true,
        stream_options: StreamOptions { include_usage: true },
        chat_template_kwargs: hush.then_some(TemplateSwitches { enable_thinking: false }),
    }
}

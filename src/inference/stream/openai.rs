//! Chat completions as server-sent events, as sent by vLLM, llama.cpp, LM Studio, TGI and OpenAI.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use super::{
    answer::Answer, calls::Fragment, content::Content, fault::is_fault, opening::Opening,
    piece::Item, sse::SseParser,
};
use crate::{domain::Usage, inference::outcome::Outcome};

/// Reads the stream of one answer. Only the choice with index 0 counts.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenAiDecoder {
    events: SseParser,
    answer: Answer,
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<WireUsage>,
    error: Option<Value>,
    object: Option<String>,
    code: Option<Value>,
    message: Option<Value>,
    detail: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    index: Option<u32>,
    delta: Option<Delta>,
    finish_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Delta {
    role: Option<String>,
    content: Option<Content>,
    /// vLLM, OpenRouter.
    reasoning: Option<Value>,
    /// llama.cpp, DeepSeek.
    reasoning_content: Option<Value>,
    /// Proxies in front of an Ollama.
    thinking: Option<Value>,
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    index: Option<u32>,
    id: Option<String>,
    function: Option<WireFunction>,
}

#[derive(Deserialize)]
struct WireFunction {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
}

impl OpenAiDecoder {
    pub fn new(opening: Opening) -> Self {
        Self { events: SseParser::default(), answer: Answer::new(opening) }
    }

    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let mut events = Vec::new();
        let parsed = self.events.push(bytes, &mut events);
        for event in events {
            if self.answer.is_complete() {
                return Ok(());
            }
            self.event(&event, out)?;
        }
        parsed
    }

    /// The body ended properly.
    pub fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let mut events = Vec::new();
        self.events.finish(&mut events)?;
        for event in events {
            if !self.answer.is_complete() {
                self.event(&event, out).map_err(Outcome::at_the_end)?;
            }
        }
        self.answer.end(out)
    }

    fn event(&mut self, data: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        if data.trim_ascii() == b"[DONE]" {
            return self.answer.complete(out);
        }
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| Outcome::Malformed)?;
        chunk.fault()?;
        self.answer.begin();
        if let Some(usage) = chunk.usage {
            self.answer.usage(Usage {
                prompt_tokens: usage.prompt_tokens.unwrap_or(0),
                completion_tokens: usage.completion_tokens.unwrap_or(0),
            });
        }
        let first = |choice: &Choice| choice.index.unwrap_or(0) == 0;
        for choice in chunk.choices.into_iter().flatten().filter(first) {
            if let Some(delta) = choice.delta {
                self.delta(delta, out)?;
            }
            if let Some(Value::String(reason)) = choice.finish_reason {
                self.answer.finish(&reason)?;
            }
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let content = delta.content.unwrap_or_default();
        let fields = [delta.reasoning, delta.reasoning_content, delta.thinking];
        let mut thoughts = fields.iter().flatten().filter_map(Value::as_str);
        if content.has_thought || thoughts.any(|thought| !thought.is_empty()) {
            self.answer.reasoning(out);
        }
        // The first event has the role and an empty text. It means that the request has its turn,
        // not that a token came. Later empty texts are tokens that wait for the rest of a
        // character.
        if let Some(text) = content.text.filter(|text| !text.is_empty() || delta.role.is_none()) {
            self.answer.text(&text, out)?;
        }
        for call in delta.tool_calls.into_iter().flatten() {
            let (name, arguments) =
                call.function.map_or((None, None), |function| (function.name, function.arguments));
            let fragment = Fragment { index: call.index, id: call.id, name, arguments };
            self.answer.call(fragment, out)?;
        }
        Ok(())
    }
}

impl Chunk {
    /// An error inside a stream that began with 200. A code of 4xx blames the request.
    fn fault(&self) -> Result<(), Outcome> {
        // A frame with only a message reports a failure, too.
        let bare = self.choices.is_none() && (self.message.is_some() || self.detail.is_some());
        let code = match &self.error {
            Some(error) if is_fault(error) => error.get("code"),
            _ if bare || self.object.as_deref() == Some("error") => self.code.as_ref(),
            _ => return Ok(()),
        };
        match code.and_then(Value::as_u64) {
            Some(code @ 400..=499) if code != 429 => Err(Outcome::ClientError(code as u16)),
            _ => Err(Outcome::ErrorFrame),
        }
    }
}

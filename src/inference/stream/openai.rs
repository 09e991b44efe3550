//! Chat completions as server-sent events: vLLM, llama.cpp, LM Studio, TGI and OpenAI itself.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use super::{Item, answer::Answer, calls::Fragment, sse::SseParser, thought::Opening};
use crate::{domain::Usage, inference::Outcome};

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
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    role: Option<String>,
    content: Option<String>,
    /// vLLM.
    reasoning: Option<String>,
    /// llama.cpp, DeepSeek.
    reasoning_content: Option<String>,
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
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
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

    fn event(&mut self, data: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        if data.trim_ascii() == b"[DONE]" {
            return self.answer.complete(out);
        }
        let chunk: Chunk = serde_json::from_slice(data).map_err(|_| Outcome::Malformed)?;
        chunk.fault()?;
        self.answer.begin();
        if let Some(usage) = chunk.usage {
            self.answer.usage(Usage {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
            });
        }
        for choice in chunk.choices.into_iter().flatten().filter(|choice| choice.index == 0) {
            if let Some(delta) = choice.delta {
                self.delta(delta, out)?;
            }
            if let Some(reason) = choice.finish_reason {
                self.answer.finish(&reason)?;
            }
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        for thought in [delta.reasoning, delta.reasoning_content].into_iter().flatten() {
            self.answer.reasoning(&thought, out);
        }
        // The first event names the role with an empty text: it says that the request has its turn,
        // not that a token came. Later empty texts are tokens that wait for the rest of a character.
        if let Some(text) = delta.content.filter(|text| !text.is_empty() || delta.role.is_none()) {
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
    /// An error inside a stream under 200. One with a code of 4xx speaks of the request.
    fn fault(&self) -> Result<(), Outcome> {
        let (error, code) = match &self.error {
            Some(Value::Null) | None if self.object.as_deref() == Some("error") => {
                (true, self.code.as_ref())
            }
            Some(Value::Null) | None => (false, None),
            Some(error) => (true, error.get("code")),
        };
        match code.and_then(Value::as_u64) {
            _ if !error => Ok(()),
            Some(code @ 400..=499) if code != 429 => Err(Outcome::ClientError(code as u16)),
            _ => Err(Outcome::ErrorFrame),
        }
    }
}

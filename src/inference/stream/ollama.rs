//! Ollama's own `/api/chat`: one JSON object per line, the last one with `done: true`.
//!
//! Old versions send no `done_reason`, and the last line may lack its line break.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use super::{
    answer::Answer, calls::Fragment, fault::is_fault, ndjson::NdjsonParser, opening::Opening,
    piece::Item,
};
use crate::{domain::Usage, inference::outcome::Outcome};

/// Reads the stream of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct OllamaDecoder {
    lines: NdjsonParser,
    answer: Answer,
}

#[derive(Deserialize)]
struct Line {
    message: Option<WireMessage>,
    #[serde(default)]
    done: bool,
    done_reason: Option<String>,
    prompt_eval_count: Option<u32>,
    eval_count: Option<u32>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct WireMessage {
    content: Option<String>,
    thinking: Option<String>,
    tool_calls: Option<Vec<WireCall>>,
}

#[derive(Deserialize)]
struct WireCall {
    id: Option<String>,
    function: Option<WireFunction>,
}

#[derive(Deserialize)]
struct WireFunction {
    name: Option<String>,
    arguments: Option<Value>,
}

impl OllamaDecoder {
    pub fn new(opening: Opening) -> Self {
        Self { lines: NdjsonParser::default(), answer: Answer::new(opening) }
    }

    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    pub fn push(&mut self, bytes: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let mut lines = Vec::new();
        let parsed = self.lines.push(bytes, &mut lines);
        for line in lines {
            if self.answer.is_complete() {
                return Ok(());
            }
            self.line(&line, out)?;
        }
        parsed
    }

    /// The body ended properly.
    pub fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        if let Some(line) = self.lines.finish().filter(|_| !self.answer.is_complete()) {
            self.line(&line, out).map_err(Outcome::at_the_end)?;
        }
        self.answer.end(out)
    }

    fn line(&mut self, line: &[u8], out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let line: Line = serde_json::from_slice(line).map_err(|_| Outcome::Malformed)?;
        if line.error.is_some_and(|error| is_fault(&error)) {
            return Err(Outcome::ErrorFrame);
        }
        self.answer.begin();
        if let Some(message) = line.message {
            self.message(message, line.done, out)?;
        }
        if let (Some(prompt_tokens), Some(completion_tokens)) =
            (line.prompt_eval_count, line.eval_count)
        {
            self.answer.usage(Usage { prompt_tokens, completion_tokens });
        }
        if let Some(reason) = &line.done_reason {
            self.answer.finish(reason)?;
        }
        if line.done {
            self.answer.finish_without_reason();
            return self.answer.complete(out);
        }
        Ok(())
    }

    fn message(
        &mut self,
        message: WireMessage,
        last: bool,
        out: &mut VecDeque<Item>,
    ) -> Result<(), Outcome> {
        if message.thinking.as_ref().is_some_and(|thought| !thought.is_empty()) {
            self.answer.reasoning(out);
        }
        // The last line has an empty text that is not a token. So has a line with thinking.
        let text = message.content.unwrap_or_default();
        if !text.is_empty() {
            self.answer.text(&text, out)?;
        } else if !last && message.thinking.is_none() {
            out.push_back(Item::Progress);
        }
        for call in message.tool_calls.into_iter().flatten() {
            let (name, arguments) =
                call.function.map_or((None, None), |function| (function.name, function.arguments));
            // Ollama sends whole calls, so each one is new.
            self.answer.call(Fragment { index: None, id: call.id, name, arguments }, out)?;
        }
        Ok(())
    }
}

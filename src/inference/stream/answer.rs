//! One answer while it streams, whatever the protocol: what may be handed on, and when it is proven.

use std::collections::VecDeque;

use super::{
    Item, Piece,
    calls::{Calls, Fragment},
    thought::{Opening, ThoughtFilter},
};
use crate::{
    domain::{FinishReason, Usage},
    inference::Outcome,
};

/// Collects what the decoders read and hands on [`Item`]s.
///
/// An answer is complete only if a finish reason came, no error came and the terminal marker came.
/// Calls, usage and [`Piece::Finished`] are handed on only then, so nobody can act on a half answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    filter: ThoughtFilter,
    calls: Calls,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
    began: bool,
    reasoned: bool,
    complete: bool,
}

impl Answer {
    pub fn new(opening: Opening) -> Self {
        Self {
            filter: ThoughtFilter::new(opening),
            calls: Calls::default(),
            usage: None,
            finish: None,
            began: false,
            reasoned: false,
            complete: false,
        }
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether reasoning came in a field of its own.
    pub fn has_reasoned(&self) -> bool {
        self.reasoned
    }

    /// The server sent something of the answer, if only that it begins.
    pub fn begin(&mut self) {
        self.began = true;
    }

    /// A piece of text, of which some may be a thought. An empty one still is a sign of life.
    pub fn text(&mut self, text: &str, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let shown = self.filter.push(text)?;
        out.push_back(if shown.is_empty() {
            Item::Progress
        } else {
            Item::Piece(Piece::Text(shown))
        });
        Ok(())
    }

    /// A piece of reasoning in a field of its own: progress, never text.
    pub fn reasoning(&mut self, text: &str, out: &mut VecDeque<Item>) {
        if !text.is_empty() {
            self.filter.reasoning_is_apart();
            self.reasoned = true;
            out.push_back(Item::Progress);
        }
    }

    pub fn call(&mut self, fragment: Fragment, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        out.push_back(Item::Progress);
        self.calls.push(fragment)
    }

    /// Usage may come again and again; the last one counts.
    pub fn usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// The server's own word for why it stopped. An unknown one (`abort`, `error`) is no finish.
    pub fn finish(&mut self, reason: &str) -> Result<(), Outcome> {
        self.finish = Some(match reason {
            "stop" | "eos_token" | "stop_sequence" => FinishReason::Stop,
            "length" => FinishReason::Length,
            "tool_calls" | "function_call" => FinishReason::ToolCalls,
            "content_filter" => FinishReason::ContentFilter,
            _ => return Err(Outcome::Truncated),
        });
        Ok(())
    }

    /// The terminal marker came.
    pub fn complete(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let reason = self.finish.ok_or(Outcome::Truncated)?;
        let cut = reason == FinishReason::Length;
        let rest = self.filter.finish(cut);
        if !rest.is_empty() {
            out.push_back(Item::Piece(Piece::Text(rest)));
        }
        // A call of an answer that was cut may be the first of several, or lack its arguments.
        if cut && !self.calls.is_empty() {
            return Err(Outcome::BrokenToolCall);
        }
        let calls = self.calls.finish()?;
        let reason = match reason {
            // vLLM says `stop` for a call that the request named.
            FinishReason::Stop if !calls.is_empty() => FinishReason::ToolCalls,
            FinishReason::ToolCalls if calls.is_empty() => return Err(Outcome::BrokenToolCall),
            other => other,
        };
        if calls.is_empty() && !self.filter.has_shown() {
            return Err(Outcome::Empty);
        }
        out.extend(calls.into_iter().map(|call| Item::Piece(Piece::ToolCall(call))));
        out.extend(self.usage.take().map(|usage| Item::Piece(Piece::Usage(usage))));
        out.push_back(Item::Piece(Piece::Finished(reason)));
        self.complete = true;
        Ok(())
    }

    /// What it means that the bytes ended here, in good order but without the terminal marker.
    pub fn end(&self) -> Outcome {
        if self.began { Outcome::Truncated } else { Outcome::Empty }
    }
}

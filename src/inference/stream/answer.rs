//! One answer while it streams, for every protocol: what may be handed on, and when the answer is
//! proven complete.
//!
//! An answer is complete if a finish reason came, no error came, and the stream ended properly:
//! with the protocol's terminal marker or with a clean end of the body. Some servers never send the
//! marker, and some send it after a failure, so the reason is what counts.

use std::collections::VecDeque;

use super::{
    calls::{Calls, Fragment},
    opening::Opening,
    piece::{Item, Piece},
    thought::ThoughtFilter,
};
use crate::{
    domain::{FinishReason, Usage},
    inference::outcome::Outcome,
};

/// Collects what the decoders read and hands on [`Item`]s.
///
/// Calls, usage and [`Piece::Finished`] are handed on only once the answer is complete, so that no
/// caller can act on half an answer.
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

    /// Whether reasoning came in a separate field.
    pub fn has_reasoned(&self) -> bool {
        self.reasoned
    }

    /// The server sent something of the answer, even if only its start.
    pub fn begin(&mut self) {
        self.began = true;
    }

    /// A piece of text that may contain thoughts. An empty piece still is a sign of life.
    pub fn text(&mut self, text: &str, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let shown = self.filter.push(text)?;
        out.push_back(if shown.is_empty() {
            Item::Progress
        } else {
            Item::Piece(Piece::Text(shown))
        });
        Ok(())
    }

    /// A piece of reasoning in a separate field: progress, never text.
    pub fn reasoning(&mut self, out: &mut VecDeque<Item>) {
        self.filter.reasoning_is_apart();
        self.reasoned = true;
        out.push_back(Item::Progress);
    }

    pub fn call(&mut self, fragment: Fragment, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        out.push_back(Item::Progress);
        self.calls.push(fragment)
    }

    /// Usage may come several times; the last one counts.
    pub fn usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// The server's own word for why it stopped. Some words name no reason.
    pub fn finish(&mut self, reason: &str) -> Result<(), Outcome> {
        if let Some(reason) = finish_reason(reason)? {
            self.finish = Some(reason);
        }
        Ok(())
    }

    /// The reason as reported by a model in this process.
    pub fn finish_as(&mut self, reason: FinishReason) {
        self.finish = Some(reason);
    }

    /// The server reports that it is done but not why.
    pub fn finish_without_reason(&mut self) {
        self.finish.get_or_insert(FinishReason::Stop);
    }

    /// The terminal marker came, or the body ended after a reason.
    pub fn complete(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        let reason = self.finish.ok_or(Outcome::Truncated)?;
        let cut = reason == FinishReason::Length;
        let rest = self.filter.finish(cut)?;
        if !rest.is_empty() {
            out.push_back(Item::Piece(Piece::Text(rest)));
        }
        // If the answer was cut off, this call may be one of several or lack some arguments.
        if cut && !self.calls.is_empty() {
            return Err(Outcome::BrokenToolCall);
        }
        let calls = self.calls.finish()?;
        let reason = match reason {
            // vLLM reports `stop` for a call that the request named.
            FinishReason::Stop if !calls.is_empty() => FinishReason::ToolCalls,
            FinishReason::ToolCalls if calls.is_empty() => return Err(Outcome::BrokenToolCall),
            FinishReason::Stop
            | FinishReason::Length
            | FinishReason::ToolCalls
            | FinishReason::ContentFilter => reason,
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

    /// The body ended properly, perhaps without the terminal marker.
    pub fn end(&mut self, out: &mut VecDeque<Item>) -> Result<(), Outcome> {
        match self.finish {
            _ if self.complete => Ok(()),
            Some(_) => self.complete(out),
            None if self.began => Err(Outcome::Truncated),
            None => Err(Outcome::Empty),
        }
    }
}

/// Reads a reason in any server's spelling; case and punctuation do not matter. `None` means no
/// reason yet: some servers send an empty one, or one that says "still going", in each chunk.
///
/// A word for a failure ends the answer as truncated. An unknown word is read as
/// [`FinishReason::Length`]: the server did finish, so its text is shown. But it may not be whole,
/// so it is not cached and its calls are not run.
fn finish_reason(reason: &str) -> Result<Option<FinishReason>, Outcome> {
    let letters = reason.chars().filter(|c| c.is_ascii_alphanumeric());
    let word: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    Ok(Some(match word.as_str() {
        "" | "null" | "none" | "notfinished" | "inprogress" | "finishreasonunspecified" => {
            return Ok(None);
        }
        "stop" | "stopped" | "endturn" | "eos" | "eostoken" | "eosfound" | "endoftext"
        | "endofsequence" | "stopsequence" | "stoptoken" | "stopstring" | "stopstringfound"
        | "stopword" | "word" | "complete" | "completed" | "done" | "finished" | "normal"
        | "success" => FinishReason::Stop,
        "toolcalls" | "toolcall" | "tooluse" | "tools" | "functioncall" | "functioncalls" => {
            FinishReason::ToolCalls
        }
        "contentfilter"
        | "contentfiltered"
        | "safety"
        | "refusal"
        | "recitation"
        | "blocklist"
        | "prohibitedcontent"
        | "spii"
        | "guardrailintervened"
        | "sensitive"
        | "errortoxic" => FinishReason::ContentFilter,
        "error"
        | "failed"
        | "failure"
        | "abort"
        | "aborted"
        | "cancel"
        | "cancelled"
        | "canceled"
        | "timeout"
        | "networkerror"
        | "userstopped"
        | "malformedfunctioncall"
        | "insufficientsystemresource" => return Err(Outcome::Truncated),
        // `length`, `max_tokens`, `MAX_TOKENS`, `model_length`, `limit`, and unknown words.
        _ => FinishReason::Length,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_understood_in_every_spelling() {
        use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
        for (spellings, reason) in [
            ("stop STOP end_turn EOS eos_token stop_sequence COMPLETE eosFound", Stop),
            ("length max_tokens MAX_TOKENS model_length limit somethingNew", Length),
            ("tool_calls tool_use TOOL_CALL function_call toolCalls", ToolCalls),
            ("content_filter SAFETY refusal guardrail_intervened", ContentFilter),
        ] {
            for spelling in spellings.split(' ') {
                assert_eq!(finish_reason(spelling), Ok(Some(reason)), "{spelling}");
            }
        }
    }

    #[test]
    fn no_reason_is_told_from_a_failure() {
        for spelling in ["", " ", "null", "None", "not_finished"] {
            assert_eq!(finish_reason(spelling), Ok(None), "{spelling:?}");
        }
        for spelling in ["error", "ABORT", "cancelled", "insufficient_system_resource"] {
            assert_eq!(finish_reason(spelling), Err(Outcome::Truncated), "{spelling}");
        }
    }
}

//! Takes `<think>…</think>` out of an answer as it streams.
//!
//! Many templates end inside a thought, so its opening tag is never generated and only a bare
//! `</think>` tells that everything before it was one. Text that was handed on cannot be taken back.
//! Hence [`Opening`]: where the model is known for it, by name or because this backend once did it,
//! nothing is handed on until the tag, the end of the answer, or a field of its own for reasoning
//! shows where the answer begins. Everywhere else text flows at once, and a bare `</think>` after
//! shown text ends the stream with [`Outcome::LeakedThought`]; the backend is then remembered.

use crate::inference::Outcome;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";
/// Longest text held back in bytes; a longer thought is no thought.
const LONGEST: usize = 256 << 10;

/// Where the first generated token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    Answer,
    /// Perhaps inside a thought whose opening tag is part of the prompt.
    Uncertain,
}

impl Opening {
    /// What the name of a model tells. DeepSeek-R1 and its kin, QwQ and models called "thinking" or
    /// "reasoning" open the thought in their templates.
    pub fn of_model(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let tells = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
            matches!(word, "r1" | "qwq") || word.starts_with("think") || word.starts_with("reason")
        });
        if tells { Self::Uncertain } else { Self::Answer }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Uncertain,
    Thought,
    Answer,
}

/// The filter of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ThoughtFilter {
    place: Place,
    /// Not decided yet: all text while uncertain, else at most the beginning of a tag.
    held: String,
    /// Text other than white space was handed on.
    shown: bool,
    /// A thought ended, or the server keeps thoughts apart: a further closing tag means nothing.
    settled: bool,
}

impl ThoughtFilter {
    pub fn new(opening: Opening) -> Self {
        let place = match opening {
            Opening::Answer => Place::Answer,
            Opening::Uncertain => Place::Uncertain,
        };
        Self { place, held: String::new(), shown: false, settled: false }
    }

    /// The server sends reasoning in a field of its own, so its text is answer from the start.
    pub fn reasoning_is_apart(&mut self) {
        self.settled = true;
        if self.place == Place::Uncertain {
            self.place = Place::Answer;
        }
    }

    /// Whether text of the answer was handed on.
    pub fn has_shown(&self) -> bool {
        self.shown
    }

    /// What of `text` and of what was held back may be handed on now.
    pub fn push(&mut self, text: &str) -> Result<String, Outcome> {
        self.held.push_str(text);
        let mut out = String::new();
        loop {
            match self.place {
                Place::Uncertain => match first_tag(&self.held) {
                    // A thought before its closing tag, blanks before its opening one.
                    Some((at, tag)) => self.enter(at, tag),
                    None if self.held.len() > LONGEST => return Err(Outcome::Malformed),
                    None => return Ok(out),
                },
                Place::Thought => match self.held.find(CLOSE) {
                    Some(at) => self.enter(at, CLOSE),
                    None => {
                        let keep = tag_beginning(&self.held);
                        self.held.drain(..self.held.len() - keep);
                        return Ok(self.hand_on(out));
                    }
                },
                Place::Answer => match first_tag(&self.held) {
                    Some((at, CLOSE)) if !self.settled => {
                        if self.shown {
                            return Err(Outcome::LeakedThought);
                        }
                        out.clear();
                        self.enter(at, CLOSE);
                    }
                    Some((at, tag)) => {
                        out.push_str(&self.held[..at]);
                        self.enter(at, tag);
                    }
                    None => {
                        let whole = self.held.len() - tag_beginning(&self.held);
                        out.extend(self.held.drain(..whole));
                        return Ok(self.hand_on(out));
                    }
                },
            }
        }
    }

    /// What is left when the answer ends. `cut` tells that the model had more to say.
    pub fn finish(&mut self, cut: bool) -> String {
        let held = std::mem::take(&mut self.held);
        match self.place {
            Place::Answer => self.hand_on(held),
            // A model that stopped by itself has left its thought: there was none.
            Place::Uncertain if !cut => self.hand_on(held),
            Place::Uncertain | Place::Thought => String::new(),
        }
    }

    fn enter(&mut self, at: usize, tag: &str) {
        self.held.drain(..at + tag.len());
        self.settled |= tag == CLOSE;
        self.place = if tag == CLOSE { Place::Answer } else { Place::Thought };
    }

    /// The blank lines between a thought and its answer belong to neither.
    fn hand_on(&mut self, text: String) -> String {
        if self.shown {
            return text;
        }
        let text = text.trim_start().to_owned();
        self.shown = !text.is_empty();
        text
    }
}

fn first_tag(text: &str) -> Option<(usize, &'static str)> {
    [OPEN, CLOSE].into_iter().filter_map(|tag| Some((text.find(tag)?, tag))).min()
}

/// Length of the longest end of `text` that a tag may begin with.
fn tag_beginning(text: &str) -> usize {
    (1..CLOSE.len())
        .rev()
        .find(|&length| {
            text.len() >= length
                && [OPEN, CLOSE]
                    .iter()
                    .any(|tag| tag.as_bytes().starts_with(&text.as_bytes()[text.len() - length..]))
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `text` in pieces of `size` characters.
    fn filter(opening: Opening, text: &str, size: usize, cut: bool) -> Result<String, Outcome> {
        let mut filter = ThoughtFilter::new(opening);
        let mut shown = String::new();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            shown += &filter.push(&piece.iter().collect::<String>())?;
        }
        shown += &filter.finish(cut);
        Ok(shown)
    }

    #[test]
    fn a_tagged_thought_never_shows_wherever_the_pieces_are_cut() {
        let text = "\n<think>Okay, the user</think>\n\nIt is Paris. <think>more</think>Yes, a < b.";
        for opening in [Opening::Answer, Opening::Uncertain] {
            for size in 1..text.len() {
                assert_eq!(filter(opening, text, size, false).unwrap(), "It is Paris. Yes, a < b.");
            }
        }
    }

    #[test]
    fn a_bare_closing_tag_takes_back_what_was_held() {
        for size in 1..20 {
            let shown = filter(Opening::Uncertain, "Okay, hm.</think>\n\nParis", size, false);
            assert_eq!(shown.unwrap(), "Paris");
        }
        assert_eq!(filter(Opening::Answer, "Okay</think>\n\nParis", 100, false).unwrap(), "Paris");
    }

    #[test]
    fn a_bare_closing_tag_after_shown_text_is_an_error() {
        let shown = filter(Opening::Answer, "Okay, hm.</think>\n\nParis", 4, false);
        assert_eq!(shown, Err(Outcome::LeakedThought));
    }

    #[test]
    fn text_held_back_is_shown_at_a_free_end_and_dropped_at_a_cut_one() {
        assert_eq!(filter(Opening::Uncertain, "Just Paris", 3, false).unwrap(), "Just Paris");
        assert_eq!(filter(Opening::Uncertain, "Okay, the us", 3, true).unwrap(), "");
        assert_eq!(filter(Opening::Answer, "<think>Okay, the us", 3, true).unwrap(), "");
    }

    #[test]
    fn a_field_for_reasoning_ends_the_holding_back() {
        let mut filter = ThoughtFilter::new(Opening::Uncertain);
        filter.reasoning_is_apart();
        assert_eq!(filter.push("\n\n").unwrap(), "");
        assert_eq!(filter.push("Paris").unwrap(), "Paris");
    }

    #[test]
    fn a_second_closing_tag_is_just_dropped() {
        let text = "<think>a</think>One</think> two";
        assert_eq!(filter(Opening::Answer, text, 1, false).unwrap(), "One two");
    }

    #[test]
    fn names_of_models_tell() {
        for name in [
            "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
            "Qwen/QwQ-32B",
            "qwen3-thinking-2507",
            "r1:8b",
        ] {
            assert_eq!(Opening::of_model(name), Opening::Uncertain, "{name}");
        }
        for name in ["Qwen/Qwen2.5-7B-Instruct", "llama3.1:8b", "gpt-4o-mini"] {
            assert_eq!(Opening::of_model(name), Opening::Answer, "{name}");
        }
    }

    proptest! {
        #[test]
        fn text_without_tags_passes_whole(text in "[a-z<>/ äß]{0,60}", size in 1usize..8) {
            prop_assume!(!text.contains(OPEN) && !text.contains(CLOSE));
            let shown = filter(Opening::Answer, &text, size, false).unwrap();
            prop_assert_eq!(shown, text.trim_start());
        }
    }
}

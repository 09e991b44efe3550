//! Removes the thoughts of a model from its answer while it streams.
//!
//! Many templates end inside a thought. Its opening mark is then never generated, and only a bare
//! `</think>` shows that everything before it was a thought. Text that was handed on cannot be
//! taken back. So some models are marked as [`Opening::Uncertain`], by name or because this backend
//! did it once. Nothing of their answer is handed on until it is clear where the answer begins: at
//! the mark, at the end, or when reasoning comes in a separate field. For other models text flows
//! at once, and a bare `</think>` after shown text ends the stream with [`Outcome::LeakedThought`];
//! the backend is then remembered.
//!
//! An answer may also talk about such marks. A mark in quotes is text. A mark between the words of
//! a sentence is text if no thought follows; this is known only at the end of the answer.

use super::{
    marks::{self, Found, Kind, Mark},
    opening::Opening,
    standing::Standing,
};
use crate::inference::outcome::Outcome;

/// The longest text held back, in bytes; anything longer is not a thought.
const LONGEST: usize = 256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Uncertain,
    Thought(Kind),
    /// After a part of the answer, a mark opened what may be a thought. All of it is held back: if
    /// it stands `in_sentence` and no mark closes it, it is text after all.
    Aside {
        kind: Kind,
        in_sentence: bool,
    },
    Answer,
}

/// The filter of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ThoughtFilter {
    place: Place,
    /// Not decided yet. While uncertain this is all text, otherwise at most the start of a mark or
    /// an aside.
    held: String,
    /// The two characters before `held`.
    before: [char; 2],
    /// Whether visible text was handed on.
    shown: bool,
    /// A thought ended, or the server keeps thoughts separate. A further closing mark means
    /// nothing.
    settled: bool,
    /// The answer uses a format whose marks are not text.
    framed: bool,
}

impl ThoughtFilter {
    pub fn new(opening: Opening) -> Self {
        let place = match opening {
            Opening::Answer => Place::Answer,
            Opening::Uncertain => Place::Uncertain,
        };
        Self {
            place,
            held: String::new(),
            before: ['\n'; 2],
            shown: false,
            settled: false,
            framed: false,
        }
    }

    /// The server sends reasoning in a separate field, so its text is answer from the start.
    pub fn reasoning_is_apart(&mut self) {
        self.settled = true;
        if self.place == Place::Uncertain {
            self.place = Place::Answer;
        }
    }

    /// Whether visible text was handed on.
    pub fn has_shown(&self) -> bool {
        self.shown
    }

    /// The part of `text` and of the held text that may be handed on now.
    pub fn push(&mut self, text: &str) -> Result<String, Outcome> {
        self.held.push_str(text);
        let out = self.read(false)?;
        Ok(self.hand_on(out))
    }

    /// The rest when the answer ends. `cut`: the model had more to say.
    pub fn finish(&mut self, cut: bool) -> Result<String, Outcome> {
        let mut out = self.read(true)?;
        let held = std::mem::take(&mut self.held);
        match self.place {
            // A model that stopped by itself is not inside a thought, so the text was not one.
            Place::Uncertain | Place::Aside { in_sentence: true, .. } if !cut => {
                out.push_str(&held);
            }
            Place::Answer => out.push_str(&held),
            Place::Uncertain | Place::Thought(_) | Place::Aside { .. } => {}
        }
        Ok(self.hand_on(out))
    }

    /// Reads as far as a decision is possible. `ended`: no more text comes.
    fn read(&mut self, ended: bool) -> Result<String, Outcome> {
        let mut out = String::new();
        loop {
            let goes_on = match self.place {
                Place::Uncertain => self.read_uncertain(ended)?,
                Place::Thought(kind) => self.read_thought(kind, 0, ended),
                Place::Aside { kind, .. } => self.read_aside(kind, ended),
                Place::Answer => self.read_answer(&mut out, ended)?,
            };
            if !goes_on {
                return Ok(out);
            }
        }
    }

    fn read_uncertain(&mut self, ended: bool) -> Result<bool, Outcome> {
        let mut from = 0;
        while let Some(Found::Whole { at, length, mark }) = marks::find(&self.held, from) {
            from = at + length;
            let first = !self.held[..at].chars().any(is_visible);
            match mark {
                Mark::Open(kind) if first => return Ok(self.enter(from, Place::Thought(kind))),
                Mark::Frame if first => return Ok(self.enter(from, Place::Uncertain)),
                Mark::Open(_) | Mark::Frame => {}
                Mark::Close(_) => match self.standing(at, length, ended) {
                    None => return Ok(false),
                    Some(Standing::Alone) => {
                        self.settled = true;
                        return Ok(self.enter(from, Place::Answer));
                    }
                    Some(Standing::Quoted | Standing::InSentence) => {}
                },
            }
        }
        if self.held.len() > LONGEST { Err(Outcome::Malformed) } else { Ok(false) }
    }

    /// Searches for the end of a thought after the byte `from`, and drops what certainly belongs to
    /// it.
    fn read_thought(&mut self, kind: Kind, mut from: usize, ended: bool) -> bool {
        let undecided = loop {
            let found = match kind {
                Kind::BareChannel => marks::find_bare_final(&self.held),
                Kind::Thought
                | Kind::Reasoning
                | Kind::Reflection
                | Kind::Scratchpad
                | Kind::Channel => marks::find(&self.held, from),
            };
            match found {
                None => break self.held.len(),
                Some(Found::Begun { at }) => break at,
                Some(Found::Whole { at, length, mark }) if mark == Mark::Close(kind) => {
                    from = at + length;
                    match self.standing(at, length, ended) {
                        None => break at,
                        Some(Standing::Quoted) if kind != Kind::BareChannel => {}
                        Some(_) => {
                            self.settled = true;
                            return self.enter(from, Place::Answer);
                        }
                    }
                }
                Some(Found::Whole { at, length, .. }) => from = at + length,
            }
        };
        if matches!(self.place, Place::Thought(_)) {
            self.take(undecided);
        }
        false
    }

    fn read_aside(&mut self, kind: Kind, ended: bool) -> bool {
        if self.held.len() > LONGEST {
            self.place = Place::Thought(kind);
            return true;
        }
        let opened = match marks::find(&self.held, 0) {
            Some(Found::Whole { length, .. }) => length,
            Some(Found::Begun { .. }) | None => 0,
        };
        self.read_thought(kind, opened, ended)
    }

    fn read_answer(&mut self, out: &mut String, ended: bool) -> Result<bool, Outcome> {
        let fresh = !self.shown && !self.settled && self.before == ['\n'; 2] && out.is_empty();
        let channel = if fresh { marks::find_bare_channel(&self.held) } else { None };
        let found = channel.or_else(|| marks::find(&self.held, 0));
        let (at, length, mark) = match found {
            Some(Found::Whole { at, length, mark }) => (at, length, mark),
            Some(Found::Begun { at }) if !ended => {
                out.push_str(&self.take(at));
                return Ok(false);
            }
            Some(Found::Begun { .. }) | None => {
                out.push_str(&self.take(self.held.len()));
                return Ok(false);
            }
        };
        let first = !self.shown && !out.chars().chain(self.held[..at].chars()).any(is_visible);
        let standing = if first { Some(Standing::Alone) } else { self.standing(at, length, ended) };
        out.push_str(&self.take(at));
        let Some(standing) = standing else { return Ok(false) };
        match mark {
            Mark::Open(kind) if first => {
                self.enter(length, Place::Thought(kind));
            }
            Mark::Open(kind) if standing != Standing::Quoted => {
                self.place = Place::Aside { kind, in_sentence: standing == Standing::InSentence };
            }
            Mark::Frame if first || self.settled || self.framed => {
                self.framed = true;
                self.take(length);
            }
            Mark::Close(_) if standing == Standing::Alone => {
                if !self.settled {
                    if self.shown {
                        return Err(Outcome::LeakedThought);
                    }
                    out.clear();
                    self.settled = true;
                }
                self.take(length);
            }
            Mark::Open(_) | Mark::Close(_) | Mark::Frame => out.push_str(&self.take(length)),
        }
        Ok(true)
    }

    /// The surroundings of the mark; `None` if the next character is needed and has not arrived.
    fn standing(&self, at: usize, length: usize, ended: bool) -> Option<Standing> {
        let before = self.before.iter().copied().chain(self.held[..at].chars());
        Standing::of(before, &self.held[at + length..], ended)
    }

    /// Drops `length` bytes and continues at `place`.
    fn enter(&mut self, length: usize, place: Place) -> bool {
        self.take(length);
        self.place = place;
        true
    }

    fn take(&mut self, length: usize) -> String {
        let rest = self.held.split_off(length);
        let taken = std::mem::replace(&mut self.held, rest);
        for next in taken.chars() {
            self.before = [self.before[1], next];
        }
        taken
    }

    /// Blank lines between a thought and its answer belong to neither.
    fn hand_on(&mut self, text: String) -> String {
        if self.shown {
            return text;
        }
        let text = text.trim_start_matches(|c| !is_visible(c)).to_owned();
        self.shown = !text.is_empty();
        text
    }
}

/// Whether a reader would see it: not white space, and not an invisible control character.
fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests;

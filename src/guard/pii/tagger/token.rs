//! The words and numbers of a text.

use std::ops::Range;

use super::lists;
use crate::guard::pii::{fold::PLACEHOLDER, found::Found, plain::Plain};

/// What lies before a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The text begins.
    Start = 0,
    Space = 1,
    Comma = 2,
    Line = 3,
    /// ".", "!" or "?".
    Stop = 4,
    /// Another sign.
    Sign = 5,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Lower = 0,
    /// The first letter.
    Capital = 1,
    Upper = 2,
    Mixed = 3,
}

/// A run of letters and digits, or a placeholder.
pub struct Token<'t> {
    /// Folded.
    pub text: &'t str,
    /// Bytes of the folded text.
    pub range: Range<usize>,
    /// Bytes of the text that was typed.
    pub typed: Range<usize>,
    pub gap: Gap,
    pub case: Case,
    /// Of the lists that have the word.
    pub(super) lists: u8,
}

impl Token<'_> {
    pub fn is_placeholder(&self) -> bool {
        self.text.starts_with(PLACEHOLDER)
    }

    pub fn has_digit(&self) -> bool {
        self.text.contains(|c: char| c.is_ascii_digit())
    }

    /// Digits only.
    pub fn is_number(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// "5", "5a", "12b".
    pub fn is_house_number(&self) -> bool {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        (1..=5).contains(&digits) && self.text.len() - digits <= 1
    }

    /// "Kartennr"
    pub fn is_short_for_number(&self) -> bool {
        const SHORTEST: usize = 5;
        self.text.len() >= SHORTEST && self.text.ends_with("nr")
    }

    pub fn is_word(&self) -> bool {
        !self.is_placeholder() && !self.has_digit()
    }

    /// Somebody has this name.
    pub fn is_name(&self) -> bool {
        self.lists & (lists::FIRST | lists::LAST) != 0
    }

    /// Somebody has this first name.
    pub fn is_first_name(&self) -> bool {
        self.lists & lists::FIRST != 0
    }

    /// A word of everyday texts.
    pub fn is_ordinary(&self) -> bool {
        self.lists & lists::ORDINARY != 0
    }

    pub fn is_town(&self) -> bool {
        self.lists & lists::TOWN != 0
    }

    /// A word for streets or other parts of addresses.
    pub fn is_of_streets(&self) -> bool {
        self.lists & lists::STREET != 0
    }
}

/// The tokens of a text. What was `found` in the text already is a placeholder.
pub fn all<'t>(plain: &'t Plain, original: &str, found: &[Found]) -> Vec<Token<'t>> {
    let text = plain.as_str();
    let (mut tokens, mut end) = (Vec::<Token<'t>>::new(), 0);
    let mut chars = text.char_indices().peekable();
    let mut taken = found.iter().peekable();
    while let Some((start, c)) = chars.next() {
        let mut stop = start + c.len_utf8();
        if c.is_alphanumeric() {
            while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric()) {
                stop += c.len_utf8();
            }
        } else if c != PLACEHOLDER {
            continue;
        }
        let mut typed = plain.original(&(start..stop));
        let gap = if tokens.is_empty() { Gap::Start } else { gap(&text[end..start]) };
        end = stop;
        while taken.next_if(|found| found.range.end <= typed.start).is_some() {}
        if let Some(found) = taken.peek().filter(|found| found.range.start < typed.end) {
            if tokens.last().is_some_and(|last| found.range.start < last.typed.end) {
                continue;
            }
            typed = found.range.clone();
            let text = "\u{fffc}";
            let range = start..stop;
            tokens.push(Token { text, range, typed, gap, case: Case::Lower, lists: 0 });
            continue;
        }
        let word = &text[start..stop];
        let case = case(&original[typed.clone()]);
        let (range, lists) = (start..stop, lists::of(word));
        tokens.push(Token { text: word, range, typed, gap, case, lists });
    }
    tokens
}

fn gap(between: &str) -> Gap {
    match between {
        _ if between.contains('\n') => Gap::Line,
        _ if between.contains(['.', '!', '?']) => Gap::Stop,
        _ if between.contains(',') => Gap::Comma,
        _ if !between.is_empty() && between.chars().all(char::is_whitespace) => Gap::Space,
        _ => Gap::Sign,
    }
}

fn case(typed: &str) -> Case {
    let mut chars = typed.chars();
    let first = chars.next().is_some_and(char::is_uppercase);
    let (rest, letters) = (chars.as_str(), chars.clone().filter(|c| c.is_alphabetic()));
    let uppers = letters.clone().filter(|c| c.is_uppercase()).count();
    match (first, uppers) {
        (false, 0) => Case::Lower,
        (true, 0) => match typed.chars().all(|c| c.is_uppercase() || !c.is_alphabetic()) {
            true if !rest.is_empty() => Case::Upper,
            _ => Case::Capital,
        },
        (true, uppers) if uppers == letters.count() => Case::Upper,
        _ => Case::Mixed,
    }
}

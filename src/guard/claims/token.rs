//! The words and numbers of a text, in their order.

use std::ops::Range;

use super::{
    lexicon::{self, Entry, Marks},
    number::{self, Number},
    root::{Root, hash, root},
};

/// A word, or a number.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) range: Range<usize>,
    pub(super) lower: String,
    pub(super) root: Root,
    pub(super) entry: Entry,
    pub(super) kind: Kind,
    /// Begins with a capital letter, and not because a sentence begins.
    pub(super) is_capital: bool,
    /// Has a capital letter, wherever it stands.
    pub(super) is_upper: bool,
    /// The first word of a sentence or of a line.
    pub(super) is_first: bool,
    /// A comma or another sign that ends a part of a sentence stands before it.
    pub(super) after_break: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number(Number),
    /// Letters and digits: an article, a code.
    Code,
    /// The number of a passage.
    Marker(usize),
}

impl Token {
    pub(super) fn is_content(&self) -> bool {
        self.kind == Kind::Word
            && !self.entry.marks.has(Marks::LIGHT)
            && self.entry.unit.is_none()
            && self.lower.chars().nth(1).is_some()
    }
}

/// Reads a text. A number gets its unit, and the unit of the range that it begins.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 5);
    let (mut at, mut first, mut broken) = (0, true, true);
    while let Some(c) = text[at..].chars().next() {
        // It is looked up as a whole.
        if c == '['
            && let Some(length) = placeholder(&text[at..])
        {
            at += length;
            continue;
        }
        let cited = if c == '[' { marker(&text[at..]) } else { None };
        let length = match (cited, c) {
            (Some((length, number)), _) => {
                tokens.push(Token {
                    range: at..at + length,
                    lower: String::new(),
                    root: 0,
                    entry: Entry::default(),
                    kind: Kind::Marker(number),
                    is_capital: false,
                    is_upper: false,
                    is_first: false,
                    after_break: broken,
                });
                length
            }
            (None, c) if c.is_alphanumeric() => {
                let length = word_length(&text[at..]);
                let word = &text[at..at + length];
                let kind = kind_of(text, at, word);
                let lower = word.to_lowercase().replace('’', "'");
                let entry = lexicon::entry(&lower);
                // "1." begins a line of a list.
                let is_item = first
                    && matches!(kind, Kind::Number(_))
                    && text[at + length..].starts_with(['.', ')']);
                if !is_item {
                    tokens.push(Token {
                        range: at..at + length,
                        root: if kind == Kind::Code { hash(&lower) } else { root(&lower, entry) },
                        lower,
                        entry,
                        kind,
                        is_capital: c.is_uppercase() && !first,
                        is_upper: c.is_uppercase(),
                        is_first: first,
                        after_break: broken,
                    });
                }
                (first, broken) = (is_item, false);
                length
            }
            (None, '.' | '!' | '?' | '\n' | '…' | '"' | '“' | '„' | '«' | '¿' | '¡') => {
                (first, broken) = (true, true);
                c.len_utf8()
            }
            (None, ',' | ';' | ':' | '(' | ')' | '–' | '—' | '|') => {
                broken = true;
                c.len_utf8()
            }
            (None, c) => c.len_utf8(),
        };
        at += length;
    }
    with_units(text, &mut tokens);
    tokens
}

/// Longest placeholder, in bytes.
const PLACEHOLDER: usize = 24;

/// The length of a placeholder such as `[EMAIL_1]` at the start.
pub(super) fn placeholder(text: &str) -> Option<usize> {
    let end = text.bytes().take(PLACEHOLDER).position(|b| b == b']')?;
    let (label, number) = text.get(1..end)?.rsplit_once('_')?;
    let is_label = label.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let is_number = number.bytes().all(|b| b.is_ascii_digit());
    (is_label && is_number && !label.is_empty() && !number.is_empty()).then_some(end + 1)
}

/// `[12]`: its length and the number.
pub(super) fn marker(text: &str) -> Option<(usize, usize)> {
    let inside = text.strip_prefix('[')?;
    let end = inside.find(']').filter(|end| (1..=2).contains(end))?;
    let number = inside[..end].parse().ok()?;
    Some((end + 2, number))
}

/// Longest word between the two numbers of a range, in bytes: "to", "bis".
const RANGE: usize = 3;

/// French words that stand by themselves before an apostrophe.
const ELIDED: [&str; 8] = ["l", "d", "n", "s", "m", "c", "t", "qu"];

/// A number goes on over its signs, a word over an apostrophe.
fn word_length(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let mut end = 0;
    while let Some((at, c)) = chars.next() {
        if c.is_alphanumeric() {
            end = at + c.len_utf8();
            continue;
        }
        let next = chars.peek().map(|(_, next)| *next);
        let joins = match c {
            '.' | ',' | ':' => is_number && next.is_some_and(|next| next.is_ascii_digit()),
            '\'' | '’' => {
                let elided = ELIDED.iter().any(|word| text[..at].eq_ignore_ascii_case(word));
                !elided && next.is_some_and(char::is_alphabetic)
            }
            _ => false,
        };
        if !joins {
            break;
        }
    }
    end
}

fn kind_of(text: &str, at: usize, word: &str) -> Kind {
    if !word.contains(|c: char| c.is_ascii_digit()) {
        return Kind::Word;
    }
    match number::read(word) {
        Some(number) => Kind::Number(number.with_sign_before(&text[..at])),
        None => Kind::Code,
    }
}

/// Gives numbers the units that follow them: "3 working days", "2 to 3 days", "EUR 4.90".
fn with_units(text: &str, tokens: &mut [Token]) {
    for index in (0..tokens.len()).rev() {
        let (number, is_word) = match (tokens[index].kind, tokens[index].entry.number) {
            (Kind::Number(number), _) => (number, false),
            (Kind::Word, Some(value)) => (Number::whole(value), true),
            _ => continue,
        };
        let number = if number.unit == 0 { with_unit(number, text, tokens, index) } else { number };
        // "one" is an article in many languages.
        if !is_word || number.unit != 0 || number.value > 100 {
            tokens[index].kind = Kind::Number(number);
        }
    }
}

fn with_unit(number: Number, text: &str, tokens: &[Token], index: usize) -> Number {
    if let Some(unit) = number::sign_after(&text[tokens[index].range.end..]) {
        return Number { unit, ..number };
    }
    for token in tokens[index + 1..].iter().take(2) {
        if token.is_first {
            break;
        }
        if let Some(name) = token.entry.unit {
            return number::in_unit(number, name);
        }
        // "working days"
        let is_last = token.kind == Kind::Word && token.lower.len() > RANGE;
        if is_last && !token.after_break {
            let behind = tokens.get(index + 2).filter(|t| !t.after_break && !t.is_first);
            return match behind.and_then(|token| token.entry.unit) {
                Some(name) if token.range.start == tokens[index + 1].range.start => {
                    number::in_unit(number, name)
                }
                _ => break_off(number, tokens, index),
            };
        }
        match token.kind {
            Kind::Number(next) if next.unit != 0 => return Number { unit: next.unit, ..number },
            Kind::Word if !token.after_break && token.lower.len() <= RANGE => {}
            _ => break,
        }
    }
    break_off(number, tokens, index)
}

/// A number without a unit behind it may have a currency before it.
fn break_off(number: Number, tokens: &[Token], index: usize) -> Number {
    let before = index.checked_sub(1).and_then(|before| tokens[before].entry.unit);
    match before.filter(|name| number::is_currency(name)) {
        Some(name) => number::in_unit(number, name),
        None => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<(i64, bool)> {
        tokens(text)
            .iter()
            .filter_map(|token| match token.kind {
                Kind::Number(number) => Some((number.value, number.unit != 0)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn numbers_have_values_and_units() {
        for (text, expected) in [
            ("4.90 EUR", &[(490, true)][..]),
            ("4,90 €", &[(490, true)]),
            ("$10 per item", &[(1000, true)]),
            ("EUR 4.90", &[(490, true)]),
            ("2 to 3 working days", &[(200, true), (300, true)]),
            ("two days", &[(200, true)]),
            ("a five-year guarantee", &[(500, true)]),
            ("3,000 mm", &[(300_000, true)]),
            ("1.500 €", &[(150_000, true)]),
            ("from 9:00 to 18:00", &[(900, true), (1800, true)]),
            ("7 pm", &[(1900, true)]),
            ("10 percent", &[(1000, true)]),
            ("1. Open the page", &[]),
            ("one of our stores", &[]),
            ("see [1] and tok12", &[]),
        ] {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }
}

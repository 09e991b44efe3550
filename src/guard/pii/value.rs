//! What a typed password is: a token, a text in quotes, letters one by one.

use std::ops::Range;

use super::{alike::is_unspaced, fold::PLACEHOLDER};

pub(super) const LONGEST: usize = 128;

/// The end of a password that is typed letter by letter: "h u n t e r 2".
pub(super) fn spaced_end(text: &str, start: usize) -> Option<usize> {
    const FEWEST: usize = 4;
    let single =
        |part: &&str| part.chars().nth(1).is_none() && part.contains(char::is_alphanumeric);
    let parts = text[start..].split(' ').take(LONGEST).take_while(single);
    let (count, length) =
        parts.fold((0, 0), |(count, length), part| (count + 1, length + part.len()));
    (count >= FEWEST).then(|| start + length + count - 1)
}

/// The end with the digits behind a word: "tiger 123".
pub(super) fn with_digits(text: &str, token: &Range<usize>) -> usize {
    let value = &text[token.clone()];
    let rest = &text[token.end..];
    let digits = rest.trim_start_matches(' ');
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let whole = !digits[count..].starts_with(|c: char| c.is_alphanumeric());
    let word = value.chars().all(char::is_alphabetic);
    let follows = word && whole && (1..=8).contains(&count) && rest.len() == digits.len() + 1;
    if follows { token.end + 1 + count } else { token.end }
}

pub(super) fn leading(text: &str, is: impl Fn(char) -> bool) -> &str {
    &text[..text.len() - text.trim_start_matches(is).len()]
}

/// The token at `at`; in quotes it may have spaces.
pub(super) fn token(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    if matches!(first, '"' | '\'' | '`') {
        let inside = &rest[1..];
        if let Some(length) = inside.find(first).filter(|length| (1..=LONGEST).contains(length)) {
            return Some(at + 1..at + 1 + length);
        }
    }
    // "パスワードはhunter2です"
    let unspaced = is_unspaced(first);
    let ends = |c: char| c.is_whitespace() || is_unspaced(c) != unspaced && c.is_alphanumeric();
    let length = rest.find(ends).unwrap_or(rest.len());
    let length = rest[..length].trim_end_matches(['.', ',', ';', '"', '\'', ')', '?', '|']).len();
    (1..=LONGEST).contains(&length).then(|| at..at + length)
}

/// Has letters, and digits or signs, and is neither an address nor a link.
pub(super) fn is_strong(value: &str) -> bool {
    const SHORTEST: usize = 5;
    let value = value.trim_end_matches(['!', '?', '.']);
    is_mixed(value)
        && value.chars().count() >= SHORTEST
        && value.contains(char::is_alphabetic)
        && !value.contains("://")
        && !value.starts_with("www.")
        && !value.split_once('@').is_some_and(|(_, domain)| domain.contains('.'))
}

/// Has what words of a sentence do not have.
pub(super) fn is_mixed(value: &str) -> bool {
    let has = |what: fn(char) -> bool| value.contains(what);
    let letters = has(char::is_alphabetic);
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let signs = has(|c| "!@#$%^&*_+=~<>?{}|\\".contains(c));
    value.chars().count() >= 3
        && !value.contains(PLACEHOLDER)
        && (letters && (digits > 0 || signs) || digits >= 3)
}

/// No password: nothing is left of it, or a placeholder.
pub(super) fn is_plainly_said(value: &str) -> bool {
    value.contains(PLACEHOLDER) || !value.contains(char::is_alphanumeric)
}

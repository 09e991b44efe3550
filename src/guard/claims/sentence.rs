//! Where the sentences of an answer end, while it is written. How it is cut into pieces never
//! changes that.

use std::{ops::Range, sync::LazyLock};

use super::token::marker;
use crate::words::{self, Search, Words};

/// A sentence that does not end is judged in parts of about this many bytes.
pub(super) const LONGEST: usize = 400;

/// So many bytes of signs and white space at most belong to an end.
const CLOSING: usize = 64;

/// A full stop after these words ends nothing, in all languages.
static ABBREVIATIONS: LazyLock<Words> = LazyLock::new(|| words::all::<Search>().abbreviations);

/// The number of bytes of the first sentence with the white space, the closing signs and the
/// numbers of passages behind it. `None` while that is not certain; if `last`, no more text will come.
pub(super) fn end(text: &str, last: bool) -> Option<usize> {
    let mut at = 0;
    while let Some(offset) = text[at..].find(is_end) {
        let stop = at + offset;
        if stop >= LONGEST {
            return cut(text);
        }
        let c = text[stop..].chars().next()?;
        at = stop + c.len_utf8();
        match closing(text, at, last) {
            None => return None,
            Some(after) if c == '\n' => return Some(after),
            Some(after) if ends_here(text, stop, c, after) => return Some(after),
            Some(_) => {}
        }
    }
    if last { (!text.is_empty()).then_some(text.len()) } else { cut(text) }
}

/// A text without an end in sight is cut between two words.
fn cut(text: &str) -> Option<usize> {
    if text.len() < LONGEST {
        return None;
    }
    let whole = &text[..text.floor_char_boundary(LONGEST)];
    let space = whole.rfind(char::is_whitespace).filter(|at| *at > 0);
    Some(space.map_or(whole.len(), |at| at + whole[at..].chars().next().map_or(0, char::len_utf8)))
}

const fn is_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '\n')
}

/// The offset after what belongs to the end of the sentence; `None` if more text decides.
fn closing(text: &str, mut at: usize, last: bool) -> Option<usize> {
    let longest = at + CLOSING;
    while at < longest {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else { return last.then_some(at) };
        if is_end(c) && c != '\n'
            || matches!(c, '"' | '\'' | ')' | '”' | '’' | '»' | '*' | '_')
            || c.is_whitespace()
        {
            at += c.len_utf8();
            continue;
        }
        if c == '[' {
            match marker(rest) {
                Some((length, _)) => {
                    at += length;
                    continue;
                }
                None if rest.len() < 4 && !last => return None,
                None => {}
            }
        }
        return Some(at);
    }
    Some(at)
}

fn ends_here(text: &str, stop: usize, c: char, after: usize) -> bool {
    if matches!(c, '。' | '！' | '？') {
        return true;
    }
    let behind = &text[stop + c.len_utf8()..after];
    let rest = &text[after..];
    if rest.is_empty() {
        return true;
    }
    if !behind.contains(char::is_whitespace) && !behind.contains(']') {
        return false;
    }
    if c != '.' {
        return true;
    }
    if rest.starts_with(char::is_lowercase) {
        return false;
    }
    let word = text[..stop].rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    // "1." begins a line, or is a date in some languages.
    let counts = !word.is_empty() && word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit());
    !initial && !counts && !ABBREVIATIONS.contains(word.to_lowercase().as_str())
}

/// The sentences of a whole text.
pub(super) fn all(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        at += end(&text[start..], true)?;
        Some(start..at)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        all(text).map(|range| text[range].trim()).collect()
    }

    #[test]
    fn a_sentence_ends_with_its_marks_and_its_sources() {
        assert_eq!(
            split("It costs 4.90 EUR. [1] Yes! Is that all?\n\n- one\n- two"),
            ["It costs 4.90 EUR. [1]", "Yes!", "Is that all?", "- one", "- two"]
        );
        for one in ["Ask Mr. Berg (approx. 2 min. Walk).", "Open 1. Choose fjellheim.example/x now"]
        {
            assert_eq!(split(one), [one]);
        }
    }

    #[test]
    fn an_end_is_certain_only_when_what_follows_is_known() {
        assert_eq!(end("It is free.", false), None);
        assert_eq!(end("It is free. ", false), None);
        assert_eq!(end("It is free. [", false), None);
        assert_eq!(end("It is free. N", false), Some(12));
        assert_eq!(end("It costs 4.9", false), None);
        assert_eq!(end("It is free.", true), Some(11));
    }

    proptest! {
        #[test]
        fn pieces_never_change_the_sentences(text in "([a-zA-Z0-9 .!?\n\\[\\]1]|ü|。){0,120}", cut in 0usize..200) {
            let whole: Vec<Range<usize>> = all(&text).collect();
            let cut = text.floor_char_boundary(cut.min(text.len()));
            let mut found = Vec::new();
            let mut at = 0;
            while let Some(length) = end(&text[at..cut], false) {
                found.push(at..at + length);
                at += length;
            }
            while let Some(length) = end(&text[at..], true) {
                found.push(at..at + length);
                at += length;
            }
            prop_assert_eq!(found, whole);
        }
    }
}

//! Finds the ends of sentences. Passages are cut there, and quotes start and end there.

use std::sync::LazyLock;

use crate::words::{self, Search, Words};

/// Words after which a full stop does not end a sentence, in all languages.
static ABBREVIATIONS: LazyLock<Words> = LazyLock::new(|| words::all::<Search>().abbreviations);

/// Names of months in languages that write a full stop behind the day.
static MONTHS: LazyLock<Words> = LazyLock::new(|| words::all::<Search>().months);

/// The sentences of `text` in order, trimmed and not empty. A line break also ends a sentence.
pub fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(Sentences).filter(|sentence| !sentence.is_empty())
}

struct Sentences<'a>(&'a str);

impl<'a> Iterator for Sentences<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let line = self.0;
        if line.is_empty() {
            return None;
        }
        let end = end_of_first(line);
        self.0 = &line[end..];
        Some(line[..end].trim())
    }
}

/// Byte offset after the first sentence of `line`.
fn end_of_first(line: &str) -> usize {
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if !is_stop(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some(&(next, c)) = chars.peek() {
            if !(is_stop(c) || is_closing(c)) {
                break;
            }
            end = next + c.len_utf8();
            chars.next();
        }
        if ends_here(line, at, c, end) {
            return end;
        }
    }
    line.len()
}

fn ends_here(line: &str, at: usize, stop: char, end: usize) -> bool {
    if matches!(stop, '。' | '！' | '？') {
        return true;
    }
    let after = &line[end..];
    let Some(gap) = after.chars().next() else { return true };
    if !gap.is_whitespace() {
        return false;
    }
    let Some(first) = after.trim_start().chars().next() else { return true };
    if first.is_lowercase() {
        return false;
    }
    if stop != '.' {
        return true;
    }
    let word = line[..at].rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let next = after.split_whitespace().next().unwrap_or("");
    let next = next.trim_end_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    let day = word.len() <= 2 && word.chars().all(|c| c.is_ascii_digit());
    if day && MONTHS.contains(next.as_str()) {
        return false;
    }
    let initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    !initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

const fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？')
}

const fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).collect()
    }

    #[test]
    fn full_stops_question_marks_and_lines_end_sentences() {
        assert_eq!(
            split("You have 30 days. Is that all? \"Yes!\" Good\nNext line"),
            ["You have 30 days.", "Is that all?", "\"Yes!\"", "Good", "Next line"]
        );
    }

    #[test]
    fn numbers_abbreviations_and_addresses_do_not() {
        for text in [
            "It costs 4.90 EUR to Norway.",
            "Some goods, e.g. Gas cartridges, stay here.",
            "Write to help@fjellheim.example or visit fjellheim.example today.",
            "Ask for Mr. Berg (approx. 2 min. Walk).",
            "Signed by J. Berg himself.",
            "Sie haben bis zum 31. Januar Zeit.",
        ] {
            assert_eq!(split(text), [text]);
        }
    }

    proptest! {
        #[test]
        fn no_character_but_white_space_is_lost(text in "(?s)[a-zA-Z0-9 .!?\n\"()]{0,200}|\\PC{0,100}") {
            let joined: String = sentences(&text).collect();
            let solid = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(solid(&joined), solid(&text));
        }
    }
}

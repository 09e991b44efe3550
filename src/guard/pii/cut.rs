//! Cuts a text into its words. Chinese and Japanese have no spaces: there a word is the longest one
//! that a list has, or a single character.

use std::ops::Range;

use super::{alike::is_unspaced, vocabulary::MEANINGS};

/// Of a word of a list, in characters.
const LONGEST: usize = 8;

pub(super) fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphabetic)?;
        let rest = &text[start..];
        let length = if rest.starts_with(is_unspaced) {
            listed(rest)
        } else {
            rest.find(|c: char| !c.is_alphabetic() || is_unspaced(c)).unwrap_or(rest.len())
        };
        at = start + length;
        Some(start..at)
    })
}

/// Length of the longest word of a list that `text` begins with.
fn listed(text: &str) -> usize {
    let ends = text.char_indices().take(LONGEST).take_while(|(_, c)| is_unspaced(*c));
    let ends: Vec<usize> = ends.map(|(at, c)| at + c.len_utf8()).collect();
    let known = ends.iter().rev().find(|end| MEANINGS.contains_key(&text[..**end]));
    *known.or(ends.first()).unwrap_or(&text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_spaces_are_those_of_the_lists() {
        let of = |text: &'static str| words(text).map(|range| &text[range]).collect::<Vec<_>>();
        assert_eq!(of("my password: a1b"), ["my", "password", "a", "b"]);
        assert_eq!(of("我的密码是hunter"), ["我的密码", "是", "hunter"]);
    }
}

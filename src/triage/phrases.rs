//! Finds the phrases of word lists in a message.

use std::{collections::HashMap, ops::Range};

use super::text::Message;

/// By so many letters the words are indexed that only have to begin alike.
const KEY: usize = 3;

/// Phrases, each with a tag that says where it is from.
pub struct Phrases<T> {
    phrases: Vec<(Box<[Word]>, T)>,
    /// By their first word, whole or its first letters.
    by_word: HashMap<Box<str>, Vec<usize>>,
    by_letters: HashMap<Box<str>, Vec<usize>>,
}

struct Word {
    text: Box<str>,
    /// It is the beginning of words.
    open: bool,
}

/// A phrase that was found, and the words of the message that it covers.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<T> {
    pub tag: T,
    pub words: Range<usize>,
}

impl<T: Copy> FromIterator<(&'static str, T)> for Phrases<T> {
    /// From lines of word lists. One without letters is left out.
    fn from_iter<I: IntoIterator<Item = (&'static str, T)>>(lines: I) -> Self {
        let mut phrases =
            Self { phrases: Vec::new(), by_word: HashMap::new(), by_letters: HashMap::new() };
        lines.into_iter().for_each(|(line, tag)| phrases.add(line, tag));
        phrases
    }
}

impl<T: Copy> Phrases<T> {
    fn add(&mut self, line: &str, tag: T) {
        let mut words = Vec::new();
        for part in line.split(' ') {
            let message = Message::new(part);
            let last = message.len().saturating_sub(1);
            words.extend((0..message.len()).map(|at| Word {
                text: message.word(at).into(),
                open: at == last && part.ends_with('*'),
            }));
        }
        let Some(first) = words.first() else { return };
        let index = if first.open { &mut self.by_letters } else { &mut self.by_word };
        let key = if first.open { letters(&first.text) } else { &first.text };
        index.entry(key.into()).or_default().push(self.phrases.len());
        self.phrases.push((words.into(), tag));
    }

    /// Every phrase at every place, from left to right.
    pub fn find(&self, message: &Message) -> Vec<Hit<T>> {
        let mut hits = Vec::new();
        for start in 0..message.len() {
            let word = message.word(start);
            let whole = self.by_word.get(word);
            let open = self.by_letters.get(letters(word));
            for &index in whole.into_iter().chain(open).flatten() {
                let (words, tag) = &self.phrases[index];
                let fits = |(at, word): (usize, &Word)| word.fits(message.word(start + at));
                if words.iter().enumerate().all(fits) {
                    hits.push(Hit { tag: *tag, words: start..start + words.len() });
                }
            }
        }
        hits
    }
}

impl Word {
    fn fits(&self, word: &str) -> bool {
        if self.open { word.starts_with(&*self.text) } else { *self.text == *word }
    }
}

fn letters(word: &str) -> &str {
    word.char_indices().nth(KEY).map_or(word, |(end, _)| &word[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&'static str], text: &str) -> Vec<(usize, Range<usize>)> {
        let phrases: Phrases<usize> = lines.iter().copied().zip(0..).collect();
        phrases.find(&Message::new(text)).into_iter().map(|hit| (hit.tag, hit.words)).collect()
    }

    #[test]
    fn a_phrase_is_found_wherever_its_words_stand_together() {
        let lines = ["refund*", "my money back", "don't", "人工", "money"];
        assert_eq!(
            found(&lines, "Refunding: I want my money  back!"),
            [(0, 0..1), (1, 3..6), (4, 4..5)]
        );
        assert_eq!(found(&lines, "I don't"), [(2, 1..3)]);
        assert_eq!(found(&lines, "请转人工"), [(3, 2..4)]);
        assert_eq!(found(&lines, "my money and back, prefund"), [(4, 1..2)]);
        assert_eq!(found(&lines, "refun my"), []);
    }

    #[test]
    fn accents_do_not_count_on_either_side() {
        assert_eq!(found(&["rückgabe*", "dónde está"], "RUCKGABERECHT"), [(0, 0..1)]);
        assert_eq!(found(&["donde esta"], "¿Dónde está?"), [(0, 0..2)]);
    }
}

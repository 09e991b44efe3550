//! A text as folded words, in which lists of words and phrases are looked for.

use crate::knowledge::terms::words;

/// How many words of a text are read.
const MOST_WORDS: usize = 300;

pub struct Said {
    words: Vec<String>,
    /// The words with a space around each, as phrases are.
    line: String,
}

impl Said {
    pub fn new(text: &str) -> Self {
        Self::of(words(text).take(MOST_WORDS).collect())
    }

    pub fn of(words: Vec<String>) -> Self {
        let mut line = String::from(" ");
        for word in &words {
            line.push_str(word);
            line.push(' ');
        }
        Self { words, line }
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn line(&self) -> &str {
        self.line.trim()
    }

    pub fn has(&self, phrases: &[String]) -> bool {
        phrases.iter().any(|phrase| self.line.contains(phrase.as_str()))
    }

    /// Where the first of these phrases begins.
    pub fn first(&self, phrases: &[String]) -> Option<usize> {
        phrases.iter().filter_map(|phrase| self.line.find(phrase.as_str())).min()
    }

    /// The number of words that the longest of these phrases has at the beginning of the text.
    pub fn begins(&self, phrases: &[String]) -> usize {
        let found = phrases.iter().filter(|phrase| self.line.starts_with(phrase.as_str()));
        found.map(|phrase| phrase.split_whitespace().count()).max().unwrap_or(0)
    }

    /// The text without these phrases.
    pub fn without(&self, lists: &[&[String]]) -> Self {
        let mut line = self.line.clone();
        for phrase in lists.iter().flat_map(|list| list.iter()) {
            while line.contains(phrase.as_str()) {
                line = line.replacen(phrase.as_str(), " ", 1);
            }
        }
        Self::of(line.split_whitespace().map(str::to_owned).collect())
    }
}

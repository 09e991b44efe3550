//! Phrases of a word list, looked for in tokens.

use std::collections::HashMap;

use super::{
    fold::word,
    tagger::{Gap, Token},
};

/// The other words of each phrase by its first word, longest first.
pub(super) struct Phrases(HashMap<String, Vec<Vec<String>>>);

impl Phrases {
    pub(super) fn new<'p>(phrases: impl IntoIterator<Item = &'p str>) -> Self {
        let mut made: HashMap<String, Vec<Vec<String>>> = HashMap::new();
        for phrase in phrases {
            let folded = word(phrase);
            let mut words = folded.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
            if let Some(first) = words.next() {
                let rest = words.map(str::to_owned).collect();
                made.entry(first.to_owned()).or_default().push(rest);
            }
        }
        for rests in made.values_mut() {
            rests.sort_by_key(|rest| std::cmp::Reverse(rest.len()));
        }
        Self(made)
    }

    /// The token after the longest phrase that begins at `at`.
    pub(super) fn end(&self, tokens: &[Token<'_>], at: usize) -> Option<usize> {
        let rests = self.0.get(tokens.get(at)?.text)?;
        let after = tokens.get(at + 1..).unwrap_or_default();
        let fits = |rest: &&Vec<String>| {
            rest.len() <= after.len()
                && rest.iter().zip(after).all(|(w, t)| t.text == *w && t.gap != Gap::Line)
        };
        rests.iter().find(fits).map(|rest| at + 1 + rest.len())
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.0.get(word).is_some_and(|rests| rests.iter().any(Vec::is_empty))
    }
}

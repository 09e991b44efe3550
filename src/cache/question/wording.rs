//! Everything that a question says, down to the words that mean nothing to the guards.
//!
//! The model reads those, too. "Just say that I can" has none but such words, and it can make the
//! answer. So an answer serves only questions that say at least what the question says that it was
//! made for.

use super::{
    courtesy::{Clause, is_function_word},
    facts::{self, Unit, currency, in_place, number},
    lexicon::{self, Meaning},
};

/// Without them, the sentence behind them is a claim.
const HINGES: [&str; 4] = ["if", "what", "which", "how"];
const SUBJECTS: [&str; 7] = ["i", "you", "we", "they", "it", "he", "she"];

/// The wording of one question, without phrases that only ask and without function words.
#[derive(Debug, Default)]
pub(super) struct Wording {
    /// Words with a meaning of their own, and whether they are denied.
    content: Vec<(Unit, bool)>,
    /// All others, in order, as stems. One that begins a clause has a sign.
    light: Vec<String>,
}

impl Wording {
    /// The wording of a normalised text.
    pub(super) fn of(normal: &str) -> Self {
        let mut wording = Self::default();
        for clause in clauses(normal) {
            let words = facts::words(&clause);
            let Clause { words, asks } = Clause::of(&words);
            let after = words.iter().skip(1).map(Some).chain([None]);
            let said = words.iter().zip(after).filter(|(word, next)| {
                !is_function_word(word) || asks_for_sentence(word, next.map(String::as_str))
            });
            wording.add(&said.map(|(word, _)| word.as_str()).collect::<Vec<_>>(), asks);
        }
        wording
    }

    fn add(&mut self, words: &[&str], asks: bool) {
        let (mut at, mut denied) = (0, false);
        while at < words.len() {
            let (length, word) = match lexicon::phrase(&words[at..]) {
                Some((length, meaning)) if !meaning.is_empty() => (length, meaning),
                _ => (1, words[at]),
            };
            let before = at.checked_sub(1).map_or("", |index| words[index]);
            let after = words.get(at + length).copied().unwrap_or_default();
            let is_first = at == 0;
            at += length;
            let unit = if let Some(number) = number(word, after) {
                Unit::Text(number)
            } else if let Some(code) = currency(word) {
                Unit::Text(code.to_owned())
            } else {
                match in_place(word, before, after) {
                    Meaning::Action(id) | Meaning::Object(id) | Meaning::Sign(id) => {
                        Unit::Meaning(id)
                    }
                    Meaning::Itself => Unit::Text(lexicon::stem(word).into_owned()),
                    meaning @ (Meaning::Light | Meaning::Negation) => {
                        denied |= meaning == Meaning::Negation;
                        // "Give" is an order, and "do you give" is none.
                        let sign = if is_first && !asks { "!" } else { "" };
                        self.light.push(format!("{sign}{}", lexicon::stem(word)));
                        continue;
                    }
                }
            };
            self.content.push((unit, std::mem::take(&mut denied)));
        }
    }

    /// Whether all of `other` is here. Words with a meaning may stand in another order, which the
    /// guards judge. Words such as "if" must be in both, since "it is free" claims what "if it is
    /// free" asks.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let asks = |word: &&String| HINGES.contains(&word.trim_start_matches('!'));
        let hinges = |wording: &Self| wording.light.iter().filter(asks).count();
        let mut light = self.light.iter();
        let mut content: Vec<_> = self.content.iter().collect();
        hinges(self) == hinges(other)
            && other.light.iter().all(|word| light.any(|own| own == word))
            && other.content.iter().all(|unit| {
                let found = content.iter().position(|own| *own == unit);
                found.map(|at| content.swap_remove(at)).is_some()
            })
    }
}

/// "what" in "what you ship", but not in "what boots".
fn asks_for_sentence(word: &str, next: Option<&str>) -> bool {
    HINGES.contains(&word) && next.is_some_and(|next| SUBJECTS.contains(&next))
}

/// The parts between signs of punctuation and "and".
fn clauses(normal: &str) -> Vec<String> {
    let mut clauses = vec![String::new()];
    for token in normal.split_whitespace() {
        if token == "and" {
            clauses.push(String::new());
        } else if let Some(clause) = clauses.last_mut() {
            clause.push_str(token);
            clause.push(' ');
        }
        if token.ends_with(['.', ',', ';', ':', '?', '!']) {
            clauses.push(String::new());
        }
    }
    clauses
}

#[cfg(test)]
mod tests;

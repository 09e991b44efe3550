//! Whether two answers to one question say the same.
//!
//! Other words may say the same, so the caller compares the meaning. Whatever the words are, these
//! must be equal: numbers, currencies, names, links, and how often something is denied.

use std::{collections::BTreeSet, sync::LazyLock};

use super::{facts::Facts, text::normalised};
use crate::words::{self, Denial};

static DENIAL: LazyLock<Denial> = LazyLock::new(words::all);

/// What the words of two answers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Equal texts, apart from case, spaces and the numbers of citations.
    Same,
    /// Nothing contradicts; only the meaning can tell.
    SameFacts,
    Different,
}

/// Compares two answers.
pub fn compare(one: &str, other: &str) -> Likeness {
    if are_same(one, other) {
        return Likeness::Same;
    }
    let equal = Stated::by(one) == Stated::by(other);
    if equal { Likeness::SameFacts } else { Likeness::Different }
}

/// Whether two answers are the same text.
pub fn are_same(one: &str, other: &str) -> bool {
    one == other || plain(one) == plain(other)
}

/// What an answer states, in any order.
#[derive(PartialEq, Eq)]
struct Stated {
    numbers: BTreeSet<String>,
    currencies: BTreeSet<String>,
    names: BTreeSet<String>,
    denials: usize,
}

impl Stated {
    fn by(answer: &str) -> Self {
        let text = without_citations(answer);
        let facts = Facts::of(&normalised(&text));
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let denials = words.filter(|word| DENIAL.words.contains(&*word.to_lowercase())).count();
        Self {
            numbers: facts.numbers.into_iter().collect(),
            currencies: facts.currencies.into_iter().collect(),
            names: names(&text),
            denials: denials.max(facts.negations),
        }
    }
}

/// Words that are written with a capital letter within a sentence, addresses, and codes.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut begins = true;
    for token in text.split_whitespace() {
        let word = token.trim_matches(|c: char| !c.is_alphanumeric());
        let is_address = word.contains(['@', '/', '_'])
            || word.split('.').filter(|part| part.chars().count() > 1).count() > 1;
        let is_code = word.chars().any(char::is_numeric) && word.chars().any(char::is_alphabetic);
        let is_name = word.chars().next().is_some_and(char::is_uppercase)
            && (!begins || word.chars().skip(1).any(char::is_uppercase))
            && word.chars().count() > 1;
        if is_address || is_code || is_name {
            names.insert(word.to_lowercase());
        }
        begins = token.ends_with(['.', '!', '?', ':', '•', '*', '-']);
    }
    names
}

fn plain(answer: &str) -> String {
    normalised(&without_citations(answer))
}

/// The text without `[1]`: the same passages may be numbered otherwise.
fn without_citations(answer: &str) -> String {
    let mut text = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(at) = rest.find('[') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        let is_citation = digits > 0 && after[1 + digits..].starts_with(']');
        if is_citation {
            text.truncate(text.trim_end_matches(' ').len());
            rest = &after[digits + 2..];
        } else {
            text.push('[');
            rest = &after[1..];
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_citations_and_the_spaces_make_no_difference() {
        for (one, other) in [
            ("Boots ship within two days [1].", "Boots ship within  two days [2]."),
            ("Yes.", "yes"),
            ("Yes [1][2], we do.", "Yes, we do [3]."),
        ] {
            assert_eq!(compare(one, other), Likeness::Same, "{one} / {other}");
        }
    }

    #[test]
    fn other_words_for_the_same_facts_need_their_meaning_compared() {
        for (one, other) in [
            ("Delivery to Norway takes 5 days [1].", "We deliver to Norway in 5 days [1]."),
            ("You can return items within 30 days.", "Items may be returned within 30 days."),
            (
                "Die Lieferung nach Norwegen dauert 5 Tage.",
                "Eine Lieferung nach Norwegen dauert 5 Tage.",
            ),
        ] {
            assert_eq!(compare(one, other), Likeness::SameFacts, "{one} / {other}");
        }
    }

    #[test]
    fn what_contradicts_is_different_however_similar() {
        for (one, other) in [
            ("You have 30 days.", "You have 60 days."),
            ("It costs 5 EUR.", "It costs 5 USD."),
            ("We ship to Norway.", "We do not ship to Norway."),
            ("Wir liefern nach Norwegen.", "Wir liefern nicht nach Norwegen."),
            ("Nous livrons en Norvège.", "Nous ne livrons pas en Norvège."),
            ("Sí, enviamos a Noruega.", "Nunca enviamos a Noruega."),
            ("We ship to Norway.", "We ship to Sweden."),
            ("Write to help@shop.example.", "Write to help@evil.example."),
            ("See https://shop.example/a", "See https://shop.example/b"),
            ("Use the code SAVE10.", "Use the code SAVE20."),
            ("Yes, it is free.", "Yes, it is free and 20 % off."),
        ] {
            assert_eq!(compare(one, other), Likeness::Different, "{one} / {other}");
        }
    }
}

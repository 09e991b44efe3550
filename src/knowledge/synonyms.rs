//! Words with the same use, so that "money back" finds the page about refunds without an embedding
//! model. English only. A related word counts less than the word itself.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::terms::Language;
use crate::words::{Synonyms, of};

/// The weight of a related word; the word itself counts 1.
pub const WEIGHT: f32 = 0.6;

/// A question with more terms is cut, because its first words state the subject.
const MAX_QUERY_TERMS: usize = 64;

/// How many other words may stand between the words of a phrase ("send the boots back").
const GAP: usize = 3;

static SYNONYMS: LazyLock<Synonyms> = LazyLock::new(|| of("en"));

/// Both words of a phrase, and the word that they mean together.
static PHRASES: LazyLock<Vec<(&str, &str, &str)>> = LazyLock::new(|| {
    let split = |(said, meant): &(&'static str, &'static str)| {
        said.split_once(' ').map(|(first, second)| (first, second, *meant))
    };
    SYNONYMS.phrases.iter().filter_map(split).collect()
});

static RELATED: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut related: HashMap<String, HashSet<String>> = HashMap::new();
    for group in &SYNONYMS.groups {
        let stems: Vec<String> =
            group.iter().flat_map(|word| Language::ENGLISH.terms(word)).collect();
        for stem in &stems {
            let others = stems.iter().filter(|other| *other != stem).cloned();
            related.entry(stem.clone()).or_default().extend(others);
        }
    }
    let sorted = |others: HashSet<String>| {
        let mut others: Vec<String> = others.into_iter().collect();
        others.sort();
        others
    };
    related.into_iter().map(|(stem, others)| (stem, sorted(others))).collect()
});

/// A term of a question, with the terms that may replace it in a passage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QueryTerm {
    /// Stem and weight, highest weight first; never empty.
    pub alternatives: Vec<(String, f32)>,
}

impl QueryTerm {
    /// Whether the word itself has one.
    pub fn has_digit(&self) -> bool {
        self.alternatives[0].0.contains(|c: char| c.is_ascii_digit())
    }
}

/// The distinct terms of a question's words, and for English also their related words.
pub(super) fn query_terms(mut words: Vec<String>, language: Language) -> Vec<QueryTerm> {
    let mut terms = Vec::new();
    if language == Language::ENGLISH {
        for (first, second, meaning) in PHRASES.iter() {
            if let Some((at, other)) = place(&words, first, second) {
                let own = language.terms(&words[at]);
                terms.push(related(language.terms(meaning).into_iter().chain(own)));
                words.remove(other);
                words.remove(at);
            }
        }
    }
    for stem in words.iter().flat_map(|word| language.terms(word)) {
        terms.push(if language == Language::ENGLISH {
            related(std::iter::once(stem))
        } else {
            QueryTerm { alternatives: vec![(stem, 1.0)] }
        });
    }
    let mut seen = HashSet::new();
    terms.retain(|term| seen.insert(term.alternatives[0].0.clone()));
    terms.truncate(MAX_QUERY_TERMS);
    terms
}

/// `stems` with full weight, then their related words.
fn related(stems: impl Iterator<Item = String>) -> QueryTerm {
    let mut alternatives: Vec<(String, f32)> = stems.map(|stem| (stem, 1.0)).collect();
    for at in 0..alternatives.len() {
        for other in RELATED.get(&alternatives[at].0).into_iter().flatten() {
            if alternatives.iter().all(|(known, _)| known != other) {
                alternatives.push((other.clone(), WEIGHT));
            }
        }
    }
    QueryTerm { alternatives }
}

/// The positions of `first` and of `second` within [`GAP`] words after it.
fn place(words: &[String], first: &str, second: &str) -> Option<(usize, usize)> {
    let starts = words.iter().enumerate().filter(|(_, word)| *word == first);
    starts.into_iter().find_map(|(at, _)| {
        let near = &words[at + 1..words.len().min(at + 2 + GAP)];
        near.iter().position(|word| word == second).map(|offset| (at, at + 1 + offset))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::terms::words;

    fn query_terms(text: &str, language: Language) -> Vec<QueryTerm> {
        super::query_terms(words(text).collect(), language)
    }

    fn first_terms(text: &str) -> Vec<String> {
        let terms = query_terms(text, Language::ENGLISH);
        terms.into_iter().map(|mut term| term.alternatives.swap_remove(0).0).collect()
    }

    #[test]
    fn groups_hold_single_terms_and_relate_both_ways() {
        for word in SYNONYMS.groups.iter().flatten() {
            assert_eq!(Language::ENGLISH.terms(word).len(), 1, "{word}");
        }
        for (stem, others) in RELATED.iter() {
            assert!(others.iter().all(|other| RELATED[other].contains(stem)), "{stem}");
        }
        assert_eq!(PHRASES.len(), SYNONYMS.phrases.len());
        for (_, second, meaning) in PHRASES.iter() {
            assert!(!second.contains(' '), "{second}");
            assert_eq!(Language::ENGLISH.terms(meaning).len(), 1, "{meaning}");
        }
    }

    #[test]
    fn a_phrase_is_found_with_words_in_between() {
        assert_eq!(first_terms("can I send the red boots back?"), ["return", "red", "boot"]);
        assert_eq!(first_terms("I want my money back"), ["refund"]);
        assert_eq!(first_terms("back then I could send"), ["send"]);
    }

    #[test]
    fn a_term_counts_once_and_stands_before_its_related_words() {
        let terms = query_terms("parcel, parcels", Language::ENGLISH);
        assert_eq!(terms.len(), 1);
        assert_eq!(terms[0].alternatives[0], ("parcel".to_owned(), 1.0));
        assert!(terms[0].alternatives.contains(&("packag".to_owned(), WEIGHT)));
        assert_eq!(query_terms("Paket", Language::of(Some("de")))[0].alternatives.len(), 1);
    }
}

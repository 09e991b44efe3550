//! Reads a word that the shop has never used as the nearest known word, because shoppers type on
//! phones.

use super::{
    index::{Index, Letters, Spelled},
    synonyms::QueryTerm,
    terms::{Language, words},
};

/// The weight of a corrected word; a correct word counts 1.
const WEIGHT: f32 = 0.8;

/// How many words of one question are corrected; each one scans the shop's vocabulary.
const MAX_WORDS: usize = 6;

/// Adds the nearest known term to every term without a known alternative.
pub(super) fn correct(terms: &mut [QueryTerm], index: &Index) {
    let known = |stem: &str| index.document_frequency(stem) > 0;
    let unknown = terms
        .iter_mut()
        .filter(|term| !term.alternatives.iter().any(|(stem, _)| known(stem)))
        .take(MAX_WORDS);
    for term in unknown {
        if let Some(near) = nearest(&term.alternatives[0].0, index) {
            term.alternatives.push((near, WEIGHT));
        }
    }
}

/// The words of a question. Two words are joined if only the joined word is known ("back pack").
pub(super) fn joined_words(text: &str, language: Language, index: &Index) -> Vec<String> {
    let known = |word: &str| {
        language.terms(word).first().is_none_or(|stem| index.document_frequency(stem) > 0)
    };
    let mut joined: Vec<String> = Vec::new();
    for word in words(text) {
        let pair = joined.last().map(|before| format!("{before}{word}"));
        match (pair, joined.last_mut()) {
            (Some(pair), Some(before))
                if !(known(before) && known(&word)) && is_term(&pair, language, index) =>
            {
                *before = pair;
            }
            _ => joined.push(word),
        }
    }
    joined
}

fn is_term(word: &str, language: Language, index: &Index) -> bool {
    language.terms(word).first().is_some_and(|stem| index.document_frequency(stem) > 0)
}

/// The term of the vocabulary with the fewest edits; among equals, the most common.
fn nearest(word: &str, index: &Index) -> Option<String> {
    let word: Vec<char> = word.chars().collect();
    let allowed = match word.len() {
        0..=3 => return None,
        4..=7 => 1,
        _ => 2,
    };
    if word.iter().any(char::is_ascii_digit) {
        return None;
    }
    let mut best: Option<(usize, usize, &str)> = None;
    let letters = Letters::of(word.iter().copied());
    for Spelled { term, chars, letters: theirs } in index.vocabulary() {
        let term = &**term;
        let limit = best.map_or(allowed, |(edits, ..)| edits);
        // This skips most of the vocabulary.
        if chars.abs_diff(word.len()) > limit || letters.edits_apart(*theirs) > limit {
            continue;
        }
        let Some(edits) = edits(&word, term, limit) else { continue };
        let frequency = index.document_frequency(term);
        let better = best
            .is_none_or(|(fewest, most, first)| (edits, most, term) < (fewest, frequency, first));
        if better {
            best = Some((edits, frequency, term));
        }
    }
    best.map(|(.., term)| term.to_owned())
}

/// Whether `word` is `term` with a typo or two.
pub(super) fn is_near(word: &str, term: &str) -> bool {
    let word: Vec<char> = word.chars().collect();
    let allowed = match word.len() {
        0..=4 => return false,
        5..=7 => 1,
        _ => 2,
    };
    !word.iter().any(char::is_ascii_digit)
        && term.len().abs_diff(word.len()) <= allowed
        && edits(&word, term, allowed).is_some()
}

/// How many insertions, deletions, replacements and swaps of neighbours turn `term` into `word`;
/// `None` if above `limit`.
fn edits(word: &[char], term: &str, limit: usize) -> Option<usize> {
    let term: Vec<char> = term.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=term.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in term.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == term[j - 1] && word[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        if row.iter().all(|cost| *cost > limit) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|edits| *edits <= limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::knowledge::{index::tests::entry, synonyms::query_terms};

    fn read(question: &str) -> Vec<Vec<String>> {
        let text = "delivery delivery parcel voucher refund boots 2024";
        let index = Index::of(vec![entry("d", 0, "", text)]);
        let mut terms = query_terms(words(question).collect(), Language::ENGLISH);
        correct(&mut terms, &index);
        terms
            .into_iter()
            .map(|t| t.alternatives.into_iter().map(|(stem, _)| stem).collect())
            .collect()
    }

    #[test]
    fn a_typo_is_read_as_the_word_it_is_nearest_to() {
        assert_eq!(read("parcle"), [["parcl", "parcel"]]);
        assert_eq!(read("vuocher"), [["vuocher", "voucher"]]);
    }

    #[test]
    fn two_words_are_read_as_the_one_the_shop_writes() {
        let index = Index::of(vec![entry("d", 0, "", "a backpack to carry; checkout and check")]);
        let joined = |text| joined_words(text, Language::ENGLISH, &index).join(" ");
        assert_eq!(joined("my back pack to carry"), "my backpack to carry");
        assert_eq!(joined("check out the unknown words"), "check out the unknown words");
    }

    #[test]
    fn known_short_and_numeric_words_are_left_alone() {
        assert_eq!(read("boot"), [["boot", "footwear", "shoe"]].map(|known| known.to_vec()));
        assert_eq!(read("bot"), [["bot"]]);
        assert_eq!(read("2025"), [["2025"]]);
        assert_eq!(read("weather"), [["weather"]]);
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_and_zero_only_for_the_same_word(a in "[abc]{1,8}", b in "[abc]{1,8}") {
            let of = |a: &str, b: &str| edits(&a.chars().collect::<Vec<_>>(), b, 9);
            prop_assert_eq!(of(&a, &b), of(&b, &a));
            prop_assert_eq!(of(&a, &b) == Some(0), a == b);
            let apart = Letters::of(a.chars()).edits_apart(Letters::of(b.chars()));
            prop_assert!(of(&a, &b).is_none_or(|edits| apart <= edits), "what is passed over is far");
        }
    }
}

//! Converts text to search terms: words in lower case without accents, reduced to their stem. Words
//! that say nothing about the subject are left out.

use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

use crate::words::{Search, Words, languages, of};

/// Longer "words" are cut: no question contains them, and they would fill the index.
const MAX_WORD_CHARS: usize = 40;

/// A language with a stemmer. A document without a locale is read as English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(Algorithm);

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

impl Language {
    pub const ENGLISH: Self = Self(Algorithm::English);

    /// The language of a tag such as `de-AT`; English if there is no stemmer for it.
    pub fn of(locale: Option<&str>) -> Self {
        let tag = locale.unwrap_or("en").split('-').next().unwrap_or("en");
        Self(match tag.to_ascii_lowercase().as_str() {
            "ar" => Algorithm::Arabic,
            "da" => Algorithm::Danish,
            "de" => Algorithm::German,
            "el" => Algorithm::Greek,
            "es" => Algorithm::Spanish,
            "fi" => Algorithm::Finnish,
            "fr" => Algorithm::French,
            "hu" => Algorithm::Hungarian,
            "it" => Algorithm::Italian,
            "nb" | "nn" | "no" => Algorithm::Norwegian,
            "nl" => Algorithm::Dutch,
            "pt" => Algorithm::Portuguese,
            "ro" => Algorithm::Romanian,
            "ru" => Algorithm::Russian,
            "sv" => Algorithm::Swedish,
            "ta" => Algorithm::Tamil,
            "tr" => Algorithm::Turkish,
            _ => Algorithm::English,
        })
    }

    /// The terms of `text` in order, with repetitions.
    pub fn terms(self, text: &str) -> Vec<String> {
        self.stems(words(text))
    }

    /// The terms of folded words.
    pub fn stems(self, words: impl Iterator<Item = impl AsRef<str>>) -> Vec<String> {
        let stemmer = Stemmer::create(self.0);
        let stop_words = self.stop_words();
        words
            .filter(|word| stop_words.is_none_or(|list| !list.contains(word.as_ref())))
            .map(|word| stemmer.stem(word.as_ref()).into_owned())
            .collect()
    }

    pub fn stem(self, word: &str) -> String {
        Stemmer::create(self.0).stem(word).into_owned()
    }

    /// `None` if there is no list. Such words are frequent, so they have a low weight in BM25
    /// anyway.
    fn stop_words(self) -> Option<&'static Words> {
        STOP_WORDS.iter().find(|(language, _)| *language == self).map(|(_, words)| words)
    }
}

static STOP_WORDS: LazyLock<Vec<(Language, Words)>> = LazyLock::new(|| {
    let list = |tag| (Language::of(Some(tag)), of::<Search>(tag).stop_words);
    languages::<Search>().map(list).collect()
});

/// The words of `text` in their compared form. They are folded and split at everything but letters,
/// digits, apostrophes inside a word, and points or commas inside a number.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: Vec<char> = fold(text).collect();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < folded.len() && !folded[at].is_alphanumeric() {
            at += 1;
        }
        let mut word = String::new();
        let mut length = 0;
        while let Some(&c) = folded.get(at) {
            if !c.is_alphanumeric() && !joins(&folded, at) {
                break;
            }
            if c != '\'' && length < MAX_WORD_CHARS {
                word.push(c);
                length += 1;
            }
            at += 1;
        }
        (!word.is_empty()).then_some(word)
    })
}

/// Lower case, compatibility forms resolved, without accents, with plain apostrophes, and with "ss"
/// for "ß", as it is written without a German keyboard.
fn fold(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|c| !matches!(*c, '\u{0300}'..='\u{036f}'))
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            '’' => ['\'', '\0'],
            'ß' => ['s', 's'],
            c => [c, '\0'],
        })
        .filter(|c| *c != '\0')
}

/// Whether the character at `at` is inside a word or a number.
fn joins(text: &[char], at: usize) -> bool {
    let Some((before, after)) =
        at.checked_sub(1).and_then(|before| Some((text.get(before)?, text.get(at + 1)?)))
    else {
        return false;
    };
    match text[at] {
        '\'' => before.is_alphabetic() && after.is_alphabetic(),
        '.' | ',' => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn english(text: &str) -> Vec<String> {
        Language::ENGLISH.terms(text)
    }

    #[test]
    fn forms_of_a_word_share_a_term() {
        assert_eq!(english("returns, returning; RETURNED"), ["return"; 3]);
        assert_eq!(Language::of(Some("de-AT")).terms("Schuhe Größen"), ["schuh", "gross"]);
    }

    #[test]
    fn words_around_a_question_are_not_terms() {
        assert_eq!(english("Hi, could you please tell me how I can get it? I don’t know"), [""; 0]);
    }

    #[test]
    fn a_number_keeps_its_decimals_and_a_sentence_its_end() {
        let found: Vec<_> = words("It costs 4.90 (or 1,200.50). Don't ask e.g. K2").collect();
        assert_eq!(found, ["it", "costs", "4.90", "or", "1,200.50", "dont", "ask", "e", "g", "k2"]);
    }

    #[test]
    fn word_lists_are_folded_as_words_are() {
        assert_eq!(STOP_WORDS.len(), languages::<Search>().count());
        for tag in languages::<Search>() {
            let list: Search = of(tag);
            for word in list.stop_words.iter().chain(&list.asks_for_number) {
                assert_eq!(words(word).collect::<Vec<_>>(), [*word], "{tag}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_bounded_words(text in "\\PC{0,200}") {
            for word in words(&text) {
                prop_assert!(!word.is_empty() && word.chars().count() <= MAX_WORD_CHARS);
            }
        }
    }
}

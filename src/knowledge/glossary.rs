//! What a question means in English, word by word: with it, English pages answer shoppers who write
//! in another language. It is no translation that anybody reads: it has the words by which a page is
//! found, and by which a sentence is compared with the question.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    asking::{self, lists::lists, places::Named, said::Said},
    spelling::is_near,
    terms::Language,
};
use crate::words::{self, languages, of};

/// Most words of an entry.
const LONGEST: usize = 5;
/// Least letters of each half of a compound: "Regenjacke".
const LEAST_HALF: usize = 3;
/// What may join the halves of a compound.
const JOINTS: [&str; 4] = ["s", "n", "en", "es"];

struct Glossary {
    language: Language,
    /// As they are written, and by their stems.
    entries: HashMap<String, &'static str>,
    stems: HashMap<String, &'static str>,
}

static GLOSSARIES: LazyLock<HashMap<&'static str, Glossary>> = LazyLock::new(|| {
    languages::<words::Glossary>().map(|code| (code, Glossary::read(code))).collect()
});

/// The question in English words; `None` if its language has no glossary.
pub(super) fn english(question: &str, locale: &str) -> Option<String> {
    let code = locale.split(['-', '_']).next().unwrap_or_default();
    let glossary = GLOSSARIES.get(code)?;
    let said = Said::new(question);
    let places = Named::read(&said, code).places;
    let stop_words = &lists(code).stop_words;
    let words = said.words();
    let (mut meant, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    while at < words.len() {
        if let Some(mention) = places.iter().find(|mention| mention.from == at) {
            meant.push(mention.place.english().to_owned());
            at = mention.to;
        } else if let Some((length, english)) = glossary.longest(&words[at..], stop_words) {
            meant.push(english.to_owned());
            at += length;
        } else {
            let word = &words[at];
            if !stop_words.contains(word.as_str()) {
                meant.push(glossary.unlisted(word).unwrap_or_else(|| word.clone()));
            }
            at += 1;
        }
    }
    Some(asking::meant(meant.join(" "), lists("en")))
}

impl Glossary {
    fn read(code: &'static str) -> Self {
        let language = Language::of(Some(code));
        let pairs = of::<words::Glossary>(code).words;
        let entries = pairs.iter().map(|(said, meant)| ((*said).to_owned(), *meant)).collect();
        let mut stems = HashMap::new();
        for (said, meant) in pairs {
            let words: Vec<String> = said.split(' ').map(str::to_owned).collect();
            stems.entry(stemmed(language, &words)).or_insert(meant);
        }
        Self { language, entries, stems }
    }

    /// The longest entry at the beginning of `words`, and how many words it has.
    /// A stop word is no form of another word.
    fn longest(
        &self,
        words: &[String],
        stop_words: &words::Words,
    ) -> Option<(usize, &'static str)> {
        let light = |words: &[String]| matches!(words, [one] if stop_words.contains(one.as_str()));
        let of_length = |length: usize| {
            let line = words.get(..length)?.join(" ");
            let stems = || self.stems.get(&stemmed(self.language, &words[..length]));
            let inflected = || if light(&words[..length]) { None } else { stems() };
            self.entries.get(&line).or_else(inflected).map(|meant| (length, *meant))
        };
        (1..=LONGEST).rev().find_map(of_length)
    }

    /// A compound of two entries, or a misspelt entry.
    fn unlisted(&self, word: &str) -> Option<String> {
        self.compound(word).or_else(|| {
            // Shoppers rarely miss the first letter.
            let begins = |said: &str| said.chars().next() == word.chars().next();
            let near = self.entries.iter();
            let near = near.filter(|(said, _)| begins(said) && is_near(word, said));
            near.min_by_key(|(said, _)| *said).map(|(_, meant)| (*meant).to_owned())
        })
    }

    fn compound(&self, word: &str) -> Option<String> {
        let none = words::Words::default();
        let one = |word: &str| self.longest(&[word.to_owned()], &none).map(|(_, meant)| meant);
        let first = |half: &str| {
            let bare = JOINTS.iter().filter_map(|joint| half.strip_suffix(joint));
            std::iter::once(half).chain(bare).filter(|half| half.len() >= LEAST_HALF).find_map(one)
        };
        let cuts = word
            .char_indices()
            .map(|(at, _)| at)
            .filter(|at| *at >= LEAST_HALF && word.len() - at > LEAST_HALF);
        cuts.rev().find_map(|at| Some(format!("{} {}", first(&word[..at])?, one(&word[at..])?)))
    }
}

fn stemmed(language: Language, words: &[String]) -> String {
    words.iter().map(|word| language.stem(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_in_english_words() {
        for (locale, question, meant) in [
            ("de", "Was kostet der Versand nach Norwegen?", "how much shipping to norway"),
            ("de-AT", "kann ich meine Lederstiefel zurückschicken", "can i leather boots return"),
            ("es", "¿Cuánto tarda la devolución?", "how long return"),
            ("es", "¿Tenéis tienda en Múnich?", "do you have store in munich"),
        ] {
            assert_eq!(english(question, locale).as_deref(), Some(meant), "{question}");
        }
        assert_eq!(english("combien coûte la livraison", "fr"), None);
    }

    #[test]
    fn a_misspelt_word_is_the_entry_that_it_is_nearest_to() {
        assert_eq!(english("Schlafsak", "de").as_deref(), Some("sleeping bag"));
        assert_eq!(english("Zorgelfunk", "de").as_deref(), Some("zorgelfunk"));
    }

    #[test]
    fn entries_are_written_as_questions_are_read() {
        for (code, glossary) in GLOSSARIES.iter() {
            for said in glossary.entries.keys() {
                assert_eq!(Said::new(said).line(), said, "{code}");
                assert!(said.split(' ').count() <= LONGEST, "{code}: {said}");
            }
        }
    }
}

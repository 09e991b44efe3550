//! Word lists by language, compiled in from `words/<language>/<name>.txt`; `words/README.md`
//! explains the files.
//!
//! A vocabulary is plain data. The module that reads it decides what its words mean, and reads it
//! once.

mod format;

use format::Shape;
pub use format::{Groups, Pairs, Patterns, Words};

/// The lists that one reader needs, a section of a file for each.
pub trait Vocabulary: Default {
    /// Language and text of each file.
    const FILES: &'static [(&'static str, &'static str)];

    fn section(&mut self, name: &str) -> Option<&mut dyn Shape>;
}

/// The lists of all languages together.
pub fn all<V: Vocabulary>() -> V {
    collect(|_| true)
}

/// The lists of one language, empty if it has none.
pub fn of<V: Vocabulary>(language: &str) -> V {
    collect(|other| other == language)
}

/// The languages that have lists.
pub fn languages<V: Vocabulary>() -> impl Iterator<Item = &'static str> {
    V::FILES.iter().map(|(language, _)| *language)
}

fn collect<V: Vocabulary>(wanted: impl Fn(&str) -> bool) -> V {
    let mut vocabulary = V::default();
    for (_, text) in V::FILES.iter().filter(|(language, _)| wanted(language)) {
        for (section, line) in format::entries(text) {
            // The tests read every file and find no line that is refused.
            vocabulary.section(section).map(|list| list.add(line));
        }
    }
    vocabulary
}

/// Name of the file, the languages that have it, and its sections.
macro_rules! vocabularies {
    ($(
        $(#[$about:meta])*
        $name:ident: $file:literal in $($language:literal),+ {
            $( $(#[$what:meta])* $section:ident: $shape:ty, )+
        }
    )+) => {
        $(
            $(#[$about])*
            #[derive(Default)]
            pub struct $name {
                $( $(#[$what])* pub $section: $shape, )+
            }

            impl Vocabulary for $name {
                const FILES: &'static [(&'static str, &'static str)] = &[$((
                    $language,
                    include_str!(concat!("../../words/", $language, "/", $file, ".txt")),
                )),+];

                fn section(&mut self, name: &str) -> Option<&mut dyn Shape> {
                    match name {
                        $( stringify!($section) => Some(&mut self.$section), )+
                        _ => None,
                    }
                }
            }
        )+

        #[cfg(test)]
        fn checked() -> Vec<tests::Checked> {
            vec![$(
                tests::Checked::new::<$name>(stringify!($name), $file, &[$(stringify!($section)),+]),
            )+]
        }
    };
}

vocabularies! {
    /// How urgent a question is.
    Need: "need" in "de", "en", "es", "fr", "it" {
        /// Around paying.
        checkout: Patterns,
        /// Around what was bought.
        order: Patterns,
        /// Something is wrong.
        trouble: Patterns,
        /// Something bought is being waited for.
        mine: Patterns,
    }

    /// Messages that say nothing but hello or thank you.
    SmallTalk: "smalltalk" in "de", "en" {
        greetings: Words,
        thanks: Words,
    }

    /// What searching the knowledge needs to know of a language. Folded as its words are: without
    /// accents.
    Search: "search" in "de", "en", "es", "fr" {
        /// Function words, and what a shopper says around any question.
        stop_words: Words,
        /// Words of questions that a number answers.
        asks_for_number: Words,
        /// A full stop after these ends no sentence.
        abbreviations: Words,
    }

    /// Words that shoppers and shops use for one another.
    Synonyms: "synonyms" in "en" {
        /// Words of a group stand for one another.
        groups: Groups,
        /// Two words close to each other, and the word that they mean.
        phrases: Pairs,
    }

    /// The words around a number that say what it is.
    Personal: "personal" in "de", "en", "es", "fr", "it", "pt" {
        /// A number of the shop: order, tracking, invoice, article, ticket.
        shop: Words,
        phone: Words,
        card: Words,
        ssn: Words,
        /// Another number that is none of these, such as an amount or an account.
        other: Words,
        /// What may stand between such a word and its number.
        fillers: Words,
        /// Words before a mail provider's name that are no part of an address.
        not_names: Words,
    }

    /// Whether a question is complete in itself, so that its answer may serve others.
    Policy: "policy" in "en" {
        /// The shopper says who they are.
        introductions: Words,
        /// Words without a place in the lexicon that a pronoun cannot mean.
        no_nouns: Words,
        /// Answers to something said before.
        replies: Words,
        /// They point to something said before.
        pointing: Words,
        greetings: Words,
        /// Single words that are a whole question in a shop.
        topics: Words,
        /// Actions that are things as well.
        deeds: Words,
        /// After "it" they make it a word without a meaning: "is it possible to".
        impersonal: Words,
        /// They make a later question part of the talk before it.
        links: Words,
        /// First words of a whole request.
        openers: Words,
    }

    /// The words of customer service that mean the same to the cache's guards.
    Lexicon: "lexicon" in "en" {
        /// They carry no meaning of their own.
        light: Words,
        /// They turn a statement round.
        negations: Words,
        /// Words that mean something else than their stem.
        alone: Words,
        /// All forms with the stem of a word belong to its group, and a group is one meaning.
        actions: Groups,
        objects: Groups,
        /// Not about things, and yet they must agree.
        signs: Groups,
        /// Words that mean more together than alone, and the word that stands for them.
        phrases: Pairs,
    }

    /// How a question's facts are spelled.
    Facts: "facts" in "en" {
        /// After these it matters what comes first.
        pointers: Words,
        /// Finished actions that do not end in "ed".
        done: Words,
        mine: Words,
        yours: Words,
        contractions: Pairs,
        numbers: Pairs,
        currencies: Pairs,
    }
}

#[cfg(test)]
mod tests;

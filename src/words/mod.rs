//! Word lists by language, compiled in from `words/<language>/<name>.txt`; `words/README.md`
//! explains the files.
//!
//! A vocabulary is plain data. The module that uses it decides what its words mean, and reads it
//! once.

mod format;

use format::Shape;
pub use format::{Groups, Pairs, Patterns, Phrases, Words};

/// The lists for one module, each in a section of a file.
pub trait Vocabulary: Default {
    /// Language and content of each file.
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
            // The tests read every file and check that no line is refused.
            vocabulary.section(section).map(|list| list.add(line));
        }
    }
    vocabulary
}

/// Name of the file, its languages, and its sections.
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
    /// The urgency of a question.
    Need: "need" in "de", "en", "es", "fr", "it" {
        /// About paying.
        checkout: Patterns,
        /// About orders.
        order: Patterns,
        /// Signs of a problem.
        trouble: Patterns,
        /// The shopper waits for something they bought.
        mine: Patterns,
    }

    /// Messages that ask nothing.
    SmallTalk: "smalltalk" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        greetings: Words,
        thanks: Words,
        farewells: Words,
        nods: Words,
    }

    /// Whether a shopper wants to talk to a person.
    Person: "person" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        /// Words for talking to a person.
        talk: Phrases,
        /// And for reaching one. A department that is reached is not talked to.
        contact: Phrases,
        /// Words for asking for one.
        want: Phrases,
        /// Persons of the shop.
        agents: Phrases,
        /// Any person.
        someone: Phrases,
        /// Departments of persons.
        desk: Phrases,
        /// A wish without more words.
        direct: Phrases,
        /// A wish as a whole clause.
        alone: Phrases,
        /// What may stand around it then.
        fillers: Phrases,
        /// Before a person these deny the wish, before a machine they express it.
        unwanted: Phrases,
        /// Right before a wish without more words, or right behind it, these deny it.
        negations: Phrases,
        /// These are said of machines only.
        weary: Phrases,
        machines: Phrases,
        /// Before a person or a machine these ask what the service is.
        asking: Phrases,
        /// These contain words of the other lists, but are no persons.
        things: Phrases,
    }

    /// What a message is about.
    Topics: "topics" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        technical: Phrases,
        billing: Phrases,
        orders: Phrases,
        returns: Phrases,
        shipping: Phrases,
        account: Phrases,
        product: Phrases,
        general: Phrases,
        out_of_scope: Phrases,
    }

    /// By which a language is known, if its letters do not tell.
    Language: "language" in "de", "en", "es", "fr", "it", "nl", "pl", "pt" {
        /// Frequent words.
        words: Phrases,
        /// Letters and parts of words that few languages have.
        letters: Words,
    }

    /// What frustration sounds like over the turns of a conversation.
    Mood: "mood" in "ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh" {
        angry: Phrases,
        /// Something had to be said again, or does not go on.
        again: Phrases,
        /// Relief.
        glad: Phrases,
    }

    /// Data for the search of the knowledge. Folded like its words, so without accents.
    Search: "search" in "de", "en", "es", "fr" {
        /// Function words, and words that shoppers add to any question.
        stop_words: Words,
        /// Words of questions that ask for a number.
        asks_for_number: Words,
        /// A full stop after these does not end a sentence.
        abbreviations: Words,
    }

    /// Words that shoppers and shops use interchangeably.
    Synonyms: "synonyms" in "en" {
        /// Words of a group are interchangeable.
        groups: Groups,
        /// Two words close to each other, and the word that they mean together.
        phrases: Pairs,
    }

    /// The words around a number that show what it is.
    Personal: "personal" in "de", "en", "es", "fr", "it", "nl", "pl", "pt" {
        /// Has a number of the shop: order, tracking, invoice, article, ticket.
        shop: Words,
        /// Of the shop, and has a number only where that is said: "delivery number".
        around: Words,
        phone: Words,
        card: Words,
        ssn: Words,
        /// A bank account.
        account: Words,
        iban: Words,
        passport: Words,
        /// A driving licence.
        licence: Words,
        /// Another number that is none of these, such as an amount.
        other: Words,
        sizes: Words,
        /// Has four numbers with dots that are no address.
        versions: Words,
        /// "number", "no".
        numbers: Words,
        /// Words that may stand between such a word and its number.
        fillers: Words,
        /// What may stand there, too, but does not name a number of the shop.
        prepositions: Words,
        /// "is"
        links: Words,
        /// The end of a number follows.
        last: Words,
        digits: Words,
        mail: Words,
        /// Words before an at sign that are no part of an address.
        not_names: Words,
    }

    /// The words of secrets that people type.
    Secrets: "secrets" in "de", "en", "es", "fr", "it", "nl", "pl", "pt" {
        password: Words,
        /// A PIN or a one-time code.
        pin: Words,
        /// The digits that protect a card.
        cvv: Words,
        /// A key of a program.
        token: Words,
        /// "I changed my password to" needs one of them.
        setting: Words,
        /// "to", after them.
        to: Words,
        /// They follow "my password is" and are no password.
        states: Words,
    }

    /// Numbers and the signs of addresses in words.
    Spoken: "spoken" in "de", "en", "es", "fr", "it", "nl", "pl", "pt" {
        numbers: Pairs,
        /// How often the next digit is said.
        repeats: Pairs,
        plus: Words,
        at: Words,
        dot: Words,
        /// Other signs, and the words for them.
        signs: Pairs,
        /// Between tens and ones.
        joints: Words,
        /// Of domains that are said in words.
        endings: Words,
    }

    /// Whether a question is complete in itself, so that its answer may serve others.
    Policy: "policy" in "en" {
        /// The shopper says who they are.
        introductions: Words,
        /// Words outside the lexicon that a pronoun cannot refer to.
        no_nouns: Words,
        /// Replies to an earlier message.
        replies: Words,
        /// Words that refer to an earlier message.
        pointing: Words,
        greetings: Words,
        /// Single words that are a whole question in a shop.
        topics: Words,
        /// Actions that can also be things.
        deeds: Words,
        /// After "it" they make that word meaningless: "is it possible to".
        impersonal: Words,
        /// Words that connect a later question to the conversation before it.
        links: Words,
        /// First words of a complete request.
        openers: Words,
    }

    /// Words of customer service with the same meaning for the cache's guards.
    Lexicon: "lexicon" in "en" {
        /// Words without a meaning of their own.
        light: Words,
        /// Words that negate a statement.
        negations: Words,
        /// Words with another meaning than their stem.
        alone: Words,
        /// All forms with the stem of a word belong to its group, and each group has one meaning.
        actions: Groups,
        objects: Groups,
        /// Not things, but they must agree.
        signs: Groups,
        /// Words that mean something else together than alone, and their replacement.
        phrases: Pairs,
    }

    /// The spellings in a question's facts.
    Facts: "facts" in "en" {
        /// After these words the order matters.
        pointers: Words,
        /// Words for finished actions that do not end in "ed".
        done: Words,
        mine: Words,
        yours: Words,
        contractions: Pairs,
        numbers: Pairs,
        currencies: Pairs,
    }

    /// How often an answer denies something.
    Denial: "denial" in "de", "en", "es", "fr", "it", "pt" {
        words: Words,
    }
}

#[cfg(test)]
mod tests;

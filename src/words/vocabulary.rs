//! How a module's lists are read from the files of the languages.

use super::format::{self, Shape};

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

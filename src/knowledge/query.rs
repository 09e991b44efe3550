//! The input of a search.

use std::fmt;

use super::{document::PUBLIC, glossary};
use crate::embedding::{Card, Scale};

/// A question and its asker.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    pub text: &'a str,
    /// Its embedding; without one, only terms are used.
    pub vector: Option<&'a [f32]>,
    /// Earlier messages of the conversation, oldest first. They show which of many similar titles
    /// is meant.
    pub context: &'a [&'a str],
    /// The asker's group; public documents are always found.
    pub audience: &'a str,
    /// Language of the question. Documents in another one are found only if the embedder compares
    /// languages. `None` finds all.
    pub locale: Option<&'a str>,
    /// Only documents with one of these tags are found; all, if there are none.
    pub tags: &'a [String],
    /// How the vector is compared.
    pub meaning: Meaning,
}

impl<'a> Query<'a> {
    /// A public question in any language, without vector and conversation.
    pub const fn new(text: &'a str) -> Self {
        Self {
            text,
            vector: None,
            context: &[],
            audience: PUBLIC,
            locale: None,
            tags: &[],
            meaning: Meaning::STANDARD,
        }
    }
}

/// What a search must know of the model that made the vectors.
#[derive(Clone, Copy, Debug)]
pub struct Meaning {
    pub scale: Scale,
    /// A text and its translation have similar vectors.
    pub multilingual: bool,
}

impl Meaning {
    /// That of all-MiniLM-L6-v2.
    pub const STANDARD: Self = Self { scale: Scale::STANDARD, multilingual: false };
}

impl From<&Card> for Meaning {
    fn from(card: &Card) -> Self {
        Self { scale: card.cosine, multilingual: card.multilingual }
    }
}

/// The language of a passage without a locale.
const ENGLISH: &str = "en";

impl Query<'_> {
    /// Whether a passage with this locale is in the language of the question.
    pub fn speaks(&self, written: Option<&str>) -> bool {
        self.locale.is_none_or(|spoken| same_language(written.unwrap_or(ENGLISH), spoken))
    }

    /// What English pages are searched for, if the question is in another language.
    pub fn in_english(&self) -> Option<String> {
        let locale = self.locale.filter(|_| self.meaning.multilingual)?;
        glossary::english(self.text, locale)
    }

    /// How alike question and passage are by their vectors, on the scale of all-MiniLM-L6-v2.
    /// `None` if the model does not understand the passage's language: unrelated texts that it does
    /// not understand look alike to it.
    pub fn likeness(&self, cosine: f32, written: Option<&str>) -> Option<f32> {
        let Meaning { scale, multilingual } = self.meaning;
        let across = if self.speaks(written) { 0.0 } else { scale.across };
        let understood = multilingual || same_language(written.unwrap_or(ENGLISH), ENGLISH);
        understood.then(|| scale.standard(cosine + across))
    }
}

/// Of two tags, `de-AT` and `de`.
fn same_language(one: &str, other: &str) -> bool {
    let language = |tag| str::split(tag, ['-', '_']).next().unwrap_or("");
    language(one).eq_ignore_ascii_case(language(other))
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query([{} chars])", self.text.chars().count())
    }
}

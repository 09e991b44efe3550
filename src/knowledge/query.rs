//! The input of a search.

use std::fmt;

use super::document::PUBLIC;

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
    /// Language of the asker; documents in another language are not found. `None` finds all.
    pub locale: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// A public question in any language, without vector and conversation.
    pub const fn new(text: &'a str) -> Self {
        Self { text, vector: None, context: &[], audience: PUBLIC, locale: None }
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query([{} chars])", self.text.chars().count())
    }
}

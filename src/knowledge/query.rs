//! What is searched for.

use std::fmt;

use super::document::PUBLIC;

/// A question and who asks it.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    pub text: &'a str,
    /// Its embedding; without one the terms decide alone.
    pub vector: Option<&'a [f32]>,
    /// Earlier messages of the conversation, oldest first. They tell which of many alike titles is
    /// meant.
    pub context: &'a [&'a str],
    /// The asker's group; what is public is found in any case.
    pub audience: &'a str,
    /// Language of the asker; documents of another language are not found. `None` finds all.
    pub locale: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// A question of the public in any language, without vector and conversation.
    pub const fn new(text: &'a str) -> Self {
        Self { text, vector: None, context: &[], audience: PUBLIC, locale: None }
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query([{} chars])", self.text.chars().count())
    }
}

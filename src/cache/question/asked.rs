//! A question as the cache uses it: normalised, with its exact key and the facts that guards
//! compare.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};

use super::{
    facts::Facts,
    policy::{self, NotCacheable},
    text::{normalised, plain},
    wording::Wording,
};

/// A question that may be looked up and stored. Cheap to clone.
#[derive(Clone)]
pub struct Question {
    text: Arc<str>,
    key: [u8; 32],
    /// Computed when a guard first needs them; an exact hit never does.
    facts: Arc<OnceLock<Facts>>,
    wording: Arc<OnceLock<Wording>>,
}

impl Question {
    /// Decides whether an answer to this question could serve another shopper. On a later turn of a
    /// conversation (`first_turn` is false), only a question that is clearly complete by itself
    /// qualifies.
    pub fn new(masked: &str, first_turn: bool) -> Result<Self, NotCacheable> {
        policy::check(masked, first_turn)?;
        Ok(Self::trusted(masked))
    }

    /// For a text that already passed the policy.
    pub(in crate::cache) fn trusted(text: &str) -> Self {
        let normal = normalised(text);
        Self {
            text: text.trim().into(),
            key: Sha256::digest(normal.as_bytes()).into(),
            facts: Arc::default(),
            wording: Arc::default(),
        }
    }

    /// The masked text as it was asked.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the model reads: of what [`Question::key`] leaves out, only the case of letters, and
    /// whether it ends with a question mark.
    pub fn plain(&self) -> String {
        plain(&self.text)
    }

    /// SHA-256 of the normalised text. Texts that differ only in case, spaces and final punctuation
    /// have the same key.
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    pub(super) fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::of(&normalised(&self.text)))
    }

    pub(super) fn wording(&self) -> &Wording {
        self.wording.get_or_init(|| Wording::of(&normalised(&self.text)))
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question [{} chars]", self.text.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_final_punctuation_make_no_difference_and_anything_else_does() {
        let key = |text: &str| Question::trusted(text).key();
        assert_eq!(key("Do you ship to Canada?"), key("  do you  ship to canada ?! "));
        assert_eq!(key("I can’t log in"), key("i can't log in"));
        assert_eq!(key("ﬁnd Ｘ"), key("find x"));
        assert_ne!(key("do you ship to canada"), key("do you ship to kanada"));
        assert_ne!(key("it costs $5"), key("it costs €5"));
    }

    #[test]
    fn debug_shows_no_text() {
        assert_eq!(format!("{:?}", Question::trusted("secret")), "Question [6 chars]");
    }
}

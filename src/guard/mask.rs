//! Replaces personal data with placeholders.

use std::{borrow::Cow, fmt};

use super::{
    pii::{Found, find, find_in_answer},
    vault::Vault,
};

/// A text without personal data, and how to restore the data.
#[derive(Clone, PartialEq, Eq)]
pub struct Masked {
    pub text: String,
    pub vault: Vault,
}

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masked {{ [{} chars], {:?} }}", self.text.chars().count(), self.vault)
    }
}

/// Masks one message. Equal values get the same placeholder; see [`Vault::mask`] for a whole
/// conversation.
pub fn mask(text: &str) -> Masked {
    let mut vault = Vault::new();
    let text = vault.mask(text);
    Masked { text, vault }
}

/// Replacing a value moves the context words of its neighbours nearer, so the text is searched
/// again until nothing new is found. The bound keeps the work linear.
const ROUNDS: usize = 8;

impl Vault {
    /// Masks another text of the same conversation: a value seen before keeps its placeholder.
    pub fn mask(&mut self, original: &str) -> String {
        self.mask_with(original, Vec::new())
    }

    /// Masks a text behind a `question`, which may have asked for a secret, and behind what the same
    /// person said `before`, which may have announced one.
    pub fn mask_answer(
        &mut self,
        question: Option<&str>,
        before: Option<&str>,
        original: &str,
    ) -> String {
        let asked = find_in_answer(question, before, original, &self.shop().numbers);
        self.mask_with(original, asked)
    }

    /// Masks what is known to be personal in a text, and then the rest.
    pub fn mask_with(&mut self, original: &str, known: Vec<Found>) -> String {
        self.reserve(original);
        let mut text = Cow::Borrowed(original);
        let mut known = Some(known).filter(|known| !known.is_empty());
        for _ in 0..ROUNDS {
            let found = known.take().unwrap_or_else(|| find(&text, self.shop()));
            if found.is_empty() {
                break;
            }
            text = Cow::Owned(self.hide(&text, found));
        }
        text.into_owned()
    }

    /// Masks what no text for everybody should have, such as a card, and what was masked in this
    /// conversation. The addresses of a store and its phone stay.
    pub fn mask_public(&mut self, original: &str) -> String {
        self.reserve(original);
        let mut found = find(original, self.shop());
        found.retain(|found| !found.kind.may_be_public() || self.knows(found));
        self.hide(original, found)
    }

    fn hide(&mut self, text: &str, found: Vec<Found>) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = 0;
        for Found { kind, range, canonical } in found {
            masked.push_str(&text[rest..range.start]);
            masked.push_str(self.placeholder(kind, canonical, &text[range.clone()]));
            rest = range.end;
        }
        masked.push_str(&text[rest..]);
        masked
    }

    /// Announces a text of the conversation before it is masked. A placeholder in it was typed, so
    /// no value of an earlier text gets that placeholder.
    pub fn reserve(&mut self, text: &str) {
        spelled_out(text).for_each(|typed| self.reserve_placeholder(typed));
    }
}

/// Of a placeholder, in characters.
const LONGEST: usize = 24;

/// What looks like a placeholder already.
fn spelled_out(text: &str) -> impl Iterator<Item = &str> {
    let closes =
        |at: usize| text[at..].chars().take(LONGEST).position(|c| c == ']').map(|n| at..=at + n);
    let starts = memchr::memchr_iter(b'[', text.as_bytes());
    starts.filter_map(closes).filter_map(|range| text.get(range))
}

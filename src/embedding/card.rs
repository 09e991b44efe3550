//! How a model wants its texts, and how its cosines are read: `card.json` in the model's folder.
//!
//! Models differ in how similar they find unrelated texts. Thresholds are therefore given for
//! all-MiniLM-L6-v2, and the card translates the cosines of another model. A model without a card
//! is read like that one.

use std::{fs, path::Path};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{error::EmbedStartError, messages::Role};

/// What a card may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Card {
    prefixes: Prefixes,
    pub cosine: Scale,
    /// A text and its translation have similar vectors.
    pub multilingual: bool,
}

/// What stands before each text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Prefixes {
    question: String,
    passage: String,
}

/// Three cosines of a model, and by them all others.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Of texts that have nothing in common.
    pub unrelated: f32,
    /// Of a question and a passage that answers it in other words.
    pub related: f32,
    /// Of two questions that mean the same.
    pub same: f32,
    /// How much less a question and a passage in different languages have.
    #[serde(default)]
    pub across: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl Scale {
    /// That of all-MiniLM-L6-v2.
    pub const STANDARD: Self = Self { unrelated: 0.3, related: 0.7, same: 0.86, across: 0.0 };

    /// The cosine that all-MiniLM-L6-v2 would have where this model has `cosine`, -1 to 1.
    pub fn standard(self, cosine: f32) -> f32 {
        if self == Self::STANDARD {
            return cosine;
        }
        translate(cosine, self.points(), Self::STANDARD.points())
    }

    /// The cosine of this model for one of all-MiniLM-L6-v2: for thresholds.
    pub fn of_standard(self, cosine: f32) -> f32 {
        translate(cosine, Self::STANDARD.points(), self.points())
    }

    const fn points(self) -> [f32; 4] {
        [self.unrelated, self.related, self.same, 1.0]
    }

    fn is_valid(self) -> bool {
        0.0 < self.unrelated
            && (0.0..1.0).contains(&self.across)
            && self.points().is_sorted_by(|low, high| low < high)
    }
}

/// In proportion between two points, and below the first as between the first two.
fn translate(value: f32, from: [f32; 4], to: [f32; 4]) -> f32 {
    let segment = usize::from(value > from[1]) + usize::from(value > from[2]);
    let share = (value - from[segment]) / (from[segment + 1] - from[segment]);
    share.mul_add(to[segment + 1] - to[segment], to[segment]).clamp(-1.0, 1.0)
}

impl Card {
    /// Reads the card of the model in `folder`, if it has one.
    ///
    /// # Errors
    /// When the card cannot be read or does not hold what it must.
    pub fn read(folder: &Path) -> Result<Self, EmbedStartError> {
        let path = folder.join("card.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let broken = |reason: String| EmbedStartError::Broken { path: path.clone(), reason };
        let bytes = fs::read(&path)
            .map_err(|source| EmbedStartError::Read { path: path.clone(), source })?;
        let card: Self =
            serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        if !card.cosine.is_valid() {
            return Err(broken(
                "0 < unrelated < related < same < 1 and 0 <= across < 1 must hold".to_owned(),
            ));
        }
        Ok(card)
    }

    /// A text as the model wants it.
    pub fn prefixed(&self, role: Role, text: String) -> String {
        let prefix = match role {
            Role::Question => &self.prefixes.question,
            Role::Passage => &self.prefixes.passage,
        };
        if prefix.is_empty() { text } else { format!("{prefix}{text}") }
    }

    /// Part of the id of vectors, since other prefixes make other ones. Empty without prefixes.
    pub fn mark(&self) -> String {
        let Prefixes { question, passage } = &self.prefixes;
        if question.is_empty() && passage.is_empty() {
            return String::new();
        }
        let digest = Sha256::digest(format!("{question}\0{passage}"));
        format!("-{}", hex::encode(&digest[..3]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NARROW: Scale = Scale { unrelated: 0.78, related: 0.88, same: 0.94, across: 0.0 };

    fn read(card: &str) -> Result<Card, EmbedStartError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("card.json"), card).unwrap();
        Card::read(folder.path())
    }

    #[test]
    fn a_model_without_a_card_is_read_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let card = Card::read(folder.path()).unwrap();
        assert_eq!(card.prefixed(Role::Question, "hi".to_owned()), "hi");
        assert_eq!(card.mark(), "");
        assert!(!card.multilingual);
        for cosine in [-0.2, 0.3, 0.5, 0.86, 0.99] {
            assert!((card.cosine.standard(cosine) - cosine).abs() < 1e-6, "{cosine}");
        }
    }

    #[test]
    fn a_card_says_what_stands_before_a_text_and_how_cosines_are_read() {
        let card = read(
            r#"{"prefixes": {"question": "query: ", "passage": "passage: "}, "multilingual": true,
                "cosine": {"unrelated": 0.78, "related": 0.88, "same": 0.94}}"#,
        )
        .unwrap();
        assert_eq!(card.prefixed(Role::Question, "hi".to_owned()), "query: hi");
        assert_eq!(card.prefixed(Role::Passage, "hi".to_owned()), "passage: hi");
        assert_eq!((card.multilingual, card.cosine), (true, NARROW));
        let other = read(r#"{"prefixes": {"question": "q: "}}"#).unwrap();
        assert!(!other.mark().is_empty() && other.mark() != card.mark());
        for (model, standard) in [(0.78, 0.3), (0.83, 0.5), (0.88, 0.7), (0.94, 0.86), (1.0, 1.0)] {
            assert!((NARROW.standard(model) - standard).abs() < 1e-5, "{model}");
        }
    }

    #[test]
    fn a_card_that_makes_no_sense_is_refused() {
        for card in [
            "",
            r#"{"prefix": "query: "}"#,
            r#"{"cosine": {"unrelated": 0.9, "related": 0.8, "same": 0.95}}"#,
            r#"{"cosine": {"unrelated": 0.5, "related": 0.8, "same": 1.0}}"#,
            r#"{"cosine": {"unrelated": 0.5, "related": 0.8, "same": 0.9, "across": -0.1}}"#,
            r#"{"cosine": {"unrelated": 0.0, "related": 0.8, "same": 0.9}}"#,
        ] {
            assert!(matches!(read(card), Err(EmbedStartError::Broken { .. })), "{card}");
        }
    }

    proptest! {
        #[test]
        fn cosines_keep_their_order_and_come_back(a in 0.5_f32..1.0, b in 0.5_f32..1.0) {
            prop_assert!((a <= b) == (NARROW.standard(a) <= NARROW.standard(b)) || a == b);
            let back = NARROW.of_standard(NARROW.standard(a));
            prop_assert!((back - a).abs() < 1e-4 || NARROW.standard(a) <= -1.0, "{a} {back}");
        }
    }
}

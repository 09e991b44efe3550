//! Which words belong to one name.

use crate::guard::pii::tagger::{Gap, Token};

/// Letters of a name that is cut short: "J. Smith", "St. John".
const SHORT: usize = 2;

/// Whether a word belongs to the same name as the one before it.
pub(super) fn continues(tokens: &[Token<'_>], at: usize) -> bool {
    match tokens[at].gap {
        Gap::Space | Gap::Sign => true,
        Gap::Stop => tokens[at - 1].text.chars().count() <= SHORT,
        Gap::Start | Gap::Comma | Gap::Line => false,
    }
}

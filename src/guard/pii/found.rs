//! What was found.

use std::ops::Range;

use super::kind::Kind;

/// Personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub kind: Kind,
    /// Bytes of the text that was searched.
    pub range: Range<usize>,
    /// What two spellings of one value have in common.
    pub(in crate::guard) canonical: String,
}

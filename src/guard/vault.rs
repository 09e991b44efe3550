//! Maps placeholders to values. It lives in memory for one conversation and is never serialised.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use super::pii::Kind;

/// The placeholders of one conversation and their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Vault {
    /// Maps a placeholder to the value as it was first typed.
    originals: BTreeMap<String, String>,
    /// Maps kind and normalised value to the placeholder: a number with different spaces is the
    /// same number.
    known: HashMap<(Kind, String), String>,
    /// Placeholders that a shopper typed. They are plain text, and no value gets them.
    typed: HashSet<String>,
    /// The highest number used for each kind.
    last: HashMap<Kind, u32>,
}

impl Vault {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }

    /// The value of a whole placeholder such as `[EMAIL_1]`.
    pub fn original(&self, placeholder: &str) -> Option<&str> {
        self.originals.get(placeholder).map(String::as_str)
    }

    /// Placeholder and value, sorted by placeholder.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.originals.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Reserves this placeholder, so that no value gets it.
    pub(super) fn reserve_placeholder(&mut self, typed: &str) {
        self.typed.insert(typed.to_owned());
    }

    pub(super) fn placeholder(&mut self, kind: Kind, value: &str) -> &str {
        let key = (kind, kind.canonical(value));
        self.known.entry(key).or_insert_with(|| {
            let last = self.last.entry(kind).or_default();
            let placeholder = loop {
                *last += 1;
                let candidate = format!("[{}_{last}]", kind.label());
                if !self.typed.contains(&candidate) {
                    break candidate;
                }
            };
            self.originals.insert(placeholder.clone(), value.to_owned());
            placeholder
        })
    }
}

/// Shows kinds and counts only.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |kind| self.known.keys().filter(|(k, _)| *k == kind).count();
        let counts = Kind::ALL.map(|kind| (kind.label(), count(kind)));
        f.write_str("Vault ")?;
        f.debug_map().entries(counts.into_iter().filter(|(_, count)| *count > 0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_keeps_its_placeholders_and_debug_shows_no_value() {
        let mut vault = Vault::new();
        assert_eq!(vault.mask("I am ann@example.com"), "I am [EMAIL_1]");
        assert_eq!(vault.mask("bob@example.com or Ann@Example.com"), "[EMAIL_2] or [EMAIL_1]");
        assert_eq!(vault.original("[EMAIL_1]"), Some("ann@example.com"));
        assert_eq!(format!("{vault:?}"), "Vault {\"EMAIL\": 2}");
    }

    #[test]
    fn a_placeholder_that_the_shopper_typed_is_not_given_to_a_value() {
        let mut vault = Vault::new();
        assert_eq!(vault.mask("[EMAIL_1] is not ann@example.com"), "[EMAIL_1] is not [EMAIL_2]");
        assert_eq!(vault.original("[EMAIL_1]"), None);
    }
}

//! Maps placeholders to values. It lives in memory for one conversation and is never serialised.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use super::{
    pii::{Found, Kind},
    shop::Shop,
};

/// What the shopper reads instead of a secret. Its length says nothing about the secret.
const HIDDEN: &str = "••••";

/// The placeholders of one conversation and their values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Vault {
    /// Maps a placeholder to what its owner reads: the value as it was first typed, or `HIDDEN`
    /// for a secret.
    shown: BTreeMap<String, String>,
    /// Maps kind and normalised value to the placeholder: a number with different spaces is the
    /// same number.
    known: HashMap<(Kind, String), String>,
    /// Placeholders that a shopper typed. They are plain text, and no value gets them.
    typed: HashSet<String>,
    /// The highest number used for each kind.
    last: HashMap<Kind, u32>,
    shop: Shop,
}

impl Vault {
    pub fn new() -> Self {
        Self::default()
    }

    /// For a conversation with a shop, whose own numbers and names stay.
    pub fn of_shop(shop: Shop) -> Self {
        Self { shop, ..Self::default() }
    }

    pub(super) fn shop(&self) -> &Shop {
        &self.shop
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// What its owner reads in the place of a whole placeholder such as `[EMAIL_1]`.
    pub fn shown(&self, placeholder: &str) -> Option<&str> {
        self.shown.get(placeholder).map(String::as_str)
    }

    /// Placeholder and what its owner reads, sorted by placeholder.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.shown.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `text` with the values of some kinds in the place of their placeholders.
    pub fn restore(&self, text: &str, kinds: &[Kind]) -> String {
        let mut restored = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('[') {
            restored.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest.find(']').map_or(rest.len(), |end| end + 1);
            let is_of = |kind: &Kind| {
                rest[1..].strip_prefix(kind.label()).is_some_and(|rest| rest.starts_with('_'))
            };
            let value = self.shown(&rest[..end]).filter(|value| *value != HIDDEN);
            let value = value.filter(|_| kinds.iter().any(is_of));
            let end = if value.is_some() { end } else { 1 };
            restored.push_str(value.unwrap_or(&rest[..end]));
            rest = &rest[end..];
        }
        restored + rest
    }

    /// Whether the conversation has this value already.
    pub(super) fn knows(&self, found: &Found) -> bool {
        self.known.contains_key(&(found.kind, found.canonical.clone()))
    }

    /// Reserves this placeholder, so that no value gets it.
    pub(super) fn reserve_placeholder(&mut self, typed: &str) {
        self.typed.insert(typed.to_owned());
    }

    /// `canonical` is what all spellings of `value` have in common.
    pub(super) fn placeholder(&mut self, kind: Kind, canonical: String, value: &str) -> &str {
        self.known.entry((kind, canonical)).or_insert_with(|| {
            let last = self.last.entry(kind).or_default();
            let placeholder = loop {
                *last += 1;
                let candidate = format!("[{}_{last}]", kind.label());
                if !self.typed.contains(&candidate) {
                    break candidate;
                }
            };
            let shown = if kind.is_secret() { HIDDEN } else { value };
            self.shown.insert(placeholder.clone(), shown.to_owned());
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
    use std::sync::Arc;

    use super::*;
    use crate::domain::NumberFormats;

    #[test]
    fn a_conversation_keeps_its_placeholders_and_debug_shows_no_value() {
        let mut vault = Vault::new();
        assert_eq!(vault.mask("I am ann@example.com"), "I am [EMAIL_1]");
        assert_eq!(vault.mask("bob@example.com or Ann@Example.com"), "[EMAIL_2] or [EMAIL_1]");
        assert_eq!(vault.shown("[EMAIL_1]"), Some("ann@example.com"));
        assert_eq!(format!("{vault:?}"), "Vault {\"EMAIL\": 2}");
    }

    #[test]
    fn a_secret_is_not_kept_to_be_shown_again() {
        let mut vault = Vault::new();
        assert_eq!(vault.mask("my password is hunter2"), "my password is [PASSWORD_1]");
        assert_eq!(vault.shown("[PASSWORD_1]"), Some("••••"));
        assert_eq!(vault.mask("hunter2 is my password"), "[PASSWORD_1] is my password");
    }

    #[test]
    fn values_are_restored_for_a_tool_and_secrets_are_not() {
        let mut vault = Vault::new();
        let masked = vault.mask("I am ann@example.com and my password is hunter2");
        assert_eq!(
            vault.restore(&format!("[[EMAIL_1] [x] {masked} [EMAIL_9] ["), &Kind::ALL),
            "[ann@example.com [x] I am ann@example.com and my password is [PASSWORD_1] [EMAIL_9] ["
        );
    }

    #[test]
    fn a_text_for_everybody_keeps_what_a_store_shows_and_loses_what_nobody_publishes() {
        let mut vault = Vault::new();
        vault.mask("I am jo@posteo.example");
        let public = "store: 12 Baker Street, London, +44 20 7946 0018, hello@shop.example";
        assert_eq!(vault.mask_public(public), public);
        assert_eq!(
            vault.mask_public(
                "mail: jo@posteo.example, card: 4539 1488 0343 6467, password: hunter2"
            ),
            "mail: [EMAIL_1], card: [CARD_1], password: [PASSWORD_1]"
        );
    }

    #[test]
    fn a_number_in_a_format_of_the_shop_stays() {
        let numbers = Arc::new(NumberFormats::new(["31########"]).unwrap());
        let text = "my tents came, 3155552671 was quick";
        assert_eq!(Vault::of_shop(Shop { numbers, ..Shop::default() }).mask(text), text);
        assert_eq!(Vault::new().mask(text), "my tents came, [PHONE_1] was quick");
    }

    #[test]
    fn a_placeholder_that_the_shopper_typed_is_not_given_to_a_value() {
        let mut vault = Vault::new();
        assert_eq!(vault.mask("[EMAIL_1] is not ann@example.com"), "[EMAIL_1] is not [EMAIL_2]");
        assert_eq!(vault.shown("[EMAIL_1]"), None);
    }
}

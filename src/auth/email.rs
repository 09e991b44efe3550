//! E-mail addresses, as names of accounts.
//!
//! Checks only what can be checked locally: one `@`, sane lengths and characters. Only sending a
//! mail can show whether the address exists. The whole address is lowercased, because no common
//! provider distinguishes `Ann@` from `ann@`, and two accounts that differ only in case are a trap.

use std::fmt;

/// A normalised address; equal addresses are equal text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// `None` if `text` is not an address.
    pub fn parse(text: &str) -> Option<Self> {
        // RFC 5321, 4.5.3.1: 64 bytes before the `@`, 254 in all. This is checked first, so that
        // long texts are not scanned.
        let text = text.trim();
        if text.len() > 254 {
            return None;
        }
        let text = text.to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let printable =
            |c: char| !c.is_whitespace() && !c.is_control() && !"()<>[]\\,;:\"@".contains(c);
        let is_local = (1..=64).contains(&local.len())
            && local.chars().all(printable)
            && local.split('.').all(|part| !part.is_empty());
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_domain = domain.contains('.') && domain.split('.').all(is_label);
        // Lowercasing can make a few letters longer.
        (is_local && is_domain && text.len() <= 254).then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} chars]", self.0.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_normalised() {
        let email = Email::parse("  Ann.O'Neil+Shop@Mail.Example.COM\n").unwrap();
        assert_eq!(email.as_str(), "ann.o'neil+shop@mail.example.com");
        assert_eq!(format!("{email:?}"), "[32 chars]");
    }

    #[test]
    fn addresses_of_other_scripts_are_addresses() {
        assert!(Email::parse("юзер@пример.рф").is_some());
        assert!(Email::parse("a@xn--e1afmkfd.xn--p1ai").is_some());
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let long_local = format!("{}@a.example", "x".repeat(65));
        let long = format!("a@{}example", "abcdefgh.".repeat(30));
        for bad in [
            "",
            "@",
            "a",
            "a@",
            "@b.example",
            "a@b",
            "a@@b.example",
            "a@b@c.example",
            "a b@c.example",
            "a@b .example",
            "a@-b.example",
            "a@b-.example",
            "a@b..example",
            "a@.example",
            "a@b.example.",
            ".a@b.example",
            "a.@b.example",
            "a..b@c.example",
            "<a@b.example>",
            "a@b_c.example",
            "a\u{0}@b.example",
            "a@b.exa\nmple",
            "a,b@c.example",
            &long_local,
            &long,
        ] {
            assert_eq!(Email::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,40}(@\\PC{0,20}\\.[a-z]{2,5})?") {
            if let Some(email) = Email::parse(&text) {
                prop_assert!(email.as_str().len() <= 254);
                prop_assert_eq!(Email::parse(email.as_str()), Some(email));
            }
        }
    }
}

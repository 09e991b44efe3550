//! E-mail addresses, as names of accounts.
//!
//! Two addresses that a person takes for the same are the same: the part before the `@` is compared
//! after NFKC and case folding (Unicode Standard Annex 15 and section 3.13), the domain as a DNS
//! name (UTS 46). No common provider distinguishes `Ann@` from `ann@`, and accounts that differ
//! only in case, or in what nobody sees, are a trap.
//!
//! Checks only what can be checked locally. Only sending a mail can show whether the address
//! exists.

use std::fmt;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup},
};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

/// Longest text that is looked at, in bytes. Its form in ASCII has at most 254 (RFC 5321, 4.5.3.1).
const MAX_TEXT: usize = 1024;
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL: usize = 64;
/// Folding and normalising once more changes nothing after so many rounds.
const ROUNDS: usize = 4;

/// A normalised address; equal addresses are equal text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// `None` if `text` is not an address, or has characters that nobody sees.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > MAX_TEXT || !text.chars().all(is_visible) {
            return None;
        }
        let text: String = text.nfkc().collect();
        let (local, domain) = text.split_once('@')?;
        let local = folded(local)?;
        let printable = |c: char| is_visible(c) && !"()<>[]\\,;:\"@".contains(c);
        let is_local = (1..=MAX_LOCAL).contains(&local.len())
            && local.chars().all(printable)
            && local.split('.').all(|part| !part.is_empty());
        let domain = Uts46::new()
            .to_ascii(
                domain.as_bytes(),
                AsciiDenyList::STD3,
                Hyphens::CheckFirstLast,
                DnsLength::Verify,
            )
            .ok()?;
        let address = format!("{local}@{domain}");
        let fits = domain.contains('.') && address.len() <= MAX_ADDRESS;
        (is_local && fits).then_some(Self(address))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a person sees something there: no space, no control, no mark of direction, nothing that
/// fonts leave out, and nothing that has no meaning yet.
fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let is_blank = GeneralCategoryGroup::Separator.union(GeneralCategoryGroup::Other);
    // The empty braille pattern is a symbol.
    !is_blank.contains(category)
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && c != '\u{2800}'
}

/// `None` if it does not settle.
fn folded(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..ROUNDS {
        let next: String = UniCase::new(text.as_str()).to_folded_case().nfkc().collect();
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
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
    fn one_address_in_many_spellings_is_one_account() {
        for spellings in [
            &[
                "ann@example.com",
                "ANN@EXAMPLE.COM",
                "ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
                "ann@example。com",
            ][..],
            &["юзер@пример.рф", "ЮЗЕР@ПРИМЕР.РФ", "юзер@xn--e1afmkfd.xn--p1ai"],
            // Composed and decomposed, long s and ß, the two sigmas, ligatures, mathematical
            // letters.
            &["zoë@example.com", "zoe\u{308}@example.com", "ZOË@example.com"],
            &[
                "strasse@example.com",
                "straße@example.com",
                "STRAẞE@example.com",
                "ſtraſſe@example.com",
            ],
            &["οδυσσευς@example.com", "ΟΔΥΣΣΕΥΣ@example.com", "οδυσσευσ@example.com"],
            &["fish@example.com", "ﬁsh@example.com", "𝐟𝐢𝐬𝐡@example.com", "𝔣𝔦𝔰𝔥@example.com"],
            &["kelvin@example.com", "\u{212a}elvin@example.com"],
            &["a@bücher.example", "a@bu\u{308}cher.example", "a@xn--bcher-kva.example"],
        ] {
            let forms: Vec<_> = spellings.iter().map(|text| Email::parse(text).unwrap()).collect();
            assert!(forms.iter().all(|form| *form == forms[0]), "{spellings:?}: {:?}", forms[0].0);
        }
        assert_ne!(Email::parse("a@faß.example"), Email::parse("a@fass.example"), "two domains");
        assert_ne!(Email::parse("ann@a.example"), Email::parse("ann@b.example"));
    }

    #[test]
    fn what_nobody_sees_is_refused_wherever_it_stands() {
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{2003}',
            '\u{2028}',
            '\u{e000}',
            '\u{378}',
        ] {
            for text in [
                format!("a{hidden}nn@example.com"),
                format!("ann{hidden}@example.com"),
                format!("ann@exa{hidden}mple.com"),
                format!("ann@example.c{hidden}om"),
                format!("ann@{hidden}example.com"),
            ] {
                assert_eq!(Email::parse(&text), None, "{hidden:?}: {text:?}");
            }
        }
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

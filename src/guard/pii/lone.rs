//! A password that no words join with "password": "Maple9tree does not work as password", "set it to
//! Maple9tree please, my password I mean", or in the line below an e-mail address. A word with letters
//! and digits is one there, unless it is a number of the shop, an amount or the name of a thing.

use std::ops::Range;

use super::{
    context::{Context, Named},
    value::is_strong,
};

/// In characters.
const SHORTEST: usize = 6;
const FEWEST_LETTERS: usize = 3;
/// Letters that a number of a shop begins with.
const LONGEST_PREFIX: usize = 4;

/// Beginnings of names with a number: devices, programs, formats.
const THINGS: [&str; 32] = [
    "android", "base", "chrome", "covid", "edge", "firefox", "galaxy", "html", "http", "huawei",
    "imac", "ios", "ipad", "iphone", "ipod", "iso", "macbook", "macos", "moto", "nokia", "office",
    "oneplus", "pixel", "redmi", "rfc", "safari", "samsung", "version", "web", "windows", "xiaomi",
    "xperia",
];

pub(super) struct Lone<'a, F> {
    pub(super) text: &'a str,
    pub(super) context: &'a Context<'a>,
    /// Has the shop's formats.
    pub(super) own: Vec<Range<usize>>,
    /// Whether it is typed with small and capital letters.
    pub(super) is_mixed_case: F,
}

impl<F: Fn(&Range<usize>) -> bool> Lone<'_, F> {
    /// All of a text about a password.
    pub(super) fn find(&self, found: &mut impl FnMut(Range<usize>)) {
        let outer = |c: char| c.is_whitespace() || "\"'`(),;:<>[]".contains(c);
        let mut at = 0;
        while let Some(start) = self.text[at..].find(|c| !outer(c)).map(|n| at + n) {
            at = self.text[start..].find(outer).map_or(self.text.len(), |n| start + n);
            let typed = self.text[start..at].trim_end_matches(['.', '?', '!', '/']);
            Some(start..start + typed.len())
                .filter(|r| self.is_one(r))
                .into_iter()
                .for_each(&mut *found);
        }
    }

    /// What is alone in the line below one of `emails`.
    pub(super) fn below(&self, emails: &[Range<usize>], found: &mut impl FnMut(Range<usize>)) {
        for email in emails {
            let rest = &self.text[email.end..];
            let line = rest.trim_start_matches([' ', '\r']).strip_prefix('\n');
            let Some(line) = line.map(str::trim_start) else { continue };
            let start = self.text.len() - line.len();
            let line = line.lines().next().unwrap_or_default().trim_end();
            let range = start..start + line.len();
            if !line.contains(char::is_whitespace) && self.is_one(&range) {
                found(range);
            }
        }
    }

    fn is_one(&self, range: &Range<usize>) -> bool {
        let value = &self.text[range.clone()];
        looks_like_one(value)
            && ((self.is_mixed_case)(range) || !is_code(value))
            && !is_thing(value)
            && !self.own.iter().any(|own| own.start < range.end && range.start < own.end)
            && self.context.named(range) != Named::Yes
    }
}

fn looks_like_one(value: &str) -> bool {
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    is_strong(value)
        && value.chars().count() >= SHORTEST
        && letters >= FEWEST_LETTERS
        && value.contains(|c: char| c.is_ascii_digit())
        && !value.contains(['@', '='])
}

/// "iphone15", "250ml", "12characters"
pub(super) fn is_thing(value: &str) -> bool {
    let unit = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_amount = unit.len() < value.len() && unit.chars().all(char::is_alphabetic);
    is_amount && !unit.is_empty() || THINGS.iter().any(|thing| value.starts_with(thing))
}

/// "FJ-10234", "ab12345", "tnt-0042-xl"
fn is_code(value: &str) -> bool {
    let rest = value.trim_start_matches(char::is_alphabetic);
    let prefix = value.chars().count() - rest.chars().count();
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    prefix <= LONGEST_PREFIX
        && digits >= 3
        && (rest.starts_with(['-', '_']) || digits == rest.len())
}

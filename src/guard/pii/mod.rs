//! Finds e-mail addresses, phone, card and social-security numbers, IBANs and IP addresses.
//!
//! The shop's own order, tracking and invoice numbers are not personal data and stay, because tools
//! need them. The scanners are written by hand and read the text a constant number of times, so no
//! message can make them slow.

mod address;
mod card;
mod context;
mod email;
mod fold;
mod iban;
mod phone;
mod run;
mod ssn;

use std::ops::Range;

use context::Context;
use fold::Folded;
use run::Run;

/// A kind of personal data that is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Email,
    Iban,
    Ip,
    Card,
    Ssn,
    Phone,
}

impl Kind {
    /// In order of precedence: an earlier kind wins if two overlap.
    pub const ALL: [Self; 6] =
        [Self::Email, Self::Iban, Self::Ip, Self::Card, Self::Ssn, Self::Phone];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Iban => "IBAN",
            Self::Ip => "IP",
            Self::Card => "CARD",
            Self::Ssn => "SSN",
            Self::Phone => "PHONE",
        }
    }

    /// The form that all spellings of one value share.
    pub(super) fn canonical(self, value: &str) -> String {
        match self {
            Self::Email | Self::Ip => value.to_lowercase(),
            Self::Iban => {
                value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
            }
            Self::Card | Self::Ssn | Self::Phone => {
                value.chars().filter(|c| c.is_numeric() || matches!(c, '+' | 'x')).collect()
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: Kind,
    /// Bytes of the text that was searched.
    pub(super) range: Range<usize>,
}

/// The values to mask in `text`, from left to right, without overlaps.
pub(super) fn find(text: &str) -> Vec<Found> {
    // A number with fewer than four digits and no address sign is never masked. Most messages end
    // here.
    let suspicious = |c: char| c == '@' || c.is_numeric();
    if !text.contains(suspicious) && !email::may_be_spelled_out(text) {
        return Vec::new();
    }
    let folded = Folded::new(text);
    let plain = folded.as_str();
    let runs = Run::all(plain);
    let context = Context::new(plain);
    let mut found = Vec::new();
    email::find(plain, &mut |range| found.push(Found { kind: Kind::Email, range }));
    iban::find(plain, &mut |range| found.push(Found { kind: Kind::Iban, range }));
    address::find(plain, &mut |range| found.push(Found { kind: Kind::Ip, range }));
    settle(&mut found);
    let addresses = found.len();
    for run in runs {
        if touches(&found[..addresses], &run.range) {
            continue;
        }
        if let Some(range) = card::find(plain, &run, &context) {
            found.push(Found { kind: Kind::Card, range });
        } else if let Some(range) = ssn::find(plain, &run, &context) {
            found.push(Found { kind: Kind::Ssn, range });
        } else {
            phone::find(plain, &run, &context, &mut |range| {
                found.push(Found { kind: Kind::Phone, range });
            });
        }
    }
    settle(&mut found);
    for found in &mut found {
        found.range = folded.original(found.range.start)..folded.original(found.range.end);
    }
    found
}

/// Sorts the matches, and drops those that overlap a match further left.
fn settle(found: &mut Vec<Found>) {
    found.sort_by_key(|found| (found.range.start, found.range.end));
    let mut end = 0;
    found.retain(|found| {
        let free = found.range.start >= end;
        if free {
            end = found.range.end;
        }
        free
    });
}

/// `settled` has no overlaps.
fn touches(settled: &[Found], range: &Range<usize>) -> bool {
    let after = settled.partition_point(|found| found.range.end <= range.start);
    settled.get(after).is_some_and(|found| found.range.start < range.end)
}

#[cfg(test)]
mod tests;

//! The numbers in a message: of orders, of parcels, and postcodes.

use std::ops::Range;

use crate::domain::NumberFormats;

/// A number of a parcel has at least so many digits in one piece.
const PARCEL_DIGITS: usize = 12;
/// With fewer digits it is no number of an order, unless it is called one.
pub const ORDER_DIGITS: usize = 5;
const LEAST_DIGITS: usize = 4;
const LONGEST: usize = 24;

/// What may be a number of the shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// As the shop writes it.
    pub number: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Order,
    Parcel,
    /// It has the digits of an order, and other numbers have them, too.
    LikeOrder,
    /// Whether it is one depends on what it is called.
    Open,
}

/// From left to right. `taken` are parts of the text that are no numbers.
pub fn candidates(text: &str, formats: &NumberFormats, taken: &[Range<usize>]) -> Vec<Candidate> {
    let free = |range: &Range<usize>| {
        !taken.iter().any(|other| range.start < other.end && other.start < range.end)
    };
    let mut found: Vec<Candidate> = formats
        .read(text)
        .into_iter()
        .filter(|typed| free(&typed.range))
        .map(|typed| {
            let spelled = &text[typed.range.clone()];
            let kind = if is_parcel(&typed.number) {
                Kind::Parcel
            } else if spelled.contains(|c: char| c.is_ascii_alphabetic())
                || is_marked(text, &typed.range)
            {
                Kind::Order
            } else {
                Kind::LikeOrder
            };
            Candidate { range: typed.range, number: typed.number, kind }
        })
        .collect();
    let known: Vec<Range<usize>> = found.iter().map(|found| found.range.clone()).collect();
    let apart = |range: &Range<usize>| {
        !known.iter().any(|other| range.start < other.end && other.start < range.end)
    };
    found.extend(tokens(text).filter(|range| free(range) && apart(range)).filter_map(|range| {
        let kind = kind(text, &range, *formats == NumberFormats::default())?;
        Some(Candidate { number: text[range.clone()].to_uppercase(), range, kind })
    }));
    found.retain(|found| !is_amount(&text[found.range.end..]));
    found.sort_by_key(|found| found.range.start);
    found
}

fn kind(text: &str, range: &Range<usize>, any: bool) -> Option<Kind> {
    let token = &text[range.clone()];
    let digits = token.bytes().filter(u8::is_ascii_digit).count();
    if digits < LEAST_DIGITS || token.len() > LONGEST {
        return (digits > 0 && token.len() <= LONGEST).then_some(Kind::Open);
    }
    Some(if is_parcel(token) {
        Kind::Parcel
    } else if is_marked(text, range) {
        Kind::Order
    } else if any && digits >= ORDER_DIGITS {
        Kind::LikeOrder
    } else {
        Kind::Open
    })
}

fn is_parcel(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    digits >= PARCEL_DIGITS && !number.contains('-')
}

/// "#10234"
fn is_marked(text: &str, range: &Range<usize>) -> bool {
    text[..range.start].trim_end().ends_with('#') || text[range.clone()].starts_with('#')
}

fn is_amount(behind: &str) -> bool {
    let behind = behind.trim_start().to_lowercase();
    let word: String = behind.chars().take_while(|c| c.is_alphanumeric()).collect();
    behind.starts_with(['€', '$', '£', '¥', '%'])
        || ["eur", "euro", "euros", "usd", "gbp", "chf", "zł", "元", "円"].contains(&word.as_str())
}

/// Runs of letters and digits, joined by single dashes.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = (at..bytes.len()).find(|at| bytes[*at].is_ascii_alphanumeric())?;
        let mut end = start;
        while end < bytes.len() {
            let joins =
                bytes[end] == b'-' && bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
            if !bytes[end].is_ascii_alphanumeric() && !joins {
                break;
            }
            end += 1;
        }
        at = end.max(start + 1);
        Some(start..end)
    })
}

//! Cards with signs in the place of their middle digits, as receipts print them: "4000 05** ****
//! 5556", "400005******5556", "4000-05xx-xxxx-5556".

use std::ops::Range;

/// Digits and signs of the whole number.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=19;
/// Signs in the place of digits.
const FEWEST_HIDDEN: usize = 4;
/// Digits that are shown in front and at the end.
const FEWEST_FIRST: usize = 4;
const LAST: std::ops::RangeInclusive<usize> = 2..=5;

pub(super) fn find(text: &str, found: &mut impl FnMut(Range<usize>)) {
    if !text.contains(is_hidden) {
        return;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|n| at + n) {
        let end = end_of(bytes, start);
        at = end;
        let signs: Vec<u8> =
            bytes[start..end].iter().copied().filter(|byte| !is_gap(*byte)).collect();
        let free = !text[..start].ends_with(char::is_alphanumeric)
            && !text[end..].starts_with(char::is_alphanumeric);
        if free && is_card(&signs) {
            found(start..end);
        }
    }
}

const fn is_hidden(c: char) -> bool {
    matches!(c, '*' | 'x' | '#')
}

const fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.')
}

/// The end of digits, signs for digits, and single gaps between them.
fn end_of(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    let is_part = |at: usize| {
        bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || is_hidden(char::from(*byte)))
    };
    loop {
        while is_part(end) {
            end += 1;
        }
        if !(bytes.get(end).is_some_and(|byte| is_gap(*byte)) && is_part(end + 1)) {
            return end;
        }
        end += 1;
    }
}

fn is_card(signs: &[u8]) -> bool {
    let digits = |byte: &&u8| byte.is_ascii_digit();
    let first = signs.iter().take_while(digits).count();
    let last = signs.iter().rev().take_while(digits).count();
    let hidden = signs.get(first..signs.len().saturating_sub(last)).unwrap_or_default();
    let one = hidden.first().is_some_and(|sign| hidden.iter().all(|other| other == sign));
    LENGTHS.contains(&signs.len())
        && first >= FEWEST_FIRST
        && LAST.contains(&last)
        && hidden.len() >= FEWEST_HIDDEN
        && one
}

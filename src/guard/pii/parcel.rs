//! Numbers of carriers that are typed in groups and have a check digit: UPS ("1Z 999 AA1 …") and
//! the postal services (UPU standard S10, "RR 123 456 785 DE").

use std::ops::Range;

use super::{card::is_real, context::Context};

const UPS: usize = 18;
const POST: usize = 13;

/// They are of the shop, whatever a part of them looks like.
pub(super) fn find(text: &str, context: &Context<'_>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for word in &context.words {
        let typed = &text[word.range.clone()];
        let before = &text[..word.range.start];
        let ups = typed.starts_with('z') && before.ends_with('1');
        let start = word.range.start - usize::from(ups);
        let begins = !text[..start].ends_with(|c: char| c.is_alphanumeric());
        let length = if ups { UPS } else { POST };
        if !begins || !(ups || typed.len() == 2) || found.last().is_some_and(|f| start < f.end) {
            continue;
        }
        let Some((code, end)) = code(&text[start..], length) else { continue };
        if is_checked(&code, length) {
            found.push(start..start + end);
        }
    }
    found
}

/// So many letters and digits with single spaces between them, and where they end.
fn code(text: &str, length: usize) -> Option<(Vec<u8>, usize)> {
    let mut code = Vec::with_capacity(length);
    let mut spaced = true;
    for (at, byte) in text.bytes().enumerate() {
        if code.len() == length {
            return (!byte.is_ascii_alphanumeric()).then_some((code, at));
        }
        match byte {
            b' ' | b'-' if !spaced => spaced = true,
            _ if byte.is_ascii_alphanumeric() => {
                spaced = false;
                code.push(byte);
            }
            _ => return None,
        }
    }
    (code.len() == length).then_some((code, text.len()))
}

fn is_checked(code: &[u8], length: usize) -> bool {
    let digit = |byte: &u8| u32::from(byte.wrapping_sub(b'0'));
    if length == POST {
        let (number, country) = code[2..].split_at(9);
        let weights = [8, 6, 4, 2, 3, 5, 9, 7];
        let sum: u32 = number.iter().zip(weights).map(|(byte, weight)| digit(byte) * weight).sum();
        let check = match 11 - sum % 11 {
            10 => 0,
            11 => 5,
            check => check,
        };
        return code[..2].iter().all(u8::is_ascii_alphabetic)
            && number.iter().all(u8::is_ascii_digit)
            && country.iter().all(u8::is_ascii_alphabetic)
            && digit(&number[8]) == check;
    }
    let number = &code[2..];
    if !number[8..].iter().all(u8::is_ascii_digit) {
        return false;
    }
    // No card has letters.
    if number[..8].iter().any(u8::is_ascii_alphabetic) {
        return true;
    }
    let sum: u32 = number[..15]
        .iter()
        .enumerate()
        .map(|(index, byte)| digit(byte) * if index % 2 == 0 { 1 } else { 2 })
        .sum();
    let text: String = number.iter().map(|byte| char::from(*byte)).collect();
    digit(&number[15]) == (10 - sum % 10) % 10 && !is_real(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_a_carrier_has_its_check_digit() {
        let whole = |text: &str| {
            let found = find(text, &Context::new(text));
            found.len() == 1 && found[0] == (0..text.len())
        };
        assert!(whole("1z 999 aa1 01 2345 6784") && whole("1z999aa10123456784"));
        assert!(!whole("1z 4111 1111 1111 1111"));
        assert!(whole("rr 473 124 829 de") && !whole("rr 473 124 828 de"));
    }
}

//! Cards whose digits something unusual parts (`+`, " dash ", a letter), and cards with letters
//! that look like digits. A text has few such places by chance, so issuer and check digit decide.

use std::ops::Range;

use super::{
    alike,
    card::{PRINTED, is_real},
    run::SEPARATORS,
};

/// Between two groups, in bytes.
const WIDEST_GAP: usize = 12;
/// Digit by digit, or in pairs.
const SPREAD: [&[usize]; 3] = [&[1; 16], &[1; 15], &[2; 8]];
const SHORTEST: usize = 14;
const LONGEST: usize = 19;
/// In bytes, between two groups that are not all parted in the same way.
const WIDEST_MIXED: usize = 5;

pub(super) fn find(text: &str, found: &mut impl FnMut(Range<usize>)) {
    if text.bytes().filter(|byte| digit(*byte).is_some()).count() < SHORTEST {
        return;
    }
    cards(text, &tokens(text, |byte| byte.is_ascii_digit()), false, found);
    let alike = words(text);
    let letter = |token: &Range<usize>| text[token.clone()].contains(|c: char| !c.is_ascii_digit());
    if alike.iter().any(letter) {
        cards(text, &alike, true, found);
    }
}

/// The digit that a byte is read as.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'|' | b'!' => Some(b'1'),
        byte => alike::digit(byte),
    }
}

fn tokens(text: &str, is: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut made = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(|byte| is(*byte)).map(|n| at + n) {
        at = start + bytes[start..].iter().take_while(|byte| is(**byte)).count();
        made.push(start..at);
    }
    made
}

/// The words that have nothing but what is read as digits.
fn words(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"|!".contains(byte);
    let mut made = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(inside).map(|n| at + n) {
        let read = start + bytes[start..].iter().take_while(|b| digit(**b).is_some()).count();
        at = read + bytes[read..].iter().take_while(|byte| inside(byte)).count();
        if at == read {
            made.push(start..at);
        }
    }
    made
}

fn cards(
    text: &str,
    tokens: &[Range<usize>],
    with_letters: bool,
    found: &mut impl FnMut(Range<usize>),
) {
    let usual = |gap: &str| gap.bytes().all(|byte| SEPARATORS.contains(&byte));
    let mut first = 0;
    while first < tokens.len() {
        // Digits that nothing unusual parts are read with their neighbours.
        let next = tokens.get(first + 1);
        if !with_letters && next.is_none_or(|next| usual(&text[tokens[first].end..next.start])) {
            first += 1;
            continue;
        }
        let count = PRINTED.iter().chain(&SPREAD).find_map(|shape| {
            let part = tokens.get(first..first + shape.len())?;
            is_card(text, part, shape, with_letters).then_some(shape.len())
        });
        let single =
            || with_letters && is_card(text, &tokens[first..=first], &[tokens[first].len()], true);
        match count.or_else(|| single().then_some(1)) {
            Some(count) => {
                found(tokens[first].start..tokens[first + count - 1].end);
                first += count;
            }
            None => first += 1,
        }
    }
}

fn is_card(text: &str, part: &[Range<usize>], shape: &[usize], with_letters: bool) -> bool {
    let gap = |pair: &[Range<usize>]| &text[pair[0].end..pair[1].start];
    let length: usize = shape.iter().sum();
    if !(SHORTEST..=LONGEST).contains(&length)
        || part.iter().map(Range::len).ne(shape.iter().copied())
        || part.windows(2).any(|pair| gap(pair).len() > WIDEST_GAP)
    {
        return false;
    }
    let even = part.windows(2).all(|pair| gap(pair) == gap(&part[..2]));
    let signs = |gap: &str| gap.len() <= WIDEST_MIXED && !gap.contains(char::is_alphanumeric);
    if !even && !part.windows(2).all(|pair| signs(gap(pair))) {
        return false;
    }
    let typed: Vec<u8> = part.iter().flat_map(|token| text[token.clone()].bytes()).collect();
    let real_digits = typed.iter().filter(|byte| byte.is_ascii_digit()).count();
    let digits: Option<Vec<u8>> = typed.into_iter().map(digit).collect();
    let digits = digits.and_then(|digits| String::from_utf8(digits).ok());
    let letters = real_digits < length;
    letters == with_letters && digits.is_some_and(|digits| is_real(&digits))
}

//! Features of a token: hashes of it, of its neighbours, and of how it is written. `tagger.py` makes
//! the same ones.

use super::token::{Gap, Token};

/// How many bits a hash has.
pub(super) const BITS: u32 = 15;

/// What is known about a token, in the order of `tagger.py`.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Of {
    Word,
    Last2,
    Last3,
    Last4,
    First3,
    Case,
    Lists,
    Gap,
    Message,
    Place,
}

use Of::{Case, First3, Last2, Last3, Last4, Lists, Message, Place, Word};

const KNOWN: usize = 10;
/// The farthest neighbour of a template.
const WIDEST: isize = 3;

const TEMPLATES: [&[(Of, isize)]; 34] = [
    &[(Word, 0)],
    &[(Word, -1)],
    &[(Word, 1)],
    &[(Word, -2)],
    &[(Word, 2)],
    &[(Word, -1), (Word, 0)],
    &[(Word, 0), (Word, 1)],
    &[(Word, -2), (Word, -1)],
    &[(Word, 1), (Word, 2)],
    &[(Last2, 0), (Case, 0)],
    &[(Last3, 0)],
    &[(Last4, 0)],
    &[(First3, 0)],
    &[(Case, 0), (Lists, 0)],
    &[(Case, -1), (Case, 0), (Case, 1)],
    &[(Lists, -1), (Lists, 0), (Lists, 1)],
    &[(Word, -1), (Lists, 0)],
    &[(Word, -2), (Word, -1), (Lists, 0)],
    &[(Word, 1), (Lists, 0)],
    &[(Of::Gap, 0), (Of::Gap, 1), (Case, 0)],
    &[(Message, 0), (Lists, 0), (Case, 0)],
    &[(Lists, -1), (Lists, 0), (Of::Gap, 0)],
    &[(Lists, 0), (Lists, 1), (Of::Gap, 1)],
    &[(Case, 0), (Case, 1), (Case, 2)],
    &[(Case, -2), (Case, -1), (Case, 0)],
    &[(Last3, -1), (Case, 0)],
    &[(Last3, 1), (Case, 0)],
    &[(Word, -3), (Word, -2), (Word, -1)],
    &[(Place, 0), (Lists, 0), (Message, 0)],
    &[(Message, 0)],
    &[(Word, -1), (Case, 0), (Case, 1)],
    &[(Case, 0), (Word, 1), (Case, 2)],
    &[(Word, -1), (Word, 1)],
    &[(Case, -1), (Lists, 0), (Case, 1), (Message, 0)],
];

/// Features of one token.
pub(super) type Features = [u16; TEMPLATES.len()];

pub(super) fn all(tokens: &[Token<'_>]) -> Vec<Features> {
    let message = message(tokens);
    let known: Vec<[u32; KNOWN]> =
        tokens.iter().enumerate().map(|(at, token)| known(token, at, message)).collect();
    let at = |index: usize, distance: isize, of: Of| {
        let neighbour = index.checked_add_signed(distance).and_then(|at| known.get(at));
        neighbour.map_or(1, |known| known[of as usize])
    };
    (0..tokens.len())
        .map(|index| {
            let mut made = [0; TEMPLATES.len()];
            for (number, (feature, parts)) in made.iter_mut().zip(TEMPLATES).enumerate() {
                let start = u32::try_from(number + 1).unwrap_or_default();
                let hash = parts.iter().fold(start, |hash, (of, distance)| {
                    debug_assert!(distance.abs() <= WIDEST);
                    mix(hash, at(index, *distance, *of))
                });
                *feature = u16::try_from(mix(hash, 0) >> (32 - BITS)).unwrap_or_default();
            }
            made
        })
        .collect()
}

/// How long a message is, and whether all of it is lower case.
fn message(tokens: &[Token<'_>]) -> u32 {
    let length = match tokens.len() {
        0..=1 => 0,
        2 => 1,
        3 => 2,
        4..=5 => 3,
        6..=9 => 4,
        _ => 5,
    };
    let lower = tokens.iter().all(|token| token.case == super::token::Case::Lower);
    length * 2 + u32::from(lower)
}

fn known(token: &Token<'_>, at: usize, message: u32) -> [u32; KNOWN] {
    const SHAPE: usize = 12;
    let text = token.text;
    let gap = if at == 0 { Gap::Start } else { token.gap } as u32;
    let place = u32::try_from(at.min(3)).unwrap_or_default();
    if token.is_placeholder() {
        return [fnv(text.bytes()), 0, 0, 0, 0, 30, 0, gap, message, place];
    }
    if token.has_digit() {
        let length = text.chars().count();
        let shape = text.chars().take(SHAPE);
        let shape = shape.map(|c| if c.is_ascii_digit() { b'0' } else { b'a' });
        let sort = if token.is_number() {
            10 + u32::try_from(length.min(9)).unwrap_or_default()
        } else {
            20 + u32::from(text.starts_with(|c: char| c.is_ascii_digit()))
        };
        return [fnv(shape), 0, 0, 0, 0, sort, 0, gap, message, place];
    }
    let ends = |count: usize| {
        let start = text.char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at);
        fnv(text[start..].bytes())
    };
    let begins = text.char_indices().nth(3).map_or(text.len(), |(at, _)| at);
    let alone = if text.chars().nth(1).is_none() { 32 } else { 0 };
    [
        fnv(text.bytes()),
        ends(2),
        ends(3),
        ends(4),
        fnv(text[..begins].bytes()),
        token.case as u32,
        u32::from(token.lists) | alone,
        gap,
        message,
        place,
    ]
}

/// FNV-1a of 32 bits.
fn fnv(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

const fn mix(hash: u32, part: u32) -> u32 {
    let mixed = (hash ^ part).wrapping_mul(0x9e37_79b1);
    mixed ^ (mixed >> 15)
}

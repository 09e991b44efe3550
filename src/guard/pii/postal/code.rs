//! Postcodes that are named as such.

use std::{ops::Range, sync::LazyLock};

use crate::{
    guard::pii::{
        phrases::Phrases,
        tagger::{Gap, Token},
        vocabulary::{MEANINGS, Role},
    },
    words::{self, People},
};

static POSTCODES: LazyLock<Phrases> = LazyLock::new(|| {
    let people: People = words::all();
    Phrases::new(people.postcodes)
});

/// Characters of a postcode and of half of one.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=9;
const HALF: std::ops::RangeInclusive<usize> = 2..=4;
/// Words such as "is" before it.
const FILLERS: usize = 2;

pub(super) fn codes(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    (0..tokens.len()).filter_map(|at| code(tokens, at)).collect()
}

fn code(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    let after = POSTCODES.end(tokens, at)?;
    let short = after == at + 1 && tokens[at].text.len() <= *LENGTHS.start();
    let fillers = if short { 0 } else { FILLERS };
    let filler = |token: &&Token<'_>| {
        let is = |role| MEANINGS.get(token.text).is_some_and(|meaning| meaning.is(role));
        is(Role::Filler) || is(Role::Link) || is(Role::Number)
    };
    let start = after + tokens[after..].iter().take(fillers).take_while(filler).count();
    let code = tokens.get(start)?;
    let fits = code.has_digit() && !matches!(code.gap, Gap::Stop | Gap::Line);
    // "NW1 6XE", "1012 AB", "500 033"
    let half = |token: &Token<'_>| HALF.contains(&token.text.len());
    let second = tokens.get(start + 1).filter(|second| {
        let british = second.has_digit() && !second.is_number();
        let dutch = code.is_number() && second.is_word() && second.text.len() == 2;
        let both = code.is_number() && second.is_number() && code.text.len() == 3;
        second.gap == Gap::Space && half(second) && half(code) && (british || dutch || both)
    });
    let whole = LENGTHS.contains(&code.text.len()) && (!short || code.text.len() > 3);
    let end = start + 1 + usize::from(second.is_some());
    (fits && (second.is_some() || whole)).then_some(start..end)
}

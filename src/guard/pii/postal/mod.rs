//! Postal addresses and their parts, as ranges of tokens.

mod code;
mod street;

use std::{collections::HashSet, ops::Range, sync::LazyLock};

use super::{
    fold,
    tagger::{Case, Gap, Label, Token},
};
use crate::words::{self, People};

/// Words of amounts and times.
static AMOUNTS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let people: People = words::all();
    people.amounts.into_iter().map(fold::word).collect()
});

/// "or", and "the" behind it: what follows is another thing.
static OTHER: LazyLock<[HashSet<String>; 2]> = LazyLock::new(|| {
    let people: People = words::all();
    [people.either, people.articles].map(|list| list.into_iter().map(fold::word).collect())
});

/// Bytes between two parts of an address: a line break with marks of a quotation fits.
const WIDEST: usize = 8;

/// The addresses that have this label, joined with those of the rules.
pub(super) fn addresses(tokens: &[Token<'_>], labels: &[Label]) -> Vec<Range<usize>> {
    let ruled = [street::streets(tokens), code::codes(tokens)].concat();
    let mut inside: Vec<bool> = labels.iter().map(|label| *label == Label::Address).collect();
    for part in &ruled {
        inside[part.clone()].fill(true);
    }
    // Nothing but who somebody is and where they live.
    let all =
        tokens.iter().zip(labels).enumerate().all(|(at, (token, label))| {
            inside[at] || *label == Label::Name || token.is_placeholder()
        });
    let mut addresses: Vec<Range<usize>> = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(at, _)| inside[*at]) {
        if token.is_placeholder() {
            continue;
        }
        let near =
            |before: usize| token.typed.start.saturating_sub(tokens[before].typed.end) <= WIDEST;
        let goes_on = |before: usize| token.gap != Gap::Stop || is_short(&tokens[before]);
        let joins = |last: &&mut Range<usize>| last.end == at && near(at - 1) && goes_on(at - 1);
        match addresses.last_mut().filter(joins) {
            Some(address) => address.end += 1,
            None => addresses.push(at..at + 1),
        }
    }
    addresses.retain(|address| {
        ruled.iter().any(|part| part.start < address.end && address.start < part.end)
            || is_told(&tokens[address.clone()], all) && !begins_in_number(tokens, address.start)
    });
    addresses
}

/// The 91 of "502.843.91".
fn begins_in_number(tokens: &[Token<'_>], at: usize) -> bool {
    let glued = at > 0 && tokens[at - 1].typed.end + 1 == tokens[at].typed.start;
    glued && tokens[at - 1].is_number() && tokens[at].is_number() && tokens[at].gap == Gap::Stop
}

/// "St.", "Apt.", "No.", "Lindenstr."
fn is_short(token: &Token<'_>) -> bool {
    const SHORT: usize = 3;
    token.is_word()
        && (token.text.len() <= SHORT || token.is_of_streets() || token.text.ends_with("str"))
}

/// What the tagger takes for an address must look like one, less so if that is `all` that was typed.
fn is_told(address: &[Token<'_>], all: bool) -> bool {
    const LONGEST_ROW: usize = 3;
    let is_word = |token: &&Token<'_>| token.is_word() && token.text.chars().count() > 2;
    let words = address.iter().filter(is_word).count();
    let numbers = address.iter().filter(|token| token.has_digit()).count();
    // "2.4.1.0", "12/05/2024", sizes.
    let row = address.iter().scan(0, |row, token| {
        *row = if token.is_number() { *row + 1 } else { 0 };
        Some(*row)
    });
    let listed = row.max() > Some(LONGEST_ROW)
        || address.windows(2).filter(|pair| is_split(pair)).count() >= 2;
    // "a-tent-for-2" is a link.
    let linked = address.iter().skip(1).all(|token| matches!(token.gap, Gap::Sign | Gap::Stop));
    let apart = address.iter().skip(1).any(|token| matches!(token.gap, Gap::Sign | Gap::Stop));
    let signs = address.len() > 1 && (linked || numbers == 0 && apart);
    // "5 p.m.", "4000 m", "-20 °C"
    let time = address.windows(2).any(|pair| match pair {
        [number, word] => {
            let high = number.text.len() > 2 && word.text == "m";
            number.is_number() && (high || matches!(word.text, "p" | "pm" | "am" | "c"))
        }
        _ => false,
    });
    // "in 3xl instead of 2xl", "4x5"
    let size = |token: &Token<'_>| {
        let letters = token.text.trim_matches(|c: char| c.is_ascii_digit());
        token.has_digit() && matches!(letters, "x" | "xs" | "xl" | "xxl" | "xxs" | "xxxl")
    };
    // "max 8292 katherine shore apt 152 new myron 42657" is no amount.
    let whole = numbers > 2 && address.iter().any(Token::is_of_streets);
    let amount = !whole && address.iter().any(|token| AMOUNTS.contains(token.text) || size(token));
    // "the Fjell 2 or the Skog 3"
    let [or, the] = &*OTHER;
    let choice = address.windows(3).any(|three| {
        three[0].has_digit() && or.contains(three[1].text) && the.contains(three[2].text)
    });
    // "samsung galaxy s24 ultra 512", "rtx 4070 ti super 16gb"
    let of_places = address.iter().any(|token| token.is_of_streets() || token.is_town());
    let model = !of_places
        && address
            .iter()
            .any(|token| token.has_digit() && !token.is_number() && !token.is_house_number());
    // "INV-2024-001" begins before it, and "12/2027" is a month.
    let part = address.first().is_some_and(|first| first.gap == Gap::Sign);
    let month = address.windows(2).any(is_split);
    words >= 1
        && !listed
        && !choice
        && !part
        && !month
        && !signs
        && !time
        && !amount
        && !model
        && is_shown(address, all)
}

/// Streets, towns, a long number or a name in capitals.
fn is_shown(address: &[Token<'_>], all: bool) -> bool {
    const LONG: usize = 5;
    let number = address.iter().any(|token| token.has_digit() && token.text.len() > 1);
    let of_streets = address.iter().any(Token::is_of_streets);
    let town = address.iter().any(Token::is_town);
    let long = address.iter().any(|token| token.is_number() && token.text.len() >= LONG);
    let capital = |token: &Token<'_>| token.case != Case::Lower && !token.is_ordinary();
    let named = address.iter().any(|token| token.is_word() && capital(token));
    let unknown = |token: &&Token<'_>| {
        token.is_word() && !token.is_ordinary() && token.text.chars().count() > 3
    };
    let words = address.iter().filter(unknown).count();
    of_streets && address.len() >= 2
        || number && (town || long || named || words >= 2)
        // "421 e drachman"
        || number && all && words == 1 && address.first().is_some_and(Token::is_house_number)
        || town && words >= 2
}

/// Two parts of a number, such as "12.05".
fn is_split(pair: &[Token<'_>]) -> bool {
    let numbers = pair.iter().all(Token::is_number);
    numbers && pair.last().is_some_and(|last| !matches!(last.gap, Gap::Space | Gap::Line))
}

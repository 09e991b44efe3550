//! Which product a message asks for.

use std::ops::{Range, RangeInclusive};

use super::{said::Said, slots::cut, vocabulary::Concept};

const QUERY_WORDS: usize = 8;
/// Words between an amount and "or less". A character of some scripts is a word.
const CURRENCY: usize = 4;
/// A bare number from here to there is the size of a shoe.
const SHOES: RangeInclusive<u32> = 34..=50;
const LETTERS: [&str; 11] = ["xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl", "2xl", "3xl", "4xl"];

/// A product as it was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Product {
    pub query: String,
    pub size: Option<String>,
    pub max_price: Option<String>,
}

/// What product is asked for. The words that ask and those that mean nothing are left out.
pub fn product(said: &Said) -> Product {
    let size = size(said);
    let price = price(said);
    let concepts = [Concept::Search, Concept::Light, Concept::Size, Concept::Under];
    let mut used: Vec<usize> = Vec::new();
    used.extend(size.iter().flat_map(|(words, _)| words.clone()));
    used.extend(price.iter().flat_map(|(words, _)| words.clone()));
    let mut kept = said.others(&concepts);
    kept.retain(|at| !used.contains(at));
    // Words of another sentence say something else.
    let asked = said.about(Concept::Search).next().map(|hit| hit.start);
    let sentence = asked.and_then(|start| said.sentences().find(|words| words.contains(&start)));
    let mut query: Vec<usize> = kept.clone();
    if let Some(sentence) = sentence {
        let inside: Vec<usize> = kept.iter().copied().filter(|at| sentence.contains(at)).collect();
        if !inside.is_empty() {
            query = inside;
        }
    }
    // Small words within a name belong to it: "chaussures de randonnée".
    if let (Some(first), Some(last)) = (query.first(), query.last()) {
        let words = *first..last + 1;
        let asks = said.others(&[Concept::Search, Concept::Size, Concept::Under]);
        query = words.filter(|at| asks.contains(at) && !used.contains(at)).collect();
    }
    query.truncate(QUERY_WORDS * 2);
    Product {
        query: cut(&said.typed(&query)),
        size: size.map(|(_, size)| size),
        max_price: price.map(|(_, price)| price),
    }
}

/// Words, and what they say.
pub type Found = (Range<usize>, String);

/// The size of a product, and its words.
pub fn size(said: &Said) -> Option<Found> {
    let named = said.about(Concept::Size).find_map(|hit| {
        let at = (hit.end..said.len()).take(2).find(|at| is_size(said.word(*at)))?;
        Some((hit.start, at))
    });
    if let Some((_, at)) = named {
        return Some(with_half(said, at));
    }
    let bare = (1..said.len()).rev().find(|at| {
        let typed = said.typed(&[*at]);
        let letters = LETTERS.contains(&said.word(*at)) && typed.chars().all(|c| !c.is_lowercase());
        let shoe = said.word(*at).parse().is_ok_and(|size: u32| SHOES.contains(&size))
            && typed.len() == 2
            && !is_name(said, at - 1);
        letters || shoe
    });
    // The second word of a range belongs to the first.
    let first = |at: usize| match at.checked_sub(1) {
        Some(before) if with_half(said, before).0.contains(&at) && is_size(said.word(before)) => {
            before
        }
        _ => at,
    };
    bare.map(|at| with_half(said, first(at)))
}

/// Whether a number behind this word belongs to a name.
fn is_name(said: &Said, at: usize) -> bool {
    said.others(&[Concept::Light, Concept::Search, Concept::Size, Concept::Goods]).contains(&at)
        && said.typed(&[at]).starts_with(char::is_uppercase)
}

fn is_size(word: &str) -> bool {
    LETTERS.contains(&word) || word.len() <= 3 && word.parse::<u32>().is_ok_and(|size| size <= 200)
}

/// "42.5", "43-46" and "M/L" are two words.
fn with_half(said: &Said, at: usize) -> Found {
    let pair = said.span(at..(at + 2).min(said.len()));
    let has_next = at + 1 < said.len();
    let is_half =
        has_next && said.word(at + 1) == "5" && (pair.ends_with(".5") || pair.ends_with(",5"));
    let two = format!("{}-{}", said.word(at), said.word(at + 1));
    let is_range = has_next
        && is_size(said.word(at + 1))
        && pair.to_lowercase().replace(['/', '–', '—'], "-").replace(' ', "") == two;
    let end = if is_half || is_range { at + 2 } else { at + 1 };
    let typed = said.span(at..end).replace(',', ".").replace(['–', '—'], "-");
    (at..end, typed.replace(' ', "").to_uppercase())
}

/// The highest price, and its words: "under 500", "500 or less".
pub fn price(said: &Said) -> Option<Found> {
    let is_price = |at: &usize| {
        let word = said.word(*at);
        !word.is_empty() && word.len() <= 5 && word.bytes().all(|b| b.is_ascii_digit())
    };
    let ahead = said.about(Concept::Under).find_map(|hit| {
        let at = (hit.end..said.len()).take(2).find(is_price)?;
        Some((hit.start..at + 1, said.word(at).to_owned()))
    });
    ahead.or_else(|| {
        said.about(Concept::UnderBehind).find_map(|hit| {
            // The currency stands between.
            let at = (0..hit.start).rev().take(CURRENCY).find(is_price)?;
            Some((at..hit.end, said.word(at).to_owned()))
        })
    })
}

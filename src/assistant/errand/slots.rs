//! What a message tells of the things that tools need.

use std::ops::{Range, RangeInclusive};

use super::{
    call::Proof,
    said::{ORDER, Said},
    vocabulary::Concept,
};
use crate::words::sentence::fold;

/// Longest text that goes to a shop, in characters.
const LONGEST: usize = 300;
const QUERY_WORDS: usize = 8;
const PLACE_WORDS: usize = 4;
/// A number of an order and a postcode, of two parts at most.
const PAIR: usize = 3;
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

/// What shows that an order belongs to the shopper. `asked`: it was asked for just now, and the
/// message may have a number of an order before it.
pub fn proof(said: &Said, asked: bool, order: Option<&str>) -> Option<Proof> {
    if let Some(email) = said.masks("EMAIL").next() {
        return Some(Proof::Email(email.to_owned()));
    }
    if let Some(postcode) = &said.postcode {
        return Some(Proof::Postcode(postcode.clone()));
    }
    // "FJ-10234, 18055"
    let pair = !said.orders.is_empty() && said.len() <= PAIR;
    if !asked && !pair && !said.says(Concept::Postcode) {
        return None;
    }
    let masked = said.masks("ADDRESS").next();
    let postcode = masked.map(str::to_owned).or_else(|| outward(said)).or_else(|| {
        let mut open = said.open.iter().map(|open| &open.typed);
        open.find(|typed| is_postcode(typed) && order != Some(typed.as_str())).cloned()
    });
    postcode.map(Proof::Postcode)
}

fn is_postcode(number: &str) -> bool {
    (4..=8).contains(&number.len())
}

/// A postcode in two parts, with letters: "SW1A 1AA", "1234 AB".
fn outward(said: &Said) -> Option<String> {
    let mixed = |at: usize| {
        let word = said.word(at);
        (2..=4).contains(&word.len()) && word.is_ascii() && word.bytes().any(|b| b.is_ascii_digit())
    };
    let letters = |at: usize| {
        let word = said.word(at);
        word.len() == 2 && said.typed(&[at]).bytes().all(|b| b.is_ascii_uppercase())
    };
    let has_letter = |at: usize| said.word(at).bytes().any(|b| b.is_ascii_alphabetic());
    (1..said.len())
        .find(|at| {
            let first = mixed(*at - 1);
            first && (has_letter(at - 1) && mixed(*at) || !has_letter(at - 1) && letters(*at))
        })
        .map(|at| said.span(at - 1..at + 1))
}

/// A new address. `asked`: the whole message answers the question for it.
pub fn address(said: &Said, asked: bool) -> Option<String> {
    let masked = said.masked_span(&["ADDRESS", "NAME", "PHONE"]);
    let has_address = said.masks("ADDRESS").next().is_some();
    let words = match masked {
        Some(words) if has_address && !asked => words.start..end_of_address(said, words.end),
        _ if asked && (has_address || looks_like_address(said, &(0..said.len()))) => 0..said.len(),
        _ => tail(said).filter(|words| looks_like_address(said, words))?,
    };
    Some(cut(&said.span(words)))
}

/// What follows the wish and the number in a sentence, without words that mean nothing.
fn tail(said: &Said) -> Option<Range<usize>> {
    let numbers = (0..said.len()).filter(|at| said.word(*at) == ORDER).map(|at| at + 1);
    let from = said.about(Concept::Address).map(|hit| hit.end).chain(numbers).max()?;
    let end = said.sentences().find(|words| words.contains(&(from - 1)))?.end;
    let free = said.others(&[Concept::Light, Concept::Address]);
    let own = |at: &usize| free.contains(at) && !said.word(*at).ends_with("mask");
    let start = (from..end).find(own)?;
    let mask = (start..end).find(|at| said.word(*at).ends_with("mask")).unwrap_or(end);
    let last = (start..mask).rfind(own)?;
    Some(start..last + 1)
}

/// A town may follow what was recognised.
fn end_of_address(said: &Said, from: usize) -> usize {
    let sentence = said.sentences().find(|words| words.contains(&(from - 1)));
    let end = sentence.map_or(from, |words| words.end);
    if end - from <= PLACE_WORDS && said.others(&[Concept::Light]).contains(&from) {
        end
    } else {
        from
    }
}

fn looks_like_address(said: &Said, words: &Range<usize>) -> bool {
    words.len() >= 3 && words.clone().any(|at| said.word(at).bytes().any(|b| b.is_ascii_digit()))
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
    bare.map(|at| with_half(said, at))
}

/// Whether a number behind this word belongs to a name.
fn is_name(said: &Said, at: usize) -> bool {
    said.others(&[Concept::Light, Concept::Search, Concept::Size, Concept::Goods]).contains(&at)
        && said.typed(&[at]).starts_with(char::is_uppercase)
}

fn is_size(word: &str) -> bool {
    LETTERS.contains(&word) || word.len() <= 3 && word.parse::<u32>().is_ok_and(|size| size <= 200)
}

/// "42.5" are two words.
fn with_half(said: &Said, at: usize) -> Found {
    let half = said.span(at..(at + 2).min(said.len()));
    let is_half = at + 1 < said.len()
        && said.word(at + 1) == "5"
        && (half.ends_with(".5") || half.ends_with(",5"));
    let end = if is_half { at + 2 } else { at + 1 };
    (at..end, said.span(at..end).replace(',', ".").to_uppercase())
}

fn price(said: &Said) -> Option<Found> {
    said.about(Concept::Under).find_map(|hit| {
        let at = (hit.end..said.len()).take(2).find(|at| {
            let word = said.word(*at);
            word.len() <= 5 && word.bytes().all(|b| b.is_ascii_digit())
        })?;
        Some((hit.start..at + 1, said.word(at).to_owned()))
    })
}

/// Near which place. `asked`: the whole message answers the question for it.
pub fn place(said: &Said, asked: bool) -> Option<String> {
    let nothing = [
        Concept::Light,
        Concept::Stores,
        Concept::Near,
        Concept::NearBehind,
        Concept::Search,
        Concept::Postcode,
    ];
    let free = said.others(&nothing);
    let open = said.open.first().map(|open| &open.typed);
    if let Some(postcode) = said.postcode.as_ref().or(open) {
        return Some(postcode.clone());
    }
    if let Some(masked) = said.masks("ADDRESS").next() {
        return Some(masked.to_owned());
    }
    let mut places = said.about(Concept::Near).map(|hit| {
        let end = said.sentences().find(|words| words.contains(&hit.start)).map_or(0, |w| w.end);
        let Some(first) = (hit.end..end).find(|at| free.contains(at)) else { return Vec::new() };
        // "Monaco di Baviera"
        let small = said.others(&[Concept::Stores, Concept::Search, Concept::Postcode]);
        let run = (first..end).take(PLACE_WORDS).take_while(|at| small.contains(at));
        let mut words: Vec<usize> = run.collect();
        while words.last().is_some_and(|at| !free.contains(at)) {
            words.pop();
        }
        words
    });
    let mut found = places.find(|words| !words.is_empty()).unwrap_or_default();
    if found.is_empty() {
        let behind = said.about(Concept::NearBehind).next();
        found = behind
            .map_or_else(Vec::new, |hit| (0..hit.start).filter(|at| free.contains(at)).collect());
    }
    if found.is_empty() && asked {
        found = free;
    }
    let is_long = found.len() > PLACE_WORDS && said.typed(&found).is_ascii();
    (!found.is_empty() && !is_long).then(|| cut(&said.typed(&found)))
}

/// Which of the items that were listed, each with its name and its SKU.
pub fn items(said: &Said, listed: &[(String, String)]) -> Vec<String> {
    let sku = |(_, sku): &(String, String)| sku.clone();
    let words: Vec<String> = (0..said.len())
        .map(|at| said.word(at).to_owned())
        .filter(|w| w.chars().count() > 2)
        .collect();
    let named: Vec<String> = listed
        .iter()
        .filter(|(name, _)| {
            let name = fold(name);
            let mut parts = name.split(|c: char| !c.is_alphanumeric());
            parts.any(|part| {
                part.len() > 2
                    && words.iter().any(|word| {
                        word == part || word.trim_end_matches('s') == part.trim_end_matches('s')
                    })
                    && listed.iter().filter(|(other, _)| fold(other).contains(part)).count() == 1
            })
        })
        .map(sku)
        .collect();
    if !named.is_empty() {
        return named;
    }
    let chosen: Vec<String> = (0..said.len())
        .filter_map(|at| said.word(at).parse::<usize>().ok())
        .filter_map(|number| listed.get(number.checked_sub(1)?))
        .map(sku)
        .collect();
    if !chosen.is_empty() {
        return chosen;
    }
    let whole = said.says(Concept::All);
    if whole { listed.iter().map(sku).collect() } else { Vec::new() }
}

fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

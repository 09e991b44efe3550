//! What a message tells of the things that tools need: proofs and places.

use super::{call::Proof, said::Said, vocabulary::Concept};

/// Longest text that goes to a shop, in characters.
const LONGEST: usize = 300;
const PLACE_WORDS: usize = 4;
/// A number of an order and a postcode, of two parts at most.
const PAIR: usize = 3;

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
        let stops = [Concept::Stores, Concept::Search, Concept::Postcode, Concept::NearBehind];
        let small = said.others(&stops);
        // "in Graz is open"; a name such as "Baker Street" goes on.
        let is_asked = |at: usize| {
            at > first
                && said.typed(&[at]).starts_with(char::is_lowercase)
                && said.about(Concept::MoreStore).any(|hit| hit.contains(&at))
        };
        let run = (first..end).take(PLACE_WORDS);
        let run = run.take_while(|at| small.contains(at) && !is_asked(*at));
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

pub fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

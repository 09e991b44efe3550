//! A new address in a message, and what it lacks.

use super::{
    masks::plain,
    said::{ORDER, Said},
    slots::cut,
    vocabulary::{Concept, without_postcode_words},
};

/// So many words may follow the last number: a town, a country.
const BEHIND: usize = 4;
/// An address of a script without spaces has at least so many of its characters.
const CHARACTERS: usize = 4;
/// Digits of a postcode.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// What an address has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// With the number of the house.
    pub street: bool,
    pub postcode: bool,
    pub town: bool,
}

impl Parts {
    pub const fn is_whole(self) -> bool {
        self.street && self.postcode && self.town
    }

    pub const fn is_some(self) -> bool {
        self.street || self.postcode || self.town
    }

    const fn shares(self, other: Self) -> bool {
        self.street && other.street || self.postcode && other.postcode || self.town && other.town
    }
}

/// A new address. `asked`: the message answers the question for it. It is not yet known whether it
/// is whole.
pub fn address(said: &Said, asked: bool) -> Option<String> {
    let mut anchors: Vec<usize> =
        (0..said.len()).filter(|at| is_anchor(said, *at, asked)).collect();
    // "Instead of" an old one that follows.
    let old = said.about(Concept::InPlaceOf).map(|hit| hit.start).min();
    anchors.retain(|at| old.is_none_or(|old| *at < old));
    let (first, last) = (*anchors.first()?, *anchors.last()?);
    let ends = |at: &usize| is_end(said, *at);
    let from = (0..first).rfind(ends).map_or(0, |at| at + 1);
    if from == 0 && !asked {
        return None;
    }
    let start = (from..first).find(|at| !is_small(said, *at)).unwrap_or(first);
    let behind = (last + 1..said.len()).take(BEHIND);
    let plain =
        said.others(&[Concept::Light, Concept::Instead, Concept::InPlaceOf, Concept::Called]);
    let behind =
        behind.take_while(|at| !ends(at) && plain.contains(at) && said.is_one_sentence(last, *at));
    let end = behind.last().unwrap_or(last) + 1;
    Some(cut(&said.span(start..end)))
}

/// A masked address, or a number that may be one of a house or of a town.
fn is_anchor(said: &Said, at: usize, asked: bool) -> bool {
    let word = said.word(at);
    if word == "addressmask" {
        return true;
    }
    let called = said.about(Concept::Postcode).any(|hit| hit.end == at || hit.end + 1 == at);
    word.bytes().any(|b| b.is_ascii_digit()) && (asked || !called)
}

/// Behind it an address begins, or before it one ends.
fn is_end(said: &Said, at: usize) -> bool {
    let word = said.word(at);
    let is_mask = word.ends_with("mask") && !["addressmask", "namemask"].contains(&word);
    word == ORDER || is_mask || leads(said, at) && !(at > 0 && leads(said, at - 1))
}

/// "To", unless it is written as the beginning of a name: "An der Alster 12".
fn leads(said: &Said, at: usize) -> bool {
    let one = |hit: std::ops::Range<usize>| hit == (at..at + 1);
    said.about(Concept::To).any(one) && !said.typed(&[at]).starts_with(char::is_uppercase)
}

/// A word that no address begins with. "Am" may begin one, and "It is" does not.
fn is_small(said: &Said, at: usize) -> bool {
    let light = |at: usize| {
        let small = [Concept::Light, Concept::To, Concept::Postcode];
        small.into_iter().any(|concept| said.about(concept).any(|hit| hit.contains(&at)))
    };
    let is_lower = |at: usize| !said.typed(&[at]).starts_with(char::is_uppercase);
    light(at) && (is_lower(at) || light(at + 1) && is_lower(at + 1))
}

/// Both in one, the street first.
pub fn joined(known: Option<(&str, Parts)>, new: (&str, Parts)) -> String {
    match known {
        Some((known, parts)) if !parts.is_whole() && parts.is_some() && !parts.shares(new.1) => {
            let (first, second) = if new.1.street { (new.0, known) } else { (known, new.0) };
            format!("{first}, {second}")
        }
        _ => new.0.to_owned(),
    }
}

/// What a text without placeholders has of an address.
pub fn parts(text: &str) -> Parts {
    let text: String = text.chars().map(plain).collect();
    let text = without_postcode_words(&text);
    if text.chars().filter(|c| is_without_spaces(*c)).count() >= CHARACTERS {
        return without_spaces(&text);
    }
    let segments: Vec<Vec<&str>> = text
        .split([',', ';', '\n', '،'])
        .map(|segment| segment.split_whitespace().collect())
        .filter(|words: &Vec<&str>| !words.is_empty())
        .collect();
    let is_word =
        |word: &&&str| word.chars().filter(|c| c.is_alphabetic()).count() > 1 && !has_digit(word);
    let words = |words: &[&str]| words.iter().filter(is_word).count();
    let code = segments.iter().enumerate().rev().find_map(|(at, segment)| {
        (0..segment.len()).rev().find_map(|first| {
            let length = code_length(&segment[first..])?;
            Some((at, first, first + length))
        })
    });
    let in_code = |at: usize, word: usize| {
        code.is_some_and(|(segment, from, to)| segment == at && (from..to).contains(&word))
    };
    let house = segments.iter().enumerate().find_map(|(at, segment)| {
        let number =
            (0..segment.len()).find(|word| has_digit(segment[*word]) && !in_code(at, *word))?;
        Some((at, number))
    });
    let street = house.is_some_and(|(at, number)| {
        let own = match code {
            Some((segment, from, _)) if segment == at && from > number => &segments[at][..from],
            _ => &segments[at][..],
        };
        words(own) > 0
    });
    let town = match (code, house) {
        (Some((at, from, to)), house) => {
            let before = &segments[at][..from];
            let shared = house.filter(|(own, _)| *own == at).map(|(_, number)| number);
            words(&segments[at][to..]) > 0
                || match shared {
                    // "12 Mill Lane Bristol BS1 4DJ", "Lindenweg 4 Berlin 10115"
                    Some(number) => {
                        let between = words(before.get(number + 1..).unwrap_or_default());
                        let ahead = words(&before[..number.min(before.len())]);
                        between >= if ahead > 0 { 1 } else { 3 }
                    }
                    None => words(before) > 0,
                }
                || segments.iter().enumerate().any(|(other, segment)| {
                    other != at && house.is_none_or(|(own, _)| own != other) && words(segment) > 0
                })
        }
        (None, Some((at, number))) => {
            let behind =
                words(&segments[at][number + 1..]) > 0 && words(&segments[at][..number]) > 0;
            behind || segments.iter().enumerate().any(|(other, s)| other != at && words(s) > 0)
        }
        (None, None) => {
            segments.len() == 1 && (1..=3).contains(&segments[0].len()) && words(&segments[0]) > 0
        }
    };
    Parts { street, postcode: code.is_some(), town }
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
}

/// How many of the first words are a postcode: "80331", "D-80331", "31-147", "1015 CX", "SW1A 1AA".
fn code_length(words: &[&str]) -> Option<usize> {
    let word = words.first()?.trim_matches(|c: char| !c.is_alphanumeric());
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let next = words.get(1).map(|next| next.trim_matches(|c: char| !c.is_alphanumeric()));
    let inward = |part: &str| matches!(part.as_bytes(), [d, a, b] if d.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
    let british = word.is_ascii()
        && (2..=4).contains(&word.len())
        && digits > 0
        && word.starts_with(|c: char| c.is_ascii_alphabetic());
    if british && next.is_some_and(inward) {
        return Some(2);
    }
    if word.is_ascii() && (5..=7).contains(&word.len()) && british_in_one(word) {
        return Some(1);
    }
    let dutch =
        next.is_some_and(|next| next.len() == 2 && next.bytes().all(|b| b.is_ascii_uppercase()));
    match (digits, letters) {
        (4, 0) if dutch => Some(2),
        (4, 2) if word.len() == 6 => Some(1),
        (digits, letters) if DIGITS.contains(&digits) && letters <= 2 && letters_lead(word) => {
            Some(1)
        }
        _ => None,
    }
}

fn british_in_one(word: &str) -> bool {
    let (out, inward) = word.split_at(word.len() - 3);
    out.starts_with(|c: char| c.is_ascii_alphabetic())
        && has_digit(out)
        && matches!(inward.as_bytes(), [d, a, b] if d.is_ascii_digit() && a.is_ascii_alphabetic() && b.is_ascii_alphabetic())
}

/// The letters of a country stand before the digits.
fn letters_lead(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_alphabetic() || c == '-');
    digits.chars().all(|c| c.is_ascii_digit() || c == '-')
}

fn is_without_spaces(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// "東京都渋谷区神宮前1-2-3 150-0001": the number of the house may have dashes, too.
fn without_spaces(text: &str) -> Parts {
    let runs = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    let runs: Vec<&str> = runs.filter(|run| has_digit(run)).collect();
    let is_code = |run: &&&str| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let japanese = run.len() == 8 && run.as_bytes().get(3) == Some(&b'-');
        japanese || (5..=7).contains(&digits) && !run.contains('-')
    };
    let codes = runs.iter().filter(is_code).count();
    Parts { street: runs.len() > codes, postcode: codes > 0, town: true }
}

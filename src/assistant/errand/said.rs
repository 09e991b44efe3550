//! One message, read for errands: its numbers, its placeholders and what its words are about.

use std::ops::Range;

use super::{
    masks::{mask_word, placeholders, plain},
    numbers::{Candidate, Kind, ORDER_DIGITS, candidates},
    vocabulary::{Concept, concepts_of, reason},
};
use crate::{
    domain::{Language, NumberFormats},
    words::sentence::{Hit, Text},
};

/// In the place of a number of an order in the text that rules read.
pub const ORDER: &str = "ordernumber";
const PARCEL: &str = "parcelnumber";
/// So many words may stand between what a number is called and the number.
const CALLED: usize = 2;
const MOST: usize = 3;

/// A number that may be anything.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub typed: String,
    /// As the shop would write it, if it were that of an order.
    pub number: String,
}

/// A message as rules read it.
pub struct Said {
    text: String,
    read: Text,
    hits: Vec<Hit<Concept>>,
    /// Bytes of `text`, and the placeholder that stands there.
    masks: Vec<(Range<usize>, String)>,
    pub orders: Vec<String>,
    pub parcels: Vec<String>,
    /// A number that is called a postcode.
    pub postcode: Option<String>,
    /// Numbers that are called nothing.
    pub open: Vec<Open>,
    pub reason: Option<&'static str>,
    language: Language,
}

impl Said {
    /// `other`: a bare number answers the question for something else than an order, such as a
    /// postcode.
    pub fn new(text: &str, language: Language, formats: &NumberFormats, other: bool) -> Self {
        let text: String = text.chars().map(plain).collect();
        let masks = placeholders(&text);
        let taken: Vec<Range<usize>> = masks.clone();
        let found = candidates(&text, formats, &taken);
        let mut kinds: Vec<Role> = found.iter().map(|found| Role::of(found.kind)).collect();
        let first = Self::draft(&text, &masks, &found, &kinds, language);
        for (at, candidate) in found.iter().enumerate() {
            kinds[at] = first.role(at, candidate, other);
        }
        let mut said = Self::draft(&text, &masks, &found, &kinds, language).said;
        let typed = |candidate: &Candidate| text[candidate.range.clone()].to_owned();
        for (candidate, role) in found.iter().zip(&kinds) {
            let number = candidate.number.clone();
            match role {
                Role::Order => push(&mut said.orders, number),
                Role::Parcel => push(&mut said.parcels, number),
                Role::Postcode => said.postcode = Some(typed(candidate)),
                Role::Open => said.open.push(Open { typed: typed(candidate), number }),
                Role::None => {}
            }
        }
        said
    }

    fn draft(
        text: &str,
        masks: &[Range<usize>],
        found: &[Candidate],
        roles: &[Role],
        language: Language,
    ) -> Draft {
        let mut parts: Vec<(Range<usize>, Part)> =
            masks
                .iter()
                .map(|range| (range.clone(), Part::Mask))
                .chain(found.iter().zip(roles).enumerate().map(|(at, (candidate, role))| {
                    (candidate.range.clone(), Part::Number(at, *role))
                }))
                .collect();
        parts.sort_by_key(|(range, _)| range.start);
        let (mut written, mut at) = (String::with_capacity(text.len() + 16), 0);
        let (mut kept, mut numbers) = (Vec::new(), vec![0; found.len()]);
        for (range, part) in parts {
            written.push_str(&text[at..range.start]);
            let start = written.len();
            match part {
                Part::Mask => {
                    written.push(' ');
                    written.push_str(&mask_word(&text[range.clone()]));
                    written.push(' ');
                    kept.push((start + 1..written.len() - 1, text[range.clone()].to_owned()));
                }
                Part::Number(index, role) => {
                    match role {
                        Role::Order => written.push_str(&format!(" {ORDER} ")),
                        Role::Parcel => written.push_str(&format!(" {PARCEL} ")),
                        _ => written.push_str(&text[range.clone()]),
                    }
                    numbers[index] = start;
                }
            }
            at = range.end;
        }
        written.push_str(&text[at..]);
        let read = Text::new(&written);
        let hits = concepts_of(&read, language);
        let reason = reason(&read, language);
        let said = Self {
            text: written,
            read,
            hits,
            masks: kept,
            orders: Vec::new(),
            parcels: Vec::new(),
            postcode: None,
            open: Vec::new(),
            reason,
            language,
        };
        Draft { said, numbers }
    }

    pub fn sentences(&self) -> impl Iterator<Item = Range<usize>> {
        self.read.sentences()
    }

    /// Whether the words of a sentence are about this.
    pub fn is_about(&self, sentence: usize, concept: Concept) -> bool {
        self.hits.iter().any(|hit| hit.sentence == sentence && hit.tag == concept)
    }

    /// Whether words of a sentence are about this that are no part of words about `other`: "how" in
    /// "how is my order doing" asks for no rule.
    pub fn is_about_beyond(&self, sentence: usize, concept: Concept, other: Concept) -> bool {
        let within = |hit: &Hit<Concept>| {
            self.hits.iter().any(|by| by.tag == other && by.start <= hit.start && hit.end <= by.end)
        };
        let mut hits =
            self.hits.iter().filter(|hit| hit.sentence == sentence && hit.tag == concept);
        hits.any(|hit| !within(hit))
    }

    pub fn says(&self, concept: Concept) -> bool {
        self.hits.iter().any(|hit| hit.tag == concept)
    }

    /// The words that are about this.
    pub fn about(&self, concept: Concept) -> impl Iterator<Item = Range<usize>> {
        self.hits.iter().filter(move |hit| hit.tag == concept).map(|hit| hit.start..hit.end)
    }

    pub fn len(&self) -> usize {
        self.read.word_count()
    }

    pub fn word(&self, at: usize) -> &str {
        self.read.word(at)
    }

    /// Words that are not about any of these.
    pub fn others(&self, concepts: &[Concept]) -> Vec<usize> {
        let covered = |word: &usize| {
            self.hits
                .iter()
                .any(|hit| concepts.contains(&hit.tag) && (hit.start..hit.end).contains(word))
        };
        (0..self.len()).filter(|word| !covered(word)).collect()
    }

    /// Words as they were typed, with their placeholders.
    pub fn typed(&self, words: &[usize]) -> String {
        let mut typed = String::new();
        let mut end = None;
        for word in words {
            let origin = self.read.origin(*word);
            if end.is_some_and(|end: usize| end != origin.start) {
                typed.push(' ');
            }
            let mask = self.masks.iter().find(|(range, _)| range.start == origin.start);
            typed.push_str(mask.map_or(&self.text[origin.clone()], |(_, mask)| mask));
            end = Some(origin.end);
        }
        typed
    }

    /// Everything from one word to another, as it was typed.
    pub fn span(&self, words: Range<usize>) -> String {
        let start = self.read.origin(words.start).start;
        let end = self.read.origin(words.end.saturating_sub(1)).end;
        let mut text = String::new();
        let mut at = start;
        for (range, mask) in
            self.masks.iter().filter(|(range, _)| (start..end).contains(&range.start))
        {
            text.push_str(self.text.get(at..range.start).unwrap_or_default());
            text.push_str(mask);
            at = range.end;
        }
        text.push_str(self.text.get(at..end.max(at)).unwrap_or_default());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether a word is written as a name. German writes all its nouns so.
    pub fn is_named(&self, at: usize) -> bool {
        self.language != Language::De
            && self.typed(&[at]).starts_with(|c: char| c.is_ascii_uppercase())
    }

    /// Whether a comma stands between two words.
    pub fn is_parted(&self, first: usize, second: usize) -> bool {
        let (start, end) = (self.read.origin(first).end, self.read.origin(second).start);
        let between = self.text.get(start..end.max(start)).unwrap_or_default();
        between.contains([',', ';', '，', '、', '،', '.', '。'])
    }

    /// Whether no sentence ends between two words.
    pub fn is_one_sentence(&self, first: usize, second: usize) -> bool {
        self.sentences().any(|words| words.contains(&first) && words.contains(&second))
    }

    /// The placeholders of a kind, such as `EMAIL`.
    pub fn masks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a str> {
        let fits = move |mask: &&str| {
            mask[1..].starts_with(kind) && mask[1 + kind.len()..].starts_with('_')
        };
        self.masks.iter().map(|(_, mask)| mask.as_str()).filter(fits)
    }
}

/// The orders that a message names.
pub fn orders_in(text: &str, language: Language, formats: &NumberFormats) -> Vec<String> {
    Said::new(text, language, formats, false).orders
}

/// What a number is in a message.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Order,
    Parcel,
    Postcode,
    Open,
    None,
}

impl Role {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Order => Self::Order,
            Kind::Parcel => Self::Parcel,
            Kind::LikeOrder | Kind::Open => Self::Open,
        }
    }
}

enum Part {
    Mask,
    Number(usize, Role),
}

/// A reading in which numbers are not yet what they are called.
struct Draft {
    said: Said,
    /// Where each number begins in the text.
    numbers: Vec<usize>,
}

impl Draft {
    fn role(&self, index: usize, candidate: &Candidate, other: bool) -> Role {
        let said = &self.said;
        let start = self.numbers[index];
        let word = (0..said.len()).find(|word| said.read.origin(*word).end > start);
        let Some(word) = word else { return Role::None };
        let concepts =
            [Concept::Called, Concept::Parcel, Concept::Postcode, Concept::Size, Concept::Under];
        let before = said
            .hits
            .iter()
            .filter(|hit| {
                concepts.contains(&hit.tag) && hit.end <= word && word - hit.end <= CALLED
            })
            .max_by_key(|hit| (hit.end, hit.end - hit.start));
        let digits = candidate.number.bytes().filter(u8::is_ascii_digit).count();
        let called = before.map(|hit| (hit.tag, hit.end == word));
        match (candidate.kind, called) {
            (Kind::Order, _) => Role::Order,
            (_, Some((Concept::Postcode, _))) => Role::Postcode,
            (Kind::Parcel, Some((Concept::Called, _))) => Role::Order,
            (Kind::Parcel, _) | (_, Some((Concept::Parcel, _))) if digits > 6 => Role::Parcel,
            (_, Some((Concept::Size | Concept::Under, true))) => Role::None,
            // "I meant 8020", where a postcode is awaited.
            (Kind::Open, Some((Concept::Called, _))) if other && digits < ORDER_DIGITS => {
                Role::Open
            }
            (_, Some((Concept::Called, _))) if digits >= 3 => Role::Order,
            (Kind::LikeOrder, _) if self.may_be_order() && !other => Role::Order,
            (_, _) if said.len() == 1 && digits >= 4 && !other => Role::Order,
            _ => Role::Open,
        }
    }

    /// Nothing in the message says that a number belongs to something else.
    fn may_be_order(&self) -> bool {
        let others = [
            Concept::Stores,
            Concept::Search,
            Concept::Address,
            Concept::Goods,
            Concept::Other,
            Concept::Postcode,
        ];
        !self.said.text.contains(ORDER) && !others.iter().any(|other| self.said.says(*other))
    }
}

fn push(list: &mut Vec<String>, value: String) {
    if list.len() < MOST && !list.contains(&value) {
        list.push(value);
    }
}

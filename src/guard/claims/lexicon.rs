//! What the word lists of claims say of a word, in one look-up.

use std::{collections::HashMap, sync::LazyLock};

use crate::words::{self, Claims, Language, Patterns, Phrases, Search};

/// What a word may be. One word of one language may be several things in others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    pub(super) const YES: Self = Self(1);
    pub(super) const NO: Self = Self(1 << 1);
    /// Denies a statement.
    pub(super) const NEGATION: Self = Self(1 << 2);
    /// "only"
    pub(super) const ONLY: Self = Self(1 << 3);
    /// Says nothing of a shop.
    pub(super) const LIGHT: Self = Self(1 << 4);
    /// A day, a month, "tomorrow".
    pub(super) const CALENDAR: Self = Self(1 << 5);
    /// "is", "has", "will": what happened to something.
    pub(super) const STATE: Self = Self(1 << 6);
    /// "if", "once": what follows need not be so.
    pub(super) const CONDITION: Self = Self(1 << 7);
    /// "can", "may".
    pub(super) const MODAL: Self = Self(1 << 8);
    /// "in", before a place.
    pub(super) const TOWARDS: Self = Self(1 << 9);
    /// A country or a town with names in several languages.
    pub(super) const PLACE: Self = Self(1 << 10);
    /// Begins another statement: "but", "while".
    pub(super) const BREAK: Self = Self(1 << 11);
    /// "per", before what a price is for.
    pub(super) const RATE: Self = Self(1 << 12);

    /// "and"
    pub(super) const JOIN: Self = Self(1 << 13);
    /// "all", "always": nothing is left out.
    pub(super) const UNIVERSAL: Self = Self(1 << 14);

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a phrase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    /// Says that the assistant acts: "I will".
    Pledges,
    /// Says that the assistant could act: "I can".
    Offers,
    /// Says that the shop acts: "we will".
    Joins,
    /// Says that something was done: "has been".
    Done,
    /// Names what belongs to the shopper: "your parcel".
    Owns,
    /// Says whether goods can be had: "in stock".
    Stocks,
    /// Says that something is not known.
    Doubts,
    /// Is polite and says nothing.
    Talks,
    /// Says who speaks: "I am a".
    Introduces,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) marks: Marks,
    /// The word that it stands for.
    pub(super) same: Option<&'static str>,
    /// The unit that it is.
    pub(super) unit: Option<&'static str>,
    /// The number that it is.
    pub(super) number: Option<u32>,
    /// The language of which it is a frequent word, if of one only.
    pub(super) language: Option<u8>,
}

struct Lexicon {
    entries: HashMap<&'static str, Entry>,
    /// By first word: the words, and what they do.
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Does)>>,
    /// What only a tool or a person can do.
    deeds: Patterns,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

pub(super) fn entry(word: &str) -> Entry {
    LEXICON.entries.get(word).copied().unwrap_or_default()
}

pub(super) fn is_deed(word: &str) -> bool {
    LEXICON.deeds.matches(word)
}

/// What the phrases that start at `words[at]` do, and how many words they have.
pub(super) fn phrases(words: &[&str], at: usize) -> impl Iterator<Item = (usize, Does)> {
    let starting = words.get(at).and_then(|first| LEXICON.phrases.get(*first));
    starting.into_iter().flatten().filter_map(move |(phrase, does)| {
        let said = words.get(at..at + phrase.len())?;
        let fits = said.iter().zip(phrase).all(|(word, meant)| match meant.strip_suffix('*') {
            Some(start) => word.starts_with(start),
            None => word == meant,
        });
        fits.then_some((phrase.len(), *does))
    })
}

impl Lexicon {
    fn read() -> Self {
        let lists: Claims = words::all();
        let mut entries: HashMap<&'static str, Entry> = HashMap::new();
        let mut mark = |words: &mut dyn Iterator<Item = &'static str>, marks: Marks| {
            for word in words {
                let entry = entries.entry(word).or_default();
                entry.marks = entry.marks.and(marks);
            }
        };
        let search: Search = words::all();
        mark(&mut search.stop_words.iter().copied(), Marks::LIGHT);
        for (list, marks) in [
            (lists.yes, Marks::YES.and(Marks::LIGHT)),
            (lists.no, Marks::NO.and(Marks::LIGHT)),
            (lists.negations, Marks::NEGATION.and(Marks::LIGHT)),
            (lists.only, Marks::ONLY.and(Marks::LIGHT)),
            (lists.light, Marks::LIGHT),
            (lists.states, Marks::STATE.and(Marks::LIGHT)),
            (lists.conditions, Marks::CONDITION.and(Marks::LIGHT)),
            (lists.modals, Marks::MODAL),
            (lists.towards, Marks::TOWARDS.and(Marks::LIGHT)),
            (lists.rates, Marks::RATE.and(Marks::LIGHT)),
            (lists.breaks, Marks::BREAK.and(Marks::LIGHT)),
            (lists.joins, Marks::JOIN.and(Marks::LIGHT)),
            (lists.universal, Marks::UNIVERSAL.and(Marks::LIGHT)),
        ] {
            mark(&mut list.into_iter(), marks);
        }
        mark(&mut lists.calendar.iter().map(|(said, _)| *said), Marks::CALENDAR);
        mark(&mut lists.places.iter().map(|(said, _)| *said), Marks::PLACE);
        for (said, meant) in lists.calendar.into_iter().chain(lists.places).chain(lists.same) {
            entries.entry(said).or_default().same = Some(meant);
        }
        for (said, meant) in lists.units {
            entries.entry(said).or_default().unit = Some(meant);
        }
        for (said, value) in lists.numbers {
            entries.entry(said).or_default().number = value.parse().ok();
        }
        for (index, language) in numbered() {
            for word in words::of::<Language>(language).words.lines() {
                let entry = entries.entry(word).or_default();
                // A word of two languages tells nothing.
                entry.language = match entry.language {
                    None => Some(index),
                    Some(_) => Some(SHARED),
                };
            }
        }
        let mut phrases: HashMap<&'static str, Vec<(Vec<&'static str>, Does)>> = HashMap::new();
        let mut add = |list: Phrases, does: Does| {
            for phrase in list.lines() {
                let words: Vec<&str> = phrase.split(' ').collect();
                phrases.entry(words[0]).or_default().push((words, does));
            }
        };
        add(lists.pledges, Does::Pledges);
        add(lists.able, Does::Offers);
        add(lists.joint, Does::Joins);
        add(lists.done, Does::Done);
        add(lists.own, Does::Owns);
        add(lists.stock, Does::Stocks);
        add(lists.unsure, Does::Doubts);
        add(lists.talk, Does::Talks);
        add(lists.introductions, Does::Introduces);
        Self { entries, phrases, deeds: lists.deeds }
    }
}

fn numbered() -> impl Iterator<Item = (u8, &'static str)> {
    (0..SHARED).zip(words::languages::<Language>())
}

/// The code of a language by its number.
pub(super) fn language(number: u8) -> Option<&'static str> {
    numbered().find(|(index, _)| *index == number).map(|(_, code)| code)
}

/// In the place of the number of a language.
pub(super) const SHARED: u8 = u8::MAX;

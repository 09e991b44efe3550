//! What kind of answer a question wants, and whether a sentence is of that kind.

use super::{lists::Lists, said::Said};

/// What is weighed or poured has an amount, too.
const UNITS: [&str; 7] = ["g", "kg", "mg", "ml", "l", "litre", "litres"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    HowLong,
    HowMuch,
    Price,
    HowMany,
    Where,
    When,
    /// Something went wrong.
    WhatNow,
    Whether,
    How,
    Why,
    Other,
}

impl Kind {
    /// By the first words that tell. A span of time is asked for wherever the question says so.
    pub fn of(said: &Said, lists: &Lists) -> Self {
        let how = said.first(&lists.how);
        if how != Some(0) && said.has(&lists.how_long) {
            return Self::HowLong;
        }
        let signs = [
            (Self::HowMuch, said.first(&lists.how_much)),
            (Self::HowMany, said.first(&lists.how_many)),
            (Self::When, said.first(&lists.when)),
            (Self::Where, said.first(&lists.place)),
            (Self::How, how),
            (Self::Why, said.first(&lists.why)),
            (Self::WhatNow, said.first(&lists.what_now)),
            (Self::Whether, said.first(&lists.whether)),
        ];
        let first = signs.into_iter().filter_map(|(kind, at)| Some((kind, at?)));
        let kind = first.min_by_key(|(_, at)| *at).map_or(Self::Other, |(kind, _)| kind);
        if kind == Self::HowMuch && said.has(&lists.price) { Self::Price } else { kind }
    }

    /// Whether an answer of this kind shows: "how long" wants a span of time. `None` if every
    /// sentence may be one.
    pub fn shows(self, sentence: &str, said: &Said, lists: &Lists) -> Option<bool> {
        let words = said.words();
        let has_any = |wanted: &dyn Fn(&str) -> bool| words.iter().any(|word| wanted(word));
        let has_digit = || sentence.contains(|c: char| c.is_ascii_digit());
        Some(match self {
            Self::HowLong => {
                counts(words, lists, &|word| lists.durations.contains(word))
                    || has_any(&|word| lists.months.contains_key(word)) && has_digit()
            }
            Self::HowMuch | Self::Price => {
                has_digit()
                    && has_any(&|word| {
                        lists.money.contains(word) || self == Self::HowMuch && UNITS.contains(&word)
                    })
                    || sentence.contains(['€', '$', '£', '%'])
                    || said.has(&lists.free)
            }
            Self::HowMany => has_digit() || has_any(&|word| lists.numbers.contains(word)),
            Self::When => {
                has_any(&|word| {
                    lists.times.contains(word)
                        || lists.months.contains_key(word)
                        || lists.durations.contains(word)
                }) || sentence.contains(':') && has_digit()
            }
            Self::Where | Self::WhatNow | Self::Whether | Self::How | Self::Why | Self::Other => {
                return None;
            }
        })
    }
}

/// Whether a number stands up to two words before such a word.
fn counts(words: &[String], lists: &Lists, unit: &dyn Fn(&str) -> bool) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let before = &words[at.saturating_sub(3)..at];
        let is_number = |word: &String| {
            word.starts_with(|c: char| c.is_ascii_digit()) || lists.numbers.contains(word.as_str())
        };
        unit(word) && before.iter().any(is_number)
    })
}

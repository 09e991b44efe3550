//! The words of questions by language.

use std::{collections::HashMap, sync::LazyLock};

use crate::words::{Asking, Denial, Phrases, Search, Words, languages, of};

/// Asks for weights, too.
const ANY_AMOUNT: [&str; 4] = ["how much", "wie viel", "wieviel", "combien"];

/// What a language has no list for is read as English.
const FALLBACK: &str = "en";

/// Phrases have a space on each side.
pub struct Lists {
    pub how_long: Vec<String>,
    pub how_much: Vec<String>,
    /// Of how_much, what is said of money only.
    pub price: Vec<String>,
    pub how_many: Vec<String>,
    pub place: Vec<String>,
    pub when: Vec<String>,
    pub what_now: Vec<String>,
    pub whether: Vec<String>,
    pub how: Vec<String>,
    pub why: Vec<String>,
    pub stores: Vec<String>,
    pub durations: Words,
    pub times: Words,
    pub months: HashMap<&'static str, i8>,
    pub until: Words,
    pub money: Words,
    pub free: Vec<String>,
    pub numbers: Words,
    pub links: Vec<String>,
    pub corrections: Vec<String>,
    pub pronouns: Words,
    pub prepositions: Words,
    pub joints: Vec<String>,
    pub openers: Vec<String>,
    pub meant: Vec<(String, &'static str)>,
    /// Phrases that say what kind of answer is wanted, and nothing about the subject.
    pub kinds: Vec<String>,
    pub denials: Words,
    pub stop_words: Words,
}

static LISTS: LazyLock<HashMap<&'static str, Lists>> =
    LazyLock::new(|| languages::<Asking>().map(|code| (code, Lists::read(code))).collect());

/// The lists of a language: `de`, `de-AT`.
pub fn lists(locale: &str) -> &'static Lists {
    let code = locale.split(['-', '_']).next().unwrap_or(FALLBACK);
    LISTS.get(code).unwrap_or_else(|| &LISTS[FALLBACK])
}

impl Lists {
    fn read(code: &str) -> Self {
        let asking: Asking = of(code);
        let openers = spaced(asking.openers);
        let (how_long, how_much) = (spaced(asking.how_long), spaced(asking.how_much));
        let price = how_much.iter().filter(|phrase| !ANY_AMOUNT.contains(&phrase.trim()));
        let price: Vec<String> = price.cloned().collect();
        let (how_many, place) = (spaced(asking.how_many), spaced(asking.place));
        let when = spaced(asking.when);
        let opens = |phrase: &&String| {
            phrase.trim().contains(' ') && openers.iter().any(|o| phrase.starts_with(o.as_str()))
        };
        let all = how_long.iter().chain(&how_much).chain(&place).chain(&when);
        let mut kinds: Vec<String> = all.filter(opens).chain(&how_many).cloned().collect();
        kinds.sort_by_key(|phrase| usize::MAX - phrase.len());
        let month = |(name, number): (&'static str, &str)| Some((name, number.parse().ok()?));
        Self {
            how_long,
            how_much,
            price,
            how_many,
            place,
            when,
            what_now: spaced(asking.what_now),
            whether: spaced(asking.whether),
            how: spaced(asking.how),
            why: spaced(asking.why),
            stores: spaced(asking.stores),
            durations: asking.durations,
            times: asking.times,
            months: asking.months.into_iter().filter_map(month).collect(),
            until: asking.until,
            money: asking.money,
            free: spaced(asking.free),
            numbers: asking.numbers,
            links: spaced(asking.links),
            corrections: spaced(asking.corrections),
            pronouns: asking.pronouns,
            prepositions: asking.prepositions,
            joints: spaced(asking.joints),
            openers,
            meant: asking
                .meant
                .into_iter()
                .map(|(said, meant)| (format!(" {said} "), meant))
                .collect(),
            kinds,
            denials: of::<Denial>(code).words,
            stop_words: of::<Search>(code).stop_words,
        }
    }
}

fn spaced(phrases: Phrases) -> Vec<String> {
    phrases.lines().map(|phrase| format!(" {phrase} ")).collect()
}

//! The word lists and sentences of errands, by language.

use std::sync::LazyLock;

use crate::{
    domain::Language,
    words::{
        self, Errands,
        sentence::{Hit, Sequences, Text},
    },
};

/// What words of a message are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concept {
    Own,
    Status,
    List,
    Cancel,
    Address,
    GiveBack,
    General,
    Negated,
    Other,
    Search,
    Goods,
    Light,
    Size,
    Under,
    Stores,
    Near,
    NearBehind,
    Called,
    Parcel,
    Postcode,
    It,
    All,
    Lost,
}

type Lists = (Sequences<Concept>, Sequences<&'static str>);

static LISTS: LazyLock<[Lists; Language::ALL.len()]> = LazyLock::new(|| {
    Language::ALL.map(|language| {
        // Shoppers use English words in all languages.
        let codes = [language, Language::En];
        let codes = &codes[..if language == Language::En { 1 } else { 2 }];
        let read = || codes.iter().map(|language| words::of::<Errands>(language.code()));
        (read().flat_map(concepts).collect(), read().flat_map(|lists| lists.reasons).collect())
    })
});

static SENTENCES: LazyLock<[Errands; Language::ALL.len()]> =
    LazyLock::new(|| Language::ALL.map(|language| words::of(language.code())));

static MONTHS: LazyLock<[Vec<&'static str>; Language::ALL.len()]> = LazyLock::new(|| {
    Language::ALL.map(|language| words::of::<Errands>(language.code()).months.lines().collect())
});

fn concepts(lists: Errands) -> Vec<(&'static str, Concept)> {
    let lists = [
        (lists.own, Concept::Own),
        (lists.status, Concept::Status),
        (lists.list, Concept::List),
        (lists.cancel, Concept::Cancel),
        (lists.address, Concept::Address),
        (lists.give_back, Concept::GiveBack),
        (lists.general, Concept::General),
        (lists.negated, Concept::Negated),
        (lists.other, Concept::Other),
        (lists.search, Concept::Search),
        (lists.goods, Concept::Goods),
        (lists.light, Concept::Light),
        (lists.sizes, Concept::Size),
        (lists.under, Concept::Under),
        (lists.stores, Concept::Stores),
        (lists.near, Concept::Near),
        (lists.near_behind, Concept::NearBehind),
        (lists.called, Concept::Called),
        (lists.parcel, Concept::Parcel),
        (lists.postcode, Concept::Postcode),
        (lists.it, Concept::It),
        (lists.all, Concept::All),
        (lists.lost, Concept::Lost),
    ];
    lists.into_iter().flat_map(|(list, concept)| list.lines().map(move |l| (l, concept))).collect()
}

/// Where which words stand in a text.
pub fn concepts_of(text: &Text, language: Language) -> Vec<Hit<Concept>> {
    LISTS[language as usize].0.find(text)
}

/// Why something goes back, as the shop calls it.
pub fn reason(text: &Text, language: Language) -> Option<&'static str> {
    LISTS[language as usize].1.find(text).first().map(|hit| hit.tag)
}

/// What the service says about errands.
pub fn sentences(language: Language) -> &'static Errands {
    &SENTENCES[language as usize]
}

/// The names of the months, as in a date.
pub fn months(language: Language) -> &'static [&'static str] {
    &MONTHS[language as usize]
}

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
    Held,
    Other,
    Search,
    Goods,
    Light,
    Size,
    Under,
    UnderBehind,
    Stores,
    Near,
    NearBehind,
    Called,
    Parcel,
    Postcode,
    It,
    All,
    Lost,
    Except,
    ExceptBehind,
    But,
    Only,
    Missing,
    MoreProduct,
    MoreStore,
    To,
    Instead,
    InPlaceOf,
}

type Lists = (Sequences<Concept>, Sequences<&'static str>);

static LISTS: LazyLock<[Lists; Language::ALL.len()]> = LazyLock::new(|| {
    Language::ALL.map(|language| {
        // Shoppers use English words in all languages.
        let codes = [language, Language::En];
        let codes = &codes[..if language == Language::En { 1 } else { 2 }];
        let read = || codes.iter().map(|language| words::of::<Errands>(language.code()));
        // What a postcode is called says what it is in any language: "plz 80331" has no other word.
        let postcodes = Language::ALL.into_iter().flat_map(|language| {
            let lists = words::of::<Errands>(language.code()).postcode;
            lists.lines().map(|line| (line, Concept::Postcode)).collect::<Vec<_>>()
        });
        let concepts = read().flat_map(concepts);
        let concepts = concepts.filter(|(_, concept)| *concept != Concept::Postcode);
        (concepts.chain(postcodes).collect(), read().flat_map(|lists| lists.reasons).collect())
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
        (lists.held, Concept::Held),
        (lists.other, Concept::Other),
        (lists.search, Concept::Search),
        (lists.goods, Concept::Goods),
        (lists.light, Concept::Light),
        (lists.sizes, Concept::Size),
        (lists.under, Concept::Under),
        (lists.under_behind, Concept::UnderBehind),
        (lists.stores, Concept::Stores),
        (lists.near, Concept::Near),
        (lists.near_behind, Concept::NearBehind),
        (lists.called, Concept::Called),
        (lists.parcel, Concept::Parcel),
        (lists.postcode, Concept::Postcode),
        (lists.it, Concept::It),
        (lists.all, Concept::All),
        (lists.lost, Concept::Lost),
        (lists.except, Concept::Except),
        (lists.except_behind, Concept::ExceptBehind),
        (lists.but, Concept::But),
        (lists.only, Concept::Only),
        (lists.missing, Concept::Missing),
        (lists.more_product, Concept::MoreProduct),
        (lists.more_store, Concept::MoreStore),
        (lists.to, Concept::To),
        (lists.instead, Concept::Instead),
        (lists.in_place_of, Concept::InPlaceOf),
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

/// Whether a text that looks like a name or an address is none: it begins with a word of every day,
/// or has more of them than others. "Welche Zelte", "van Kiel", "PLZ: 18055".
pub fn is_common(text: &str, language: Language) -> bool {
    let text = Text::new(text);
    let hits = concepts_of(&text, language);
    let is_known = |at: usize| hits.iter().any(|hit| (hit.start..hit.end).contains(&at));
    let known = (0..text.word_count()).filter(|at| is_known(*at)).count();
    hits.iter().any(|hit| hit.start == 0) || known * 2 > text.word_count()
}

/// A text without what a postcode is called, in any language: "PLZ 6020" has no town.
pub fn without_postcode_words(text: &str) -> String {
    let read = Text::new(text);
    let mut left = text.to_owned();
    let hits = concepts_of(&read, Language::En);
    for hit in hits.iter().rev().filter(|hit| hit.tag == Concept::Postcode) {
        let (start, end) = (read.origin(hit.start).start, read.origin(hit.end - 1).end);
        if left.get(start..end) == text.get(start..end) {
            left.replace_range(start..end, " ");
        }
    }
    left
}

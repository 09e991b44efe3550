//! The cities in which the shop has stores, as its pages list them.

use super::quote::Question;
use crate::knowledge::{
    asking::{
        kind::Kind,
        lists::lists,
        places::{Named, Place},
        said::Said,
    },
    chunk::PATH,
    search::Passage,
};

/// Least cities that make a list.
const LEAST: usize = 2;

pub struct Stores<'a> {
    /// As they are written.
    pub cities: Vec<String>,
    /// The passages that name them.
    pub passages: Vec<&'a Passage>,
}

/// The document that lists most cities as headings or behind a word for a store.
pub fn listed<'a>(question: &Question<'_>, passages: &[&'a Passage]) -> Option<Stores<'a>> {
    let mut documents: Vec<&str> = passages.iter().map(|p| p.document_id.as_str()).collect();
    documents.sort_unstable();
    documents.dedup();
    let of = |id: &str| {
        let mut own: Vec<&'a Passage> =
            passages.iter().copied().filter(|p| p.document_id == id).collect();
        own.sort_by_key(|passage| passage.ordinal);
        let mut stores = Stores { cities: Vec::new(), passages: Vec::new() };
        for passage in own {
            if let Some(city) = city(question, passage)
                && !stores.cities.contains(&city)
            {
                stores.cities.push(city);
                stores.passages.push(passage);
            }
        }
        stores
    };
    let best = documents.into_iter().map(of).max_by_key(|stores| stores.cities.len())?;
    (best.cities.len() >= LEAST).then_some(best)
}

/// The city of a passage about one store: its heading is the city's name, or ends with it, and its
/// text names a store there.
fn city(question: &Question<'_>, passage: &Passage) -> Option<String> {
    let heading = passage.heading.rsplit(PATH).next().unwrap_or("");
    let said = Said::new(heading);
    let named = question.named(heading);
    let city = named.cities().last()?;
    let rest = said.words().len() - (city.to - city.from);
    let about_store =
        Said::new(&passage.text).has(&question.lists.stores) || said.has(&question.lists.stores);
    (about_store && rest <= LEAST).then(|| shown(heading, city.from, city.to))
}

/// The words of a heading from one to another, as they are written.
fn shown(text: &str, from: usize, to: usize) -> String {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-'));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.get(from..to).map_or_else(|| text.to_owned(), |words| words.join(" "))
}

/// What a question wants to know about stores.
pub enum Asked {
    /// Where they are.
    All,
    At(Place),
}

/// "a store in Berlin", "the Berlin store"; "where are your stores?".
pub fn asked(text: &str, question: &Question<'_>, language: &str) -> Option<Asked> {
    let (said, lists) = (Said::new(text), lists(language));
    if !said.has(&lists.stores) {
        return None;
    }
    let words = said.words();
    let is_store = |word: &str| lists.stores.iter().any(|store| store.trim() == word);
    let is_light = |word: &str| lists.stop_words.contains(word);
    let at = Named::read(&said, language).places.into_iter().find(|mention| {
        let behind = words.get(mention.to).is_some_and(|word| is_store(word));
        let before = words[..mention.from].iter().rev().skip_while(|word| is_light(word));
        let led = mention.from > 0 && lists.prepositions.contains(words[mention.from - 1].as_str());
        behind || led && before.clone().next().is_some_and(|word| is_store(word))
    });
    if let Some(mention) = at {
        return Some(Asked::At(mention.place));
    }
    let about_else = said.without(&[&lists.stores, &lists.place]);
    let only_stores = about_else.words().iter().all(|word| is_light(word));
    (question.kind == Kind::Where && question.places.is_empty() && only_stores)
        .then_some(Asked::All)
}

/// A place of the question as the shopper reads it.
pub fn name(question: &str, place: Place, locale: &str) -> String {
    let said = Said::new(question);
    let named = Named::read(&said, locale);
    let mention = named.places.iter().find(|mention| mention.place == place);
    let words = mention.map_or(&[][..], |mention| &said.words()[mention.from..mention.to]);
    let capital = |word: &String| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    let shown = words.iter().map(capital).collect::<Vec<_>>().join(" ");
    if shown.chars().count() <= 3 { shown.to_uppercase() } else { shown }
}

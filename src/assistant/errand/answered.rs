//! What an earlier answer of the service asked for, read in its own sentences.

use super::{call::Wanted, vocabulary::sentences};
use crate::{domain::Language, words::Errands};

/// What one of our own sentences in an answer asks for, in any language.
pub fn asked_in(answer: &str) -> Option<Wanted> {
    let asks = |language: Language| {
        let said: &Errands = sentences(language);
        let all = [
            (said.give_up, Wanted::Person),
            (said.ask_both, Wanted::OrderAndProof),
            (said.ask_order, Wanted::Order),
            (said.ask_proof, Wanted::Proof),
            (said.ask_address, Wanted::Address),
            (said.ask_rest, Wanted::Address),
            (said.only_whole, Wanted::Whole),
            (said.ask_product, Wanted::Product),
            (said.ask_place, Wanted::Place),
            (said.which_items, Wanted::Items),
            (said.this_item, Wanted::Items),
        ];
        all.into_iter().find_map(|(text, wanted)| {
            text.is_some_and(|text| answer.contains(text)).then_some(wanted)
        })
    };
    Language::ALL.into_iter().find_map(asks)
}

/// Whether an answer says that nothing was found, so that other details may follow.
pub fn is_retry(answer: &str) -> bool {
    Language::ALL
        .into_iter()
        .any(|language| sentences(language).not_found.is_some_and(|text| answer.contains(text)))
}

/// The items of a list that ends with the question which of them: `- Name (SKU)`.
pub fn listed(answer: &str) -> Vec<(String, String)> {
    let item = |line: &str| {
        let line = line.strip_prefix("- ")?.strip_suffix(')')?;
        let (name, sku) = line.rsplit_once(" (")?;
        Some((name.to_owned(), sku.to_owned()))
    };
    answer.lines().filter_map(item).collect()
}

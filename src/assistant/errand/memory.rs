//! What is known of an errand over the turns of a conversation.

use super::{
    call::{Proof, Wanted},
    said::Said,
    slots::{self, Product},
    vocabulary::{Concept, sentences},
    wish::{Wish, wish},
};
use crate::{
    domain::{Intent, Language, NumberFormats, Topic},
    words::Errands,
};

/// After so many questions that brought nothing, a person has to help.
pub const TRIES: usize = 2;
/// A message with more words that has nothing new is about something else.
const SHORT: usize = 4;

/// An errand and what was said for it.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub wish: Option<Wish>,
    pub orders: Vec<String>,
    pub parcels: Vec<String>,
    pub proof: Option<Proof>,
    pub address: Option<String>,
    pub product: Product,
    pub place: Option<String>,
    pub skus: Vec<String>,
    pub reason: Option<&'static str>,
    /// Items of an order that were listed to choose from.
    listed: Vec<(String, String)>,
    /// What the last answer asked for.
    asked: Option<Wanted>,
    /// Questions in a row that brought nothing.
    pub tries: usize,
    /// The last message was not about the errand.
    aside: bool,
    /// The last answer found nothing, so that other details may follow.
    retry: bool,
}

/// What a message means for the errand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// It begins an errand or goes on with one.
    Errand,
    /// It is about something else.
    Else,
}

impl Memory {
    /// Takes in a message of the shopper.
    pub fn hear(
        &mut self,
        text: &str,
        intent: &Intent,
        language: Language,
        formats: &NumberFormats,
    ) -> Meant {
        let heard = self.heard(text, intent, language, formats);
        self.aside = heard == Meant::Else;
        heard
    }

    fn heard(
        &mut self,
        text: &str,
        intent: &Intent,
        language: Language,
        formats: &NumberFormats,
    ) -> Meant {
        let other = [Wanted::Proof, Wanted::OrderAndProof, Wanted::Address, Wanted::Place];
        let expected = self.asked.is_some_and(|asked| other.contains(&asked));
        let said = Said::new(text, language, formats, expected);
        let begun = wish(&said, !self.orders.is_empty());
        let asked = self.asked;
        let new = self.take(&said, begun);
        if let Some(begun) = begun {
            let same = self.wish == Some(begun);
            // A bare number goes on with what was wanted of another order.
            let bare = begun == Wish::Status && !said.says(Concept::Status);
            if !(bare && self.wish.is_some_and(Wish::is_about_order)) {
                self.wish = Some(begun);
            }
            self.tries = if same && asked.is_some() && !new { self.tries + 1 } else { 0 };
            return Meant::Errand;
        }
        if self.wish.is_none() {
            return Meant::Else;
        }
        if new {
            self.tries = 0;
            return Meant::Errand;
        }
        let lost = said.says(Concept::Lost);
        let question = said.says(Concept::General) || said.says(Concept::Search);
        let helpless = lost || said.len() <= SHORT && !question && intent.topic != Topic::Smalltalk;
        if asked.is_some() && !self.aside && helpless && !intent.wants_person() {
            self.tries += 1;
            return Meant::Errand;
        }
        Meant::Else
    }

    /// Takes what the message tells. `false` if that is nothing that the errand needs.
    fn take(&mut self, said: &Said, begun: Option<Wish>) -> bool {
        let wish = begun.or(self.wish);
        let about_order = wish.is_some_and(Wish::is_about_order);
        let asked = self.asked;
        let for_proof = matches!(asked, Some(Wanted::Proof | Wanted::OrderAndProof));
        let for_order = matches!(asked, Some(Wanted::Order | Wanted::OrderAndProof));
        let mut new = false;
        let mut orders = said.orders.clone();
        let mut first = None;
        if orders.is_empty() && for_order {
            first = said.open.first().map(|open| open.typed.as_str());
            orders.extend(said.open.first().map(|open| open.number.clone()));
        }
        if !orders.is_empty() {
            new |= orders != self.orders;
            if new {
                self.skus.clear();
                self.listed.clear();
            }
            self.orders = orders;
        }
        if !said.parcels.is_empty() {
            self.parcels.clone_from(&said.parcels);
        }
        if let Some(proof) = slots::proof(said, for_proof || self.retry, first) {
            let other = self.proof.as_ref() != Some(&proof);
            let missing = self.aside && self.proof.is_none();
            let awaited = for_proof || self.retry || missing || begun.is_some();
            new |= other && about_order && awaited;
            self.proof = Some(proof);
        }
        if wish == Some(Wish::Address)
            && let Some(address) = slots::address(said, asked == Some(Wanted::Address))
        {
            new = true;
            self.address = Some(address);
        }
        match begun {
            Some(Wish::Products) => {
                let product = slots::product(said);
                new = true;
                // "And in size 43?"
                self.product = if product.query.is_empty() {
                    Product { query: self.product.query.clone(), ..product }
                } else {
                    product
                };
            }
            Some(Wish::Stores) => {
                self.place = slots::place(said, false);
                new |= self.place.is_some();
            }
            Some(_) => {}
            None if asked == Some(Wanted::Product) => {
                let product = slots::product(said);
                new |= !product.query.is_empty();
                let size = product.size.or(self.product.size.take());
                self.product = Product { size, ..product };
            }
            None if asked == Some(Wanted::Place) => {
                self.place = slots::place(said, true);
                new |= self.place.is_some();
            }
            None if self.wish == Some(Wish::Products) && !self.aside => {
                let product = slots::product(said);
                if let (true, Some(size)) = (said.len() <= SHORT + 1, product.size) {
                    self.product.size = Some(size);
                    new = true;
                }
            }
            None => {}
        }
        if asked == Some(Wanted::Items) {
            let skus = slots::items(said, &self.listed);
            if !skus.is_empty() {
                self.skus = skus;
                self.wish = Some(Wish::Return);
                new = true;
            }
        }
        if let Some(reason) = said.reason {
            self.reason = Some(reason);
        }
        new
    }

    /// Takes in an answer of the service.
    pub fn answered(&mut self, answer: Option<&str>) {
        let answer = answer.unwrap_or_default();
        self.asked = asked_in(answer);
        self.retry = is_retry(answer);
        if self.asked == Some(Wanted::Items) {
            self.listed = listed(answer);
        }
        if self.asked == Some(Wanted::Person) {
            *self = Self { proof: self.proof.take(), ..Self::default() };
        }
    }
}

/// What one of our own sentences in an answer asks for, in any language.
fn asked_in(answer: &str) -> Option<Wanted> {
    let asks = |language: Language| {
        let said: &Errands = sentences(language);
        let all = [
            (said.give_up, Wanted::Person),
            (said.ask_both, Wanted::OrderAndProof),
            (said.ask_order, Wanted::Order),
            (said.ask_proof, Wanted::Proof),
            (said.ask_address, Wanted::Address),
            (said.ask_product, Wanted::Product),
            (said.ask_place, Wanted::Place),
            (said.which_items, Wanted::Items),
        ];
        all.into_iter().find_map(|(text, wanted)| {
            text.is_some_and(|text| answer.contains(text)).then_some(wanted)
        })
    };
    Language::ALL.into_iter().find_map(asks)
}

/// Whether an answer says that nothing was found, so that other details may follow.
fn is_retry(answer: &str) -> bool {
    Language::ALL
        .into_iter()
        .any(|language| sentences(language).not_found.is_some_and(|text| answer.contains(text)))
}

/// The items of a list that ends with the question which of them: `- Name (SKU)`.
fn listed(answer: &str) -> Vec<(String, String)> {
    let item = |line: &str| {
        let line = line.strip_prefix("- ")?.strip_suffix(')')?;
        let (name, sku) = line.rsplit_once(" (")?;
        Some((name.to_owned(), sku.to_owned()))
    };
    answer.lines().filter_map(item).collect()
}

//! What is known of an errand over the turns of a conversation.

use super::{
    address::{self, Parts},
    answered,
    call::{Pick, Proof, Wanted},
    items::{self, items},
    product::{self, Product},
    said::Said,
    slots,
    vocabulary::Concept,
    wish::{Wish, is_at_fault, is_in_part, wish},
};
use crate::domain::{Intent, Language, NumberFormats, Topic};

/// After so many questions that brought nothing, a person has to help.
pub const TRIES: usize = 2;
/// A message with more words that has nothing new is about something else.
const SHORT: usize = 4;
/// A question about what was shown has no more words.
const FOLLOW_UP: usize = 10;

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
    pub pick: Option<Pick>,
    /// How many of the only item, if not all of them.
    pub quantity: Option<u32>,
    /// The message that began a return: it may name the items.
    pub named: Option<String>,
    /// Only a part of an order is to be cancelled.
    pub in_part: bool,
    /// Stores of any place.
    pub any_place: bool,
    /// The shopper does not have what was asked for.
    pub lost: bool,
    /// The shopper said no to what was asked.
    pub declined: bool,
    /// The last message says that something came broken or wrong.
    pub sorry: bool,
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

/// With what a message is heard.
pub struct Hearing<'a> {
    pub intent: &'a Intent,
    pub language: Language,
    pub formats: &'a NumberFormats,
    /// Whether a whole message says yes or no.
    pub consent: &'a dyn Fn(&str) -> Option<bool>,
    /// What a text has of an address.
    pub parts: &'a dyn Fn(&str) -> Parts,
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
    pub fn hear(&mut self, text: &str, hearing: &Hearing<'_>) -> Meant {
        let heard = self.heard(text, hearing);
        self.aside = heard == Meant::Else;
        heard
    }

    fn heard(&mut self, text: &str, hearing: &Hearing<'_>) -> Meant {
        let Hearing { language, formats, intent, .. } = hearing;
        let other = [Wanted::Proof, Wanted::OrderAndProof, Wanted::Address, Wanted::Place];
        let expected = self.asked.is_some_and(|asked| other.contains(&asked))
            || self.retry && self.corrects_postcode(text);
        let said = Said::new(text, *language, formats, expected);
        let begun = wish(&said, !self.orders.is_empty()).or_else(|| self.more(&said));
        let asked = self.asked;
        let yes = (hearing.consent)(text);
        let new = self.take(&said, begun, yes, hearing);
        if begun == Some(Wish::Return) {
            self.named = Some(text.to_owned());
        }
        self.lost =
            asked.is_some_and(Wanted::is_known_to_the_shopper) && said.says(Concept::Lost) && !new;
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
        let offered = matches!(asked, Some(Wanted::Whole | Wanted::Items));
        if offered && yes == Some(false) && !new {
            *self = Self { proof: self.proof.take(), declined: true, ..Self::default() };
            return Meant::Errand;
        }
        if new {
            self.tries = 0;
            return Meant::Errand;
        }
        let question = said.says(Concept::General) || said.says(Concept::Search);
        let small_talk = intent.topic == Topic::Smalltalk;
        let helpless = said.says(Concept::Lost) || said.len() <= SHORT && !question && !small_talk;
        if asked.is_some() && !self.aside && helpless && !intent.wants_person() {
            self.tries += 1;
            return Meant::Errand;
        }
        Meant::Else
    }

    /// A question about the product or the store that was shown last.
    fn more(&self, said: &Said) -> Option<Wish> {
        let shown = self.asked.is_none() && !self.aside && said.len() <= FOLLOW_UP;
        let wish = self.wish.filter(|_| shown)?;
        let asks = match wish {
            Wish::Products if !self.product.query.is_empty() => Concept::MoreProduct,
            Wish::Stores if self.place.is_some() => Concept::MoreStore,
            _ => return None,
        };
        let elsewhere = said.says(Concept::Other) || said.says(Concept::Own);
        (said.says(asks) && !elsewhere).then_some(wish)
    }

    /// Nothing was found, and a number follows that is more like the postcode than like the order.
    fn corrects_postcode(&self, text: &str) -> bool {
        let Some(Proof::Postcode(postcode)) = &self.proof else { return false };
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let typed = digits(text);
        let like = |other: &str| {
            let same = typed.chars().zip(other.chars()).filter(|(a, b)| a == b).count();
            (other.len().abs_diff(typed.len()), typed.len().saturating_sub(same))
        };
        let order = self.orders.first().map(|order| digits(order));
        order.is_none_or(|order| like(&digits(postcode)) <= like(&order))
    }

    /// Takes what the message tells. `false` if that is nothing that the errand needs.
    fn take(
        &mut self,
        said: &Said,
        begun: Option<Wish>,
        yes: Option<bool>,
        hearing: &Hearing<'_>,
    ) -> bool {
        let wish = begun.or(self.wish);
        let mut new = self.take_order(said, begun);
        if wish == Some(Wish::Address) {
            new |= self.take_address(said, hearing);
        }
        new |= self.take_place_or_product(said, begun);
        if self.asked == Some(Wanted::Items) {
            new |= self.take_items(said, yes == Some(true));
        }
        if begun == Some(Wish::Cancel) {
            self.in_part = is_in_part(said);
        } else if wish == Some(Wish::Cancel) && is_in_part(said) {
            self.in_part = true;
            new = true;
        } else if self.asked == Some(Wanted::Whole)
            && (yes == Some(true) || said.says(Concept::All))
        {
            self.in_part = false;
            new = true;
        }
        self.sorry = begun.is_some() && is_at_fault(said);
        if let Some(reason) = said.reason {
            // A reason that follows the items belongs to them.
            let has_items = !self.skus.is_empty() || self.pick.is_some();
            new |= wish == Some(Wish::Return) && has_items && self.reason != Some(reason);
            self.reason = Some(reason);
        }
        new
    }

    /// Numbers, and what shows whose they are.
    fn take_order(&mut self, said: &Said, begun: Option<Wish>) -> bool {
        let about_order = begun.or(self.wish).is_some_and(Wish::is_about_order);
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
                self.pick = None;
                self.quantity = None;
                self.reason = None;
                if !self.orders.is_empty() {
                    self.named = None;
                }
            }
            self.orders = orders;
        }
        if !said.parcels.is_empty() {
            self.parcels.clone_from(&said.parcels);
        }
        // The postcode of a new address shows nothing.
        let of_address = asked == Some(Wanted::Address) && self.proof.is_some();
        if let Some(proof) = slots::proof(said, for_proof || self.retry, first)
            && !of_address
        {
            let other = self.proof.as_ref() != Some(&proof);
            let missing = self.aside && self.proof.is_none();
            let awaited = for_proof || self.retry || missing || begun.is_some();
            new |= other && about_order && awaited;
            self.proof = Some(proof);
        }
        new
    }

    fn take_address(&mut self, said: &Said, hearing: &Hearing<'_>) -> bool {
        let asked = self.asked == Some(Wanted::Address);
        let parts = |text: &str| (hearing.parts)(text);
        let known = self.address.clone().map(|known| (parts(&known), known));
        // The town alone, after the rest.
        let lacks_town = known.as_ref().is_some_and(|(parts, _)| parts.is_some() && !parts.town);
        let town = (asked && lacks_town && said.len() <= SHORT && !said.says(Concept::Lost))
            .then(|| slots::place(said, true))
            .flatten();
        let Some(new) = address::address(said, asked).or(town) else { return false };
        let has = parts(&new);
        // A number alone is rather the proof or the order.
        if !has.is_some() || !asked && !(has.street && (has.postcode || has.town)) {
            return false;
        }
        let known = known.as_ref().map(|(parts, known)| (known.as_str(), *parts));
        self.address = Some(address::joined(known, (&new, has)));
        true
    }

    fn take_place_or_product(&mut self, said: &Said, begun: Option<Wish>) -> bool {
        let asked = self.asked;
        match begun {
            Some(Wish::Products) => {
                let product = product::product(said);
                // "And in size 43?", "how much is it?"
                let again = product.query.is_empty() || self.more(said).is_some();
                self.product = if again {
                    let size = product.size.or(self.product.size.take());
                    Product { query: self.product.query.clone(), size, ..product }
                } else {
                    product
                };
                true
            }
            Some(Wish::Stores) => {
                let place = slots::place(said, false);
                let new = place.is_some();
                if new || self.more(said).is_none() {
                    self.place = place;
                }
                new
            }
            None if asked == Some(Wanted::Product) => {
                let product = product::product(said);
                let new = !product.query.is_empty();
                let size = product.size.or(self.product.size.take());
                self.product = Product { size, ..product };
                new
            }
            None if asked == Some(Wanted::Place) => {
                self.any_place = said.says(Concept::All);
                self.place = slots::place(said, true).filter(|_| !self.any_place);
                self.place.is_some() || self.any_place
            }
            None if self.wish == Some(Wish::Products) && !self.aside => {
                let size = product::product(said).size.filter(|_| said.len() <= SHORT + 1);
                let new = size.is_some();
                self.product.size = size.or(self.product.size.take());
                new
            }
            Some(_) | None => false,
        }
    }

    fn take_items(&mut self, said: &Said, yes: bool) -> bool {
        (self.skus, self.pick) = match items(said, &self.listed, true, yes) {
            items::Meant::Skus(skus) => (skus, None),
            items::Meant::Pick(pick) => (Vec::new(), Some(pick)),
            items::Meant::Nothing => return false,
        };
        self.quantity = items::quantity(said, &self.listed, &self.skus);
        self.wish = Some(Wish::Return);
        true
    }

    /// Takes in an answer of the service.
    pub fn answered(&mut self, answer: Option<&str>) {
        let answer = answer.unwrap_or_default();
        self.declined = false;
        self.asked = answered::asked_in(answer);
        self.retry = answered::is_retry(answer);
        if self.asked == Some(Wanted::Items) {
            self.listed = answered::listed(answer);
        }
        if self.asked == Some(Wanted::Person) {
            *self = Self { proof: self.proof.take(), ..Self::default() };
        }
    }
}

//! Finds personal data and secrets: numbers of people, what they type after words such as
//! "password", their names and addresses.
//!
//! What looks like personal data is found unless it is certainly a number of the shop: one that has
//! a configured format, or that is named as one ("order number 123"). Scanners are written by hand
//! and go over the text a constant number of times, so no message can make them slow.
//!
//! `fold`, `spoken`, `spelled`, `apart` and `disguise` write a text in its plainest spelling; all
//! other files read that.

mod account;
mod address;
mod alike;
mod apart;
mod behind;
mod birth;
mod card;
mod claims;
mod coded;
mod context;
mod disguise;
mod document;
mod email;
mod fold;
mod found;
mod iban;
mod issuer;
mod kind;
mod login;
mod moment;
mod numbers;
mod parcel;
mod parted;
mod people;
mod person;
mod phone;
mod phrases;
mod pin;
mod plain;
mod postal;
mod run;
mod secret;
mod spelled;
mod spoken;
mod ssn;
mod tagger;
mod token;
mod turns;
mod vocabulary;

use std::ops::Range;

use claims::Claims;
use context::Context;
pub use fold::plain_words;
pub use found::Found;
pub use kind::Kind;
use numbers::Numbers;
pub use people::Seekers;
use plain::Plain;
use vocabulary::Class;

use super::shop::Shop;
use crate::domain::NumberFormats;

/// What must be masked in `text`, from left to right, without overlaps.
pub fn find(text: &str, shop: &Shop) -> Vec<Found> {
    find_by(text, shop, Seekers::RulesAndTagger)
}

/// The same, where only some look for people.
pub fn find_by(text: &str, shop: &Shop, seekers: Seekers) -> Vec<Found> {
    let folded = fold::fold(text);
    let context = Context::new(folded.as_str());
    let mut found = find_numbers(&folded, &context, text, &shop.numbers);
    people::find((&folded, &context, text), shop, seekers, &mut found);
    found
}

/// What has signs or digits, and secrets.
fn find_numbers(
    folded: &Plain,
    context: &Context<'_>,
    text: &str,
    formats: &NumberFormats,
) -> Vec<Found> {
    let mut edits = spoken::edits(folded, context);
    edits.extend(spelled::edits(folded, context));
    edits.extend(apart::edits(folded.as_str()));
    edits.extend(disguise::edits(folded.as_str(), context));
    if edits.is_empty() {
        return read(folded, context, text, formats);
    }
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut end = 0;
    edits.retain(|edit| {
        let free = edit.range.start >= end;
        if free {
            end = edit.range.end;
        }
        free
    });
    let plain = folded.edited(&edits);
    read(&plain, &Context::new(plain.as_str()), text, formats)
}

/// What must be masked in `text` because `question` asked for it: "hunter2" behind "What is your
/// password?". Empty if `text` is no bare answer.
pub fn find_in_answer(question: &str, text: &str, formats: &NumberFormats) -> Vec<Found> {
    let Some(lead_ins) = turns::lead_ins(question, text) else { return Vec::new() };
    let find = |text: &str| {
        let folded = fold::fold(text);
        find_numbers(&folded, &Context::new(folded.as_str()), text, formats)
    };
    // Then it needs no question.
    if !find(text).is_empty() {
        return Vec::new();
    }
    let behind = |lead_in: &String| {
        let start = lead_in.len() + 2;
        let mut found = find(&format!("{lead_in}: {text}"));
        found.retain(|found| found.range.start >= start);
        for Found { range, .. } in &mut found {
            *range = range.start - start..range.end - start;
        }
        found
    };
    lead_ins.iter().map(behind).find(|found| !found.is_empty()).unwrap_or_default()
}

/// A card whose number begins at the end of one text and goes on in the next one.
pub fn find_in_parts(first: &str, second: &str) -> Option<[Found; 2]> {
    let parts = turns::parts(first, second)?;
    Some(parts.map(|(range, canonical)| Found { kind: Kind::Card, range, canonical }))
}

fn read(
    plain: &Plain,
    context: &Context<'_>,
    original: &str,
    formats: &NumberFormats,
) -> Vec<Found> {
    let text = plain.as_str();
    let mut claims = Claims::default();
    let mut emails = Vec::new();
    email::find(text, context, &mut |range| emails.push(range));
    let mixed = |range: &Range<usize>| {
        let typed = &original[plain.original(range)];
        typed.contains(char::is_uppercase) && typed.contains(char::is_lowercase)
    };
    token::find(text, context, mixed, &mut |range| claims.add(Kind::Token, range));
    let mut password = |range: Range<usize>| {
        if !emails.contains(&range) {
            claims.add(Kind::Password, range);
        }
    };
    secret::find(text, context, &mut password);
    login::find(text, context, &emails, &mut password);
    emails.into_iter().for_each(|range| claims.add(Kind::Email, range));
    if text.contains(|c: char| c.is_ascii_digit()) {
        // A part of an address of version 6 may look like an IBAN.
        address::find(text, context, &mut |range| claims.add(Kind::Ip, range));
        iban::find(text, context, &mut |range| claims.add(Kind::Iban, range));
        document::find(text, context, &mut |kind, range| claims.add(kind, range));
        parted::find(text, &mut |range| claims.add(Kind::Card, range));
        let own = formats.find(text).into_iter().filter(|range| !is_called(context, range.start));
        let own = own.chain(parcel::find(text, context));
        Numbers { text, context, own: own.collect(), named: None, card: None }.read(&mut claims);
    }
    let found = claims.0.into_iter().map(|(kind, range)| Found {
        kind,
        canonical: kind.canonical(&text[range.clone()]),
        range: plain.original(&range),
    });
    found.collect()
}

/// Whether the words before a number say that it is one of a person, whatever its format.
fn is_called(context: &Context<'_>, at: usize) -> bool {
    let of_people = [Class::Phone, Class::Card, Class::Ssn, Class::Account];
    context.adjacent(at).is_some_and(|class| of_people.contains(&class))
}

#[cfg(test)]
mod tests;

//! Finds personal data and secrets: addresses, numbers of people, and what people type after words
//! such as "password".
//!
//! What looks like personal data is found unless it is certainly a number of the shop: one that has
//! a configured format, or that is named as one ("order number 123"). Scanners are written by hand
//! and go over the text a constant number of times, so no message can make them slow.
//!
//! `fold`, `spoken` and `spelled` write a text in its plainest spelling; all other files read that.

mod account;
mod address;
mod card;
mod claims;
mod context;
mod document;
mod email;
mod fold;
mod iban;
mod issuer;
mod kind;
mod numbers;
mod phone;
mod pin;
mod plain;
mod run;
mod secret;
mod spelled;
mod spoken;
mod ssn;
mod token;
mod vocabulary;

use std::ops::Range;

use claims::Claims;
use context::Context;
pub use kind::Kind;
use numbers::Numbers;
use plain::Plain;
use vocabulary::Class;

use crate::domain::NumberFormats;

/// Personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub kind: Kind,
    /// Bytes of the text that was searched.
    pub range: Range<usize>,
    /// What two spellings of one value have in common.
    pub(super) canonical: String,
}

/// What must be masked in `text`, from left to right, without overlaps.
pub fn find(text: &str, formats: &NumberFormats) -> Vec<Found> {
    let folded = fold::fold(text);
    let context = Context::new(folded.as_str());
    let mut edits = spoken::edits(&folded, &context);
    edits.extend(spelled::edits(&folded, &context));
    if edits.is_empty() {
        return read(&folded, &context, text, formats);
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
    secret::find(text, context, &mut |range| {
        if !emails.contains(&range) {
            claims.add(Kind::Password, range);
        }
    });
    emails.into_iter().for_each(|range| claims.add(Kind::Email, range));
    if text.contains(|c: char| c.is_ascii_digit()) {
        // A part of an address of version 6 may look like an IBAN.
        address::find(text, context, &mut |range| claims.add(Kind::Ip, range));
        iban::find(text, context, &mut |range| claims.add(Kind::Iban, range));
        document::find(text, context, &mut |kind, range| claims.add(kind, range));
        let own = formats.find(text).into_iter().filter(|range| !is_called(context, range.start));
        Numbers { text, context, own: own.collect(), named: None }.read(&mut claims);
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

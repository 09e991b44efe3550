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
mod after;
mod alike;
mod apart;
mod before;
mod behind;
mod birth;
mod card;
mod claims;
mod coded;
mod context;
mod cut;
mod disguise;
mod document;
mod east;
mod email;
mod fold;
mod found;
mod goods;
mod halves;
mod iban;
mod issuer;
mod kind;
mod login;
mod lone;
mod moment;
mod national;
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
mod proof;
mod run;
mod secret;
mod slip;
mod spelled;
mod spoken;
mod ssn;
mod starred;
mod table;
mod tagger;
mod token;
mod towns;
mod turns;
mod value;
mod vocabulary;

use std::ops::Range;

use claims::Claims;
use context::Context;
pub use fold::plain_words;
pub use found::Found;
pub use kind::Kind;
use lone::Lone;
use numbers::Numbers;
pub use people::Seekers;
use plain::Plain;
use turns::Said;
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
    find_announced(&folded, &context, text, &shop.numbers, &mut found);
    people::find((&folded, &context, text), shop, seekers, &mut found);
    found
}

/// The same for a text that was not folded yet.
fn numbers_alone(text: &str, formats: &NumberFormats) -> Vec<Found> {
    let folded = fold::fold(text);
    find_numbers(&folded, &Context::new(folded.as_str()), text, formats)
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

/// What must be masked in `text` because `question` asked for it, or because the same person
/// announced it `before`: "hunter2" behind "What is your password?" or "Here comes my password".
/// Empty if `text` is nothing but an answer.
pub fn find_in_answer(
    question: Option<&str>,
    before: Option<&str>,
    text: &str,
    formats: &NumberFormats,
) -> Vec<Found> {
    let said = question.map(Said::Question).into_iter().chain(before.map(Said::Announcement));
    let lead_ins = said.filter_map(|said| turns::lead_ins(said, text));
    let asked = lead_ins.map(|lead_ins| behind(&lead_ins, text, formats)).find(|f| !f.is_empty());
    let asked = asked.or_else(|| people::birth_date(question?, text));
    let asked = asked.or_else(|| people::name(question?, text));
    asked.unwrap_or_else(|| match before {
        Some(before) if turns::goes_on(question, text) => rest(before, text, formats),
        _ => Vec::new(),
    })
}

/// What is secret in `text` as the rest of what the same person said `before`: the code of a card whose
/// number and date came first, the second half of a phone number.
fn rest(before: &str, text: &str, formats: &NumberFormats) -> Vec<Found> {
    let find = |text: &str| numbers_alone(text, formats);
    if !find(text).is_empty() {
        return Vec::new();
    }
    let tail = before.ceil_char_boundary(before.len().saturating_sub(turns::LONGEST));
    let joined = format!("{}\n{text}", &before[tail..]);
    let start = joined.len() - text.len();
    // The parts of a card are found by `find_in_parts`, which asks for more.
    let is_here = |found: &Found| {
        found.range.end > start && (found.range.start >= start || found.kind != Kind::Card)
    };
    let found = find(&joined).into_iter().filter(is_here);
    let found = found.map(|Found { kind, range, .. }| {
        let range = range.start.max(start) - start..range.end - start;
        Found { kind, canonical: kind.canonical(&text[range.clone()]), range }
    });
    found.collect()
}

/// The secrets of `text` if it stood behind one of `lead_ins`.
fn behind(lead_ins: &[String], text: &str, formats: &NumberFormats) -> Vec<Found> {
    let find = |text: &str| numbers_alone(text, formats);
    // Then it needs no question.
    if !find(text).is_empty() {
        return Vec::new();
    }
    let value = turns::value(text);
    let behind = |lead_in: &String| {
        let start = lead_in.len() + 2;
        let mut found = find(&format!("{lead_in}: {}", &text[value..]));
        found.retain(|found| found.range.start >= start);
        for Found { range, .. } in &mut found {
            *range = value + range.start - start..value + range.end - start;
        }
        found
    };
    lead_ins.iter().map(behind).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Adds the secrets that have a sentence of their own: "Here comes my password. hunter2"
fn find_announced(
    plain: &Plain,
    context: &Context<'_>,
    text: &str,
    formats: &NumberFormats,
    found: &mut Vec<Found>,
) {
    for (lead_in, range) in turns::announced(plain.as_str(), context) {
        let typed = plain.original(&range);
        if turns::is_bare(&text[typed.clone()]) {
            let secrets = behind(&[lead_in], &text[typed.clone()], formats);
            for Found { kind, range, canonical } in secrets {
                let range = typed.start + range.start..typed.start + range.end;
                if !found.iter().any(|f| f.range.start < range.end && range.start < f.range.end) {
                    found.push(Found { kind, range, canonical });
                }
            }
        }
    }
    found.sort_by_key(|found| found.range.start);
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
    table::find(text, context, &mut |kind, range| claims.add(kind, range));
    parted::find(text, &mut |range| claims.add(Kind::Card, range));
    starred::find(text, &mut |range| claims.add(Kind::Card, range));
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
    let open = secret::find(text, context, &mut password);
    login::find(text, context, &emails, &mut password);
    if open || text.contains('\n') && !emails.is_empty() {
        let lone = Lone { text, context, own: formats.find(text), is_mixed_case: mixed };
        lone.below(&emails, &mut password);
        if open {
            lone.find(&mut password);
        }
    }
    emails.into_iter().for_each(|range| claims.add(Kind::Email, range));
    if text.contains(|c: char| c.is_ascii_digit()) {
        // A part of an address of version 6 may look like an IBAN.
        address::find(text, context, &mut |range| claims.add(Kind::Ip, range));
        iban::find(text, context, &mut |range| claims.add(Kind::Iban, range));
        let own = formats.find(text).into_iter().filter(|range| !is_called(context, range.start));
        let own: Vec<Range<usize>> = own.chain(parcel::find(text, context)).collect();
        let ours = |range: &Range<usize>| {
            own.iter().any(|own| own.start < range.end && range.start < own.end)
        };
        national::find(text, context, &mut |range| {
            let paper =
                matches!(context.adjacent(range.start), Some(Class::Passport | Class::Licence));
            if !ours(&range) && !paper {
                claims.add(Kind::Ssn, range);
            }
        });
        document::find(text, context, &mut |kind, range| claims.add(kind, range));
        halves::find(text, context, &mut |range| claims.add(Kind::Card, range));
        Numbers { text, context, own, named: None, card: None }.read(&mut claims);
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

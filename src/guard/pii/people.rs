//! Names, addresses and birth dates of people.
//!
//! Rules find what is said to be one ("my name is …", "date of birth: …"), and streets with their
//! numbers. A small tagger finds the rest. What the shop says in its pages stays, unless it was said
//! to be a name.

use std::ops::Range;

use super::{
    birth,
    context::Context,
    east, fold,
    found::Found,
    goods,
    kind::Kind,
    person,
    plain::Plain,
    postal, proof,
    tagger::{Label, Token, tag, tokens},
    towns,
    vocabulary::Class,
};
use crate::guard::shop::Shop;

/// Who looks for people in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seekers {
    Rules,
    RulesAndTagger,
}

/// Adds what belongs to people to what was found in a text, in order.
pub(super) fn find(
    (plain, context, original): (&Plain, &Context<'_>, &str),
    shop: &Shop,
    seekers: Seekers,
    found: &mut Vec<Found>,
) {
    let tokens = tokens(plain, original, found);
    let mut labels = match seekers {
        Seekers::Rules => vec![Label::Nothing; tokens.len()],
        Seekers::RulesAndTagger => tag(&tokens),
    };
    tells_of_numbers(&tokens, context, &mut labels);
    goods::clear(&tokens, context, &mut labels);
    towns::clear(&tokens, &mut labels);
    let mut free = vec![true; tokens.len()];
    let numbers = shop.numbers.find(original);
    let mut add = |kind: Kind, range: Range<usize>, told: bool| {
        let range = without_numbers(&tokens, range, &numbers);
        let words = &tokens[range.clone()];
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let clear = free[range.clone()].iter().all(|free| *free);
        if !clear || words.iter().any(Token::is_placeholder) || !told && shop.says(&said(words)) {
            return;
        }
        let typed = first.typed.start..last.typed.end;
        // "4111…Stk" is an amount, also once the number is a placeholder.
        let hidden = |other: &Token<'_>| other.is_placeholder() && other.typed.end == typed.start;
        let behind = found.iter().any(|f| f.range.end == typed.start);
        if behind || tokens[..range.start].last().is_some_and(hidden) {
            return;
        }
        // Several tokens of one sign, such as "㏂".
        if found.iter().any(|f| f.range.start < typed.end && typed.start < f.range.end) {
            return;
        }
        free[range].fill(false);
        let plain: Vec<&str> = words.iter().map(|token| token.text).collect();
        found.push(Found { kind, range: typed, canonical: kind.canonical(&plain.join(" ")) });
    };
    for range in birth::dates(&tokens) {
        labels[range.clone()].fill(Label::Nothing);
        add(Kind::BirthDate, range, true);
    }
    let introduced = person::introduced(&tokens);
    introduced.iter().for_each(|range| labels[range.clone()].fill(Label::Name));
    for range in postal::addresses(&tokens, &labels) {
        labels[range.clone()].fill(Label::Nothing);
        add(Kind::Address, range, false);
    }
    for (range, told) in person::names(&tokens, &labels, &introduced) {
        add(Kind::Name, range, told);
    }
    for (kind, range) in east::find(plain.as_str()) {
        let (canonical, typed) = (&plain.as_str()[range.clone()], plain.original(&range));
        let taken = found.iter().any(|f| f.range.start < typed.end && typed.start < f.range.end);
        if !taken && !shop.says(canonical) {
            found.push(Found { kind, range: typed, canonical: kind.canonical(canonical) });
        }
    }
    if let Some(range) = proof::digits(&tokens, found) {
        let canonical = Kind::Pin.canonical(&original[range.clone()]);
        found.push(Found { kind: Kind::Pin, range, canonical });
    }
    found.sort_by_key(|found| found.range.start);
}

/// The name that `text` is, if `question` asks for one: "ousmane mbaye" is in no list.
pub(super) fn name(question: &str, text: &str) -> Option<Vec<Found>> {
    let (asked, plain) = (fold::fold(question), fold::fold(text));
    if !person::asks(&tokens(&asked, question, &[]), asked.as_str()) {
        return None;
    }
    let tokens = tokens(&plain, text, &[]);
    let name = person::told(&tokens)?;
    let typed = tokens[name.start].typed.start..tokens[name.end - 1].typed.end;
    let canonical = Kind::Name
        .canonical(&plain.as_str()[tokens[name.start].range.start..tokens[name.end - 1].range.end]);
    Some(vec![Found { kind: Kind::Name, range: typed, canonical }])
}

/// The date of birth that `text` is, if `question` asks for one.
pub(super) fn birth_date(question: &str, text: &str) -> Option<Vec<Found>> {
    let (asked, plain) = (fold::fold(question), fold::fold(text));
    if !birth::asks(&tokens(&asked, question, &[])) {
        return None;
    }
    let tokens = tokens(&plain, text, &[]);
    let dates = birth::told(&tokens).map(|date| {
        let typed = tokens[date.start].typed.start..tokens[date.end - 1].typed.end;
        let canonical = Kind::BirthDate.canonical(&text[typed.clone()]);
        Found { kind: Kind::BirthDate, range: typed, canonical }
    });
    dates.map(|date| vec![date])
}

/// Words that say what a number is, such as "IBAN" or "customer number", name nobody.
fn tells_of_numbers(tokens: &[Token<'_>], context: &Context<'_>, labels: &mut [Label]) {
    let told = context.told();
    let mut next = 0;
    for (token, label) in tokens.iter().zip(labels) {
        while told.get(next).is_some_and(|told| told.range.end <= token.range.start) {
            next += 1;
        }
        let inside = told.get(next).filter(|told| told.range.start <= token.range.start);
        if inside.is_some_and(|told| told.class != Class::Other) || token.is_short_for_number() {
            *label = Label::Nothing;
        }
    }
}

/// The folded words as they stand in a page.
fn said(words: &[Token<'_>]) -> String {
    let words: Vec<&str> = words.iter().map(|token| token.text).collect();
    words.join(" ")
}

/// The longer part of `range` before or behind the shop's own numbers in it.
fn without_numbers(
    tokens: &[Token<'_>],
    range: Range<usize>,
    numbers: &[Range<usize>],
) -> Range<usize> {
    let is_number = |at: &usize| {
        let typed = &tokens[*at].typed;
        numbers.iter().any(|number| number.start < typed.end && typed.start < number.end)
    };
    let (Some(first), Some(last)) = (range.clone().find(is_number), range.clone().rfind(is_number))
    else {
        return range;
    };
    let (before, behind) = (range.start..first, last + 1..range.end);
    if before.len() > behind.len() { before } else { behind }
}

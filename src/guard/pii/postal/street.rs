//! Streets with their numbers, and post office boxes.

use std::{collections::HashSet, ops::Range, sync::LazyLock};

use crate::{
    guard::pii::{
        fold,
        phrases::Phrases,
        tagger::{Case, Gap, Token},
        vocabulary::MEANINGS,
    },
    words::{self, People},
};

struct Lists {
    after: Phrases,
    before: Phrases,
    endings: HashSet<String>,
    boxes: Phrases,
    units: Phrases,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let people: People = words::all();
    Lists {
        after: Phrases::new(people.streets_after),
        before: Phrases::new(people.streets_before),
        endings: people.street_endings.into_iter().map(fold::word).collect(),
        boxes: Phrases::new(people.boxes),
        units: Phrases::new(people.units),
    }
});

/// Words of the name of a street.
const LONGEST: usize = 4;
/// Bytes of the beginning of a street's name, before "strasse".
const SHORTEST: usize = 3;

pub(super) fn streets(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let street = |at: usize| {
        behind_its_number(tokens, at)
            .or_else(|| in_one_word(tokens, at))
            .or_else(|| before_its_number(tokens, at))
            .or_else(|| post_box(tokens, at))
            .or_else(|| at_its_place(tokens, at))
    };
    let whole =
        |street: Range<usize>| street.start..with_town(tokens, with_flat(tokens, street.end));
    (0..tokens.len()).filter_map(street).map(whole).collect()
}

/// The end with the rest of a house's number: "44/12", "10 m. 5".
fn with_flat(tokens: &[Token<'_>], end: usize) -> usize {
    let number = |at: usize| tokens.get(at).is_some_and(Token::is_house_number);
    let glued = |at: usize| tokens[at].typed.start == tokens[at - 1].typed.end + 1;
    if number(end) && tokens[end].gap == Gap::Sign && glued(end) {
        return end + 1;
    }
    match tokens.get(end).and_then(|_| LISTS.units.end(tokens, end)) {
        Some(unit) if tokens[end].gap != Gap::Line && number(unit) => unit + 1,
        _ => end,
    }
}

/// The end with a postcode and the town behind it: "00-590 Warszawa", "1012 AB Amsterdam".
fn with_town(tokens: &[Token<'_>], end: usize) -> usize {
    const LONGEST_TOWN: usize = 3;
    let digits = |at: usize| {
        tokens.get(at).filter(|token| token.is_number()).map_or(0, |token| token.text.len())
    };
    let joined = tokens.get(end).is_some_and(|token| token.gap != Gap::Stop);
    let signed = tokens.get(end + 1).is_some_and(|token| token.gap == Gap::Sign);
    let upper = tokens
        .get(end + 1)
        .is_some_and(|token| token.case == Case::Upper && token.is_word() && token.text.len() == 2);
    let code = match (digits(end), digits(end + 1)) {
        (2, 3) | (4, 3) if signed => 2,
        (4, _) if upper => 2,
        (4..=6, _) => 1,
        _ => return end,
    };
    let of_town = |at: &usize| {
        let token = &tokens[*at];
        matches!(token.gap, Gap::Space | Gap::Sign)
            && token.is_word()
            && (token.case == Case::Capital || token.case == Case::Upper || token.is_town())
    };
    let town = (end + code..tokens.len()).take(LONGEST_TOWN).take_while(of_town).count();
    if joined && town > 0 { end + code + town } else { end }
}

/// "12 Baker Street", where `at` is the last word.
fn behind_its_number(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    if !LISTS.after.has(tokens[at].text) {
        return None;
    }
    let joined = |before: &usize| tokens[before + 1].gap == Gap::Space;
    let mut words = (at.saturating_sub(LONGEST + 1)..at).rev().take_while(joined);
    let number = words.find(|before| !is_of_name(&tokens[*before]))?;
    (number + 1 < at && tokens[number].is_house_number()).then_some(number..at + 1)
}

/// "Lindenstr. 5"
fn in_one_word(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    let word = tokens[at].text;
    let is_street = LISTS.endings.iter().any(|ending| {
        word.strip_suffix(ending.as_str()).is_some_and(|name| name.len() >= SHORTEST)
    });
    let number = tokens.get(at + 1)?;
    let near = matches!(number.gap, Gap::Space | Gap::Stop | Gap::Comma);
    (is_street && near && number.is_house_number()).then_some(at..at + 2)
}

/// "rue de la Paix 12", "12, rue de la Paix"
fn before_its_number(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    if !LISTS.before.has(tokens[at].text) {
        return None;
    }
    let words = tokens[at + 1..].iter().take(LONGEST + 1);
    // "ul. Długa 12"
    let short = tokens[at].text.len() <= SHORTEST + 1;
    let near = |index: usize, gap: Gap| {
        matches!(gap, Gap::Space | Gap::Sign) || gap == Gap::Stop && index == 0 && short
    };
    let words = words.enumerate().take_while(|(index, token)| {
        near(*index, token.gap) && (is_of_name(token) || is_link(token))
    });
    let words = words.map(|(_, token)| token);
    let mut end = at + 1 + words.clone().count();
    if !words.clone().any(is_of_name) {
        return None;
    }
    let next = tokens.get(end).filter(|next| matches!(next.gap, Gap::Space | Gap::Comma));
    if next.is_some_and(Token::is_house_number) {
        return Some(at..end + 1);
    }
    let number = at.checked_sub(1).filter(|before| tokens[*before].is_house_number())?;
    if !matches!(tokens[at].gap, Gap::Space | Gap::Comma) {
        return None;
    }
    // Without a number behind it the end of the name is not known, but for capitals.
    let first = words.clone().position(is_of_name).map_or(end, |first| at + 2 + first);
    let capitals = tokens[first..end].iter().take_while(|token| token.case == Case::Capital);
    end = first + capitals.count();
    Some(number..end)
}

/// "Am Bahnhof 3, 53111 Bonn": where a postcode and a town follow.
fn at_its_place(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    const PREPOSITIONS: [&str; 8] = ["am", "an", "auf", "bei", "im", "in", "zum", "zur"];
    let words = tokens[at + 1..]
        .iter()
        .take(LONGEST)
        .take_while(|token| token.is_word() && matches!(token.gap, Gap::Space | Gap::Sign));
    let end = at + 1 + words.count();
    let number = tokens.get(end).filter(|number| number.is_house_number())?;
    let near = end > at + 1 && number.gap == Gap::Space && PREPOSITIONS.contains(&tokens[at].text);
    // "am markt 7, 04109 leipzig"
    let code = |token: &Token<'_>| token.is_number() && token.text.len() == 5;
    let lower = tokens.get(end + 1).is_some_and(code)
        && tokens.get(end + 2).is_some_and(|t| t.is_word() && !t.is_ordinary());
    match near {
        true if with_town(tokens, end + 1) > end + 1 => Some(at..end + 1),
        true if lower => Some(at..end + 3),
        _ => None,
    }
}

/// "PO box 123"
fn post_box(tokens: &[Token<'_>], at: usize) -> Option<Range<usize>> {
    let end = LISTS.boxes.end(tokens, at)?;
    let number = tokens.get(end).filter(|number| number.is_number() && number.gap != Gap::Line)?;
    (number.text.len() <= 7).then_some(at..end + 1)
}

/// May be a part of the name of a street.
fn is_of_name(token: &Token<'_>) -> bool {
    // "via email 3 times"
    let unknown = !token.is_ordinary() && !is_link(token) && !MEANINGS.contains_key(token.text);
    token.is_word() && (token.case == Case::Capital || unknown)
}

/// "de", "la", "of"
fn is_link(token: &Token<'_>) -> bool {
    token.is_word() && token.text.len() <= 3
}

//! Payment card numbers, and the digits that protect them.

use std::ops::Range;

use super::{
    context::{Context, Named, Word},
    issuer::{gives_out, is_checked, is_trade_item},
    moment::is_times,
    run::{Group, Run, digits_of, ends_freely, starts_freely},
    vocabulary::{Class, Role},
};

/// How issuers print the groups, and how people type them.
pub(super) const PRINTED: [&[usize]; 7] =
    [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 3], &[4, 4, 4, 4, 3], &[6, 13], &[8, 8]];
const LENGTHS: Range<usize> = 12..20;
/// An order of a large marketplace, "405-1234567-7890123": one in ten has Luhn's digit by chance.
const ORDER: [usize; 3] = [3, 7, 7];

/// A number that issuers give out and that has no other known form.
pub(super) fn is_real(digits: &str) -> bool {
    (14..LENGTHS.end).contains(&digits.len()) && is_checked(digits) && gives_out(digits)
}

/// Digits without a separator that are a card with its date, its code or another card behind it:
/// "41111111111111111227123".
pub(super) fn is_with_rest(text: &str, group: &Group) -> bool {
    const MOST_CARDS: usize = 4;
    if group.digits < LENGTHS.end - 2 {
        return false;
    }
    let digits = digits_of(text, group.range.clone());
    let date = |rest: &str| {
        let in_range = |range: Range<usize>, least, most| {
            let value: u32 = rest.get(range).and_then(|part| part.parse().ok()).unwrap_or(0);
            (least..=most).contains(&value)
        };
        let year = match rest.len() {
            4 | 7 | 8 => in_range(2..4, 20, 49),
            6 | 9 | 10 => in_range(2..6, 2020, 2049),
            _ => false,
        };
        year && in_range(0..2, 1, 12)
    };
    let mut rest = &digits[..];
    for _ in 0..MOST_CARDS {
        let Some(length) =
            [16, 15, 14].into_iter().find(|length| rest.get(..*length).is_some_and(is_real))
        else {
            return false;
        };
        rest = &rest[length..];
        // "411111111111111112/28"
        let month = rest.len() == 2 && text[group.range.end..].starts_with('/');
        if rest.is_empty() || date(rest) || month || rest.len() == 3 && length == 16 {
            return digits.len() > length;
        }
    }
    false
}

/// The groups of `run` that are a card.
pub(super) fn find(text: &str, run: &Run, context: &Context<'_>) -> Option<Range<usize>> {
    let groups = &run.groups;
    if run.plus || run.digits() < LENGTHS.start {
        return None;
    }
    (0..groups.len()).find_map(|first| {
        let mut digits = 0;
        let ends = groups[first..].iter().enumerate().map(|(i, group)| {
            digits += group.digits;
            (first + i + 1, digits)
        });
        let ends: Vec<usize> = ends
            .take_while(|(_, digits)| *digits < LENGTHS.end)
            .filter(|(_, digits)| LENGTHS.contains(digits))
            .map(|(end, _)| end)
            .collect();
        ends.into_iter().rev().map(|end| first..end).find(|part| is_card(text, run, part, context))
    })
}

fn is_card(text: &str, run: &Run, part: &Range<usize>, context: &Context<'_>) -> bool {
    let groups = &run.groups[part.clone()];
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return false };
    let range = first.range.start..last.range.end;
    let shape: Vec<usize> = groups.iter().map(|group| group.digits).collect();
    let printed = PRINTED.contains(&&shape[..]);
    if !(printed || groups.len() == 1 || stands_alone(text, run, part))
        || shape == ORDER
        || is_label(text, run)
    {
        return false;
    }
    let digits = digits_of(text, range.clone());
    let checked = is_checked(&digits);
    let real = checked && gives_out(&digits) && (digits.len() < 13 || !is_trade_item(&digits));
    let free = starts_freely(text, range.start, context) && ends_freely(text, range.end);
    // "2x4111111111111111", "$4111 1111 1111 1111", "4111111111111111kg"
    let glued = || real && digits.len() >= 14 && !is_of_code(text, range.start, context);
    if !(free || glued()) {
        return false;
    }
    let named = context.named(&range);
    let spoken_of = context.near(range.start) == Some(Class::Card)
        || context.called_after(range.end) == Some(Class::Card);
    if named == Named::Yes {
        // "my order 4111 1111 1111 1111" is no order.
        return real && printed;
    }
    if spoken_of {
        // Even with a slip of the finger.
        return checked || digits.len() >= 13;
    }
    let list = || run.part(text, part.clone()).is_list(text) || is_times(text, run);
    // In groups of four it looks like a card even with a slip of the finger.
    // So it does where it is said digit by digit.
    let said = || groups.len() == 1 && groups[0].is_single() && digits.len() == 16;
    let looks =
        printed && (checked || shape[0] == 4 && gives_out(&digits)) || said() && gives_out(&digits);
    digits.len() >= 13 && (real || looks) && !list()
}

/// The number under the barcode of a parcel (IMpb of the US Postal Service).
fn is_label(text: &str, run: &Run) -> bool {
    run.shape() == [4, 4, 4, 4, 4, 2] && text[run.groups[0].range.clone()].starts_with('9')
}

/// Nothing before or after the groups looks like more of the same number.
fn stands_alone(text: &str, run: &Run, part: &Range<usize>) -> bool {
    let inside = run.gap(text, part.start);
    let other = |gap: Option<&str>| gap.is_none_or(|gap| gap != inside);
    let before = part.start.checked_sub(1).map(|before| run.gap(text, before));
    let after = (part.end < run.groups.len()).then(|| run.gap(text, part.end - 1));
    other(before) && other(after)
}

/// How shops and carriers begin their numbers, where that is no word for one.
const CODES: [&str; 32] = [
    "jd", "jjd", "lp", "rr", "rb", "ra", "rg", "re", "so", "po", "tr", "trk", "trx", "sn", "tn",
    "cn", "lx", "ly", "lv", "ls", "cp", "ee", "dn", "gs", "gf", "bk", "kd", "iv", "rn", "rt", "sh",
    "wb",
];

/// "INV4111…", "INV-4111…": two or three letters begin a code of the shop. Other letters in front
/// of a card's number are short for its brand: "MC4111…".
fn is_of_code(text: &str, start: usize, context: &Context<'_>) -> bool {
    let end = text[..start].trim_end_matches(['-', '_']).len();
    let word = context.ending_at(end).filter(|word| (2..=3).contains(&word.range.len()));
    word.is_some_and(|word| {
        let typed = &text[word.range.clone()];
        let of_shop = word.meaning.is_some_and(|meaning| meaning.class == Some(Class::Shop));
        let named = context.named(&(word.range.start..start)) == Named::Yes;
        (of_shop || named || CODES.contains(&typed) && end == start)
            && !text[..word.range.start].ends_with(|c: char| c.is_ascii_digit())
    })
}

/// The three or four digits behind a card at `card`, after its date: "12/26 123".
pub(super) fn code_after(text: &str, card: &Range<usize>, run: &Run) -> Option<Range<usize>> {
    let after = run.groups.iter().position(|group| group.range.start >= card.end)?;
    let rest: Vec<&Group> = run.groups[after..].iter().collect();
    let code = |group: &Group| (3..=4).contains(&group.digits);
    let month = |group: &Group| {
        let value: u32 = digits_of(text, group.range.clone()).parse().unwrap_or(0);
        group.digits <= 2 && (1..=12).contains(&value)
    };
    let year = |group: &Group| matches!(group.digits, 2 | 4);
    match rest[..] {
        [m, y, c] if month(m) && year(y) && code(c) => Some(c.range.clone()),
        [date, c] if matches!(date.digits, 4 | 6) && code(c) => Some(c.range.clone()),
        [c] if c.digits == 3 => Some(c.range.clone()),
        _ => None,
    }
}

/// "cvv 123", "the security code of my card is 123", "123 is the security code".
pub(super) fn is_code(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let [group] = &run.groups[..] else { return false };
    let of_card = |class: &Class| !matches!(class, Class::Around | Class::Card | Class::Other);
    let said = || context.before(group.range.start).map(|told| told.class).find(of_card);
    (3..=4).contains(&group.digits)
        && !run.plus
        && (said() == Some(Class::Cvv) || context.shown_as(group.range.end) == Some(Class::Cvv))
        && ends_freely(text, group.range.end)
        // "cvc 123 exp 12/27"
        && (context.adjacent(group.range.start) == Some(Class::Cvv)
            || !is_amount(text, &group.range, context))
}

const UNITS: [&str; 12] =
    ["kg", "g", "l", "ml", "mm", "m", "km", "liter", "litre", "litres", "gramm", "grams"];

/// "120 cm", "129 EUR", "$129"
pub(super) fn is_amount(text: &str, range: &Range<usize>, context: &Context<'_>) -> bool {
    let unit = context.after(range.end).and_then(|word| word.meaning?.class);
    let after = text[range.end..].trim_start();
    matches!(unit, Some(Class::Other | Class::Size))
        || after.starts_with(['€', '$', '£', '%'])
        || UNITS.contains(&after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default())
        || text[..range.start].trim_end().ends_with(['€', '$', '£'])
}

/// The last digits of a card: "last four 4821", "visa ending in 4821", "**** 4821".
pub(super) fn is_ending(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let range = &run.range;
    if run.groups.len() > 2 || !(4..=11).contains(&run.digits()) || run.plus {
        return false;
    }
    if !ends_freely(text, range.end) || context.named(range) == Named::Yes {
        return false;
    }
    let fewest = if context.near(range.start) == Some(Class::Card) { 1 } else { 3 };
    if is_masked_before(text, range.start, fewest) {
        return true;
    }
    if !starts_freely(text, range.start, context) {
        return false;
    }
    let year = text[range.clone()].starts_with("19") || text[range.clone()].starts_with("20");
    let called = || {
        let spoken_of = context.adjacent(range.start) == Some(Class::Card)
            || context.called_after(range.end) == Some(Class::Card);
        spoken_of && !year && run.groups.len() == 1
    };
    called()
        || run.digits() <= 6
            && (is_last_before(text, range.start, year, context)
                || is_last_after(range.end, context))
}

/// "last 4"
pub(super) fn is_after_last(text: &str, at: usize, context: &Context<'_>) -> bool {
    let end = text[..at].trim_end_matches([' ', '-']).len();
    context.ending_at(end).is_some_and(|word| word.is(Role::Last))
}

/// Stars or crosses in the place of the other digits.
fn is_masked_before(text: &str, start: usize, fewest: usize) -> bool {
    let hidden = |c: char| matches!(c, '*' | 'x' | '#' | '.');
    let before = text[..start].trim_end_matches([' ', '-']);
    let tail: String =
        before.chars().rev().take_while(|c| hidden(*c) || " -".contains(*c)).collect();
    let marks = tail.chars().filter(|c| hidden(*c)).count();
    let dots = tail.chars().filter(|c| *c == '.').count();
    // `tail` is turned round.
    let apart = tail.ends_with([' ', '-']);
    let glued = before[..before.len() - tail.len()].ends_with(char::is_alphanumeric);
    marks >= fewest && dots < marks && (apart || !glued)
}

/// Words that say nothing about the number: "the card I used".
const MOST_STRANGE: usize = 2;

/// "last", "ending" and only words about digits and cards between it and the number.
/// A year needs a word about digits: "until the end, 2026".
fn is_last_before(text: &str, start: usize, year: bool, context: &Context<'_>) -> bool {
    let window = start.saturating_sub(60)..start;
    let window = text.ceil_char_boundary(window.start)..window.end;
    let words: Vec<_> = context.between(window).collect();
    let Some(last) = words.iter().rposition(|word| word.is(Role::Last)) else { return false };
    let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    let of = [Class::Card, Class::Ssn, Class::Account, Class::Iban, Class::Phone, Class::Other];
    let is_of = |word: &Word| {
        word.meaning.and_then(|meaning| meaning.class).is_some_and(|class| of.contains(&class))
    };
    let said = words[last + 1..].iter().any(|word| is_of(word) || word.is(Role::Digits));
    let counted = |word: &Word| word.meaning.is_some_and(|meaning| meaning.digits.is_some());
    if year && !said && !words[last..].iter().any(|w| counted(w)) && context.near(start).is_none() {
        return false;
    }
    let mut strange = if said { MOST_STRANGE } else { 0 };
    let about = words[last + 1..].iter().all(|word| {
        let known = is_of(word) || counted(word);
        let joins =
            [Role::Number, Role::Filler, Role::Preposition, Role::Link, Role::Digits, Role::At];
        if known || joins.into_iter().any(|role| word.is(role)) {
            return true;
        }
        let spared = word.meaning.is_none_or(|meaning| meaning.class.is_none()) && strange > 0;
        strange = strange.saturating_sub(1);
        spared
    });
    let of_shop = context
        .before(words[last].range.start)
        .next()
        .is_some_and(|told| told.class == Class::Shop);
    let signs = &text[words[last].range.end..start];
    // "offers ending in 1200 minutes"
    let of_number = context.near(start).is_some_and(|class| of.contains(&class));
    let counts = !said
        && !of_number
        && !words[last..].iter().any(|word| counted(word))
        && context.after(start + digits).is_some_and(|word| word.meaning.is_none());
    about && !of_shop && !counts && !signs.contains(['!', '?', ';', '\n'])
}

/// "4821 are the last four digits".
fn is_last_after(end: usize, context: &Context<'_>) -> bool {
    let after: Vec<_> = context.between(end..end + 60).take(5).collect();
    let linked = after.first().is_some_and(|word| word.is(Role::Link));
    let joins = |word: &Word| word.is(Role::Filler) || word.is(Role::Link);
    linked && after.iter().find(|word| !joins(word)).is_some_and(|word| word.is(Role::Last))
}

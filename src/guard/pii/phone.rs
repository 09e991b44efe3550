//! Phone numbers of many countries (E.164 and national): by their `+`, by the words around them, or
//! by a shape that only phones have.

use std::ops::Range;

use super::{
    context::{Context, Named},
    issuer::is_trade_item,
    moment::{is_date, is_hours, is_place, is_times},
    run::{Run, digits_of, ends_freely, ends_in_word, starts_behind_word, starts_freely},
    vocabulary::Class,
};

/// E.164.
const MOST_DIGITS: usize = 15;
/// A number behind the sign for a long distance.
const MOST_ABROAD: usize = MOST_DIGITS + 2;
/// Of a number right behind the word for it; with fewer it is in groups: "call 28 562".
const FEWEST_CALLED: usize = 6;
/// Of a number that stands apart from the word for it.
const FEWEST_APART: usize = 7;
/// Of a national number, with the sign for a long distance.
const MOST_NATIONAL: usize = 12;

pub(super) fn find(
    text: &str,
    run: &Run,
    context: &Context<'_>,
    found: &mut impl FnMut(Range<usize>),
) {
    if run.digits() <= MOST_ABROAD {
        let end = with_extension(text, run.range.end);
        if is_phone(text, run, end, context) {
            found(run.range.start..end);
            return;
        }
    }
    // Two numbers in a row, or a number after another.
    if run.groups.len() < 2 || run.is_list(text) || run.is_doubling(text) {
        return;
    }
    let spaced = |i: usize| run.gap(text, i).trim().is_empty();
    let mixed = (0..run.groups.len() - 1).any(spaced) && !(0..run.groups.len() - 1).all(spaced);
    if mixed {
        let mut first = 0;
        for end in 1..=run.groups.len() {
            if end == run.groups.len() || spaced(end - 1) {
                let part = run.part(text, first..end);
                if is_phone(text, &part, part.range.end, context) {
                    found(part.range);
                }
                first = end;
            }
        }
    } else if run.digits() > MOST_NATIONAL && spaced(0) {
        national(text, run, context, found);
    }
}

/// Whole national numbers of North America between other digits.
fn national(text: &str, run: &Run, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    let shape = run.shape();
    let mut at = 0;
    while at < shape.len() {
        let count = [[3, 3, 4].as_slice(), &[3, 7], &[10]]
            .into_iter()
            .find_map(|national| shape[at..].starts_with(national).then_some(national.len()));
        let part = count.map(|count| run.part(text, at..at + count));
        match part.filter(|part| {
            let number = digits_of(text, part.range.clone());
            is_national(&number) && context.named(&part.range) == Named::No
        }) {
            Some(part) => {
                at += part.groups.len();
                found(part.range);
            }
            None => at += 1,
        }
    }
}

fn is_phone(text: &str, run: &Run, end: usize, context: &Context<'_>) -> bool {
    let (start, digits) = (run.range.start, run.digits());
    let said_after = context.phone_after(end) || context.called_after(end) == Some(Class::Phone);
    if is_linked(text, start) && (FEWEST_APART..=MOST_DIGITS).contains(&digits) {
        return true;
    }
    let sure =
        || run.parenthesis || is_zero(text, start) || context.adjacent(start) == Some(Class::Phone);
    let free = run.plus
        || starts_freely(text, start, context)
        || starts_behind_word(text, start, context) && sure();
    if !free {
        return false;
    }
    let worded = || ends_in_word(text, end) && (run.plus || sure() || !is_unit(text, end, context));
    if !(said_after || ends_freely(text, end) || worded()) {
        return false;
    }
    if run.plus {
        return (7..=MOST_DIGITS).contains(&digits);
    }
    let few = if run.groups.len() > 1 { FEWEST_CALLED - 1 } else { FEWEST_CALLED };
    if digits < few || is_date(text, run) {
        return false;
    }
    let named = context.named(&(start..end));
    if named == Named::Yes {
        // "order 07911 123456": no order is written like this.
        let trunk = text[run.groups[0].range.clone()].starts_with('0');
        let written = run.groups.len() > 1 && trunk && !text[start..].starts_with("00");
        return written && digits >= 10 && !context.is_counted(start) && weak_shape(text, run);
    }
    let near = context.near(start);
    if digits <= MOST_DIGITS && (said_after || context.adjacent(start) == Some(Class::Phone)) {
        return true;
    }
    // "call me about parcel 998877"
    if near == Some(Class::Phone) && digits >= FEWEST_APART && !context.is_around(start) {
        return true;
    }
    if named == Named::Sign || context.adjacent(start) == Some(Class::Other) {
        return false;
    }
    let short =
        run.groups.iter().all(|group| group.digits <= 3 && !is_zero(text, group.range.start));
    let sizes = near == Some(Class::Size) && short
        || run.is_list(text)
        || run.is_doubling(text)
        || is_hours(text, run)
        || is_times(text, run)
        || is_place(text, run);
    // "where is parcel 4092 0597 0180"
    let of_shop = context.is_around(start) && !text[start..].starts_with('0');
    !sizes && (strong_shape(text, run) || weak_shape(text, run) && !of_shop)
}

/// What stands before the number in a link, or in a word for a link.
const LINKS: [&str; 11] = [
    "wa.me/",
    "tel:",
    "tel:/",
    "tel://",
    "sms:",
    "smsto:",
    "callto:",
    "whatsapp:",
    "phone=",
    "t.me/",
    "#p/",
];

/// "https://wa.me/436641234567", "tel:436641234567"
fn is_linked(text: &str, start: usize) -> bool {
    let before = text[..start].trim_end_matches('+');
    LINKS.iter().any(|link| before.ends_with(link))
}

/// A short word right behind digits may be a unit, and so may a known one for an amount.
fn is_unit(text: &str, end: usize, context: &Context<'_>) -> bool {
    const LONGEST: usize = 3;
    context.after(end).is_none_or(|word| {
        let class = word.meaning.and_then(|meaning| meaning.class);
        let letters = text[word.range.clone()].chars().count();
        letters <= LONGEST && word.meaning.is_none()
            || matches!(class, Some(Class::Other | Class::Size))
    })
}

fn is_zero(text: &str, at: usize) -> bool {
    text[at..].starts_with('0')
}

/// The end of the number after "x123" or " ext. 12".
fn with_extension(text: &str, end: usize) -> usize {
    let rest = text[end..].trim_start_matches([' ', ',']);
    let marks = ["extension", "ext.", "ext", "x", "durchwahl", "poste", "#"];
    let Some(mark) = marks.into_iter().find(|mark| rest.starts_with(mark)) else { return end };
    let number = rest[mark.len()..].trim_start_matches([' ', ':']);
    let length = number.bytes().take_while(u8::is_ascii_digit).count();
    let whole = number[length..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    if (1..=6).contains(&length) && whole { text.len() - number.len() + length } else { end }
}

/// Shapes that order numbers never have.
fn strong_shape(text: &str, run: &Run) -> bool {
    let digits = run.digits();
    match run.shape()[..] {
        _ if run.parenthesis => (8..=MOST_DIGITS).contains(&digits),
        [3, 3, 4] | [1, 3, 3, 4] => true,
        [3, 3, 3, 4] => text[run.range.clone()].starts_with("001"),
        [2, 2, 2, 2] => true,
        [2, 2, 2, 2, 2] => text[run.range.clone()].starts_with('0'),
        _ => false,
    }
}

/// Shapes of national numbers that other numbers may have, too.
fn weak_shape(text: &str, run: &Run) -> bool {
    let number = digits_of(text, run.range.clone());
    let digits = number.len();
    let trunk = number.starts_with('0') && !number.starts_with("00");
    let abroad = number.starts_with("00")
        && !number.starts_with("000")
        && (11..=MOST_ABROAD).contains(&digits);
    match run.shape()[..] {
        [8..=15] if run.groups[0].is_single() => !is_counting(&number),
        [9] => trunk,
        [10] => trunk || is_national(&number),
        [11] => trunk || (number.starts_with('1') && is_national(&number[1..])),
        // A German mobile; other numbers of twelve digits are codes of articles and parcels.
        [12] => {
            ["015", "016", "017"].into_iter().any(|start| number.starts_with(start))
                && !is_trade_item(&number)
        }
        [_] => abroad,
        [3, 7] | [5, 5] | [6, 4] | [5, 6] => true,
        [4, 4] => run.gap(text, 0).trim().is_empty() && is_pair(text, run),
        // A country's code without its `+`.
        [1..=3, 10] => is_national(&number[digits - 10..]),
        [_, _] => abroad || trunk && (8..=14).contains(&digits),
        ref groups => {
            let round = number.ends_with("000");
            let pairs = groups.iter().all(|group| *group == 2);
            let fits = groups.iter().all(|group| (2..=5).contains(group)) && !round && !pairs;
            fits && (9..=12).contains(&digits)
                || abroad
                || trunk && (8..=14).contains(&digits)
                || (10..=13).contains(&digits) && !round && is_code(&number[..groups[0]])
        }
    }
}

/// Codes of countries with two digits (ITU-T E.164, list of assigned codes). With three digits, all
/// that do not begin with one of these are assigned or kept free.
const COUNTRIES: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 \
                         61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

/// A country's code without its `+`: 33 6 12 34 56 78.
fn is_code(group: &str) -> bool {
    let of_two = |group: &str| COUNTRIES.split(' ').any(|code| code == group);
    match group.len() {
        1 => group == "7",
        2 => of_two(group),
        3 => group >= "2" && !of_two(&group[..2]),
        _ => false,
    }
}

/// Two groups of four that are no prices and no years: 6123 4724.
fn is_pair(text: &str, run: &Run) -> bool {
    run.groups.iter().all(|group| {
        let part = &text[group.range.clone()];
        !part.ends_with("00") && !part.ends_with("99") && !part.starts_with("20")
    }) && !text[run.range.clone()].starts_with(['0', '1'])
}

/// "1 2 3 4 5 6 7 8"
fn is_counting(digits: &str) -> bool {
    digits.as_bytes().windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == 1)
}

/// Ten bare digits as North American and Indian numbers have them.
fn is_national(digits: &str) -> bool {
    let at = |index: usize| digits.as_bytes()[index];
    at(0) >= b'6' || (at(0) >= b'2' && at(3) >= b'2')
}

//! Phone numbers of many countries, recognised by their `+`, by the words around them, or by a
//! shape that only phone numbers have.

use std::ops::Range;

use super::{
    context::{Class, Context, Nearness},
    run::{Run, ends_freely, starts_freely},
};

pub(super) fn find(text: &str, run: &Run, context: &Context, found: &mut impl FnMut(Range<usize>)) {
    if run.digits() <= 15 {
        let end = with_extension(text, run.range.end);
        if is_phone(text, run, end, context) {
            found(run.range.start..end);
        }
        return;
    }
    // Two numbers in a row, or a number after another one: only complete national shapes count.
    let shape = run.shape();
    let mut at = 0;
    while at < shape.len() {
        let count = [[3, 3, 4].as_slice(), &[3, 7], &[10]]
            .into_iter()
            .find_map(|national| shape[at..].starts_with(national).then_some(national.len()));
        if let Some(count) = count
            && !matches!(context.before(text, run.range.start), Some((Class::Shop, _)))
            && run.groups[at..at + count].iter().all(|g| !text[g.clone()].starts_with("00"))
        {
            found(run.groups[at].start..run.groups[at + count - 1].end);
            at += count;
        } else {
            at += 1;
        }
    }
}

fn is_phone(text: &str, run: &Run, end: usize, context: &Context) -> bool {
    let start = run.range.start;
    let digits = run.digits();
    let said_after = context.phone_after(end);
    if !starts_freely(text, start) && !run.plus || !(said_after || ends_freely(text, end)) {
        return false;
    }
    if run.plus {
        return digits >= 7;
    }
    if digits < 6 || is_date(text, run) {
        return false;
    }
    match context.before(text, start) {
        _ if said_after => true,
        Some((Class::Phone, _)) => true,
        Some((Class::Shop, Nearness::Adjacent)) => false,
        Some((Class::Shop, Nearness::Near)) => strong_shape(text, run),
        Some((Class::Card | Class::Ssn | Class::Other, Nearness::Adjacent)) => false,
        None | Some((Class::Card | Class::Ssn | Class::Other, Nearness::Near)) => {
            strong_shape(text, run) || weak_shape(text, run, context)
        }
    }
}

/// The end of the number after "x123" or " ext. 12".
fn with_extension(text: &str, end: usize) -> usize {
    let rest = &text[end..];
    let word = rest.trim_start_matches(' ');
    let lower: String = word.chars().take(9).flat_map(char::to_lowercase).collect();
    let Some(mark) = ["extension", "ext.", "ext", "x"].into_iter().find(|m| lower.starts_with(m))
    else {
        return end;
    };
    let number = word.get(mark.len()..).unwrap_or("").trim_start_matches(' ');
    let length = number.bytes().take_while(u8::is_ascii_digit).count();
    let whole = number[length..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    if (1..=6).contains(&length) && whole { text.len() - number.len() + length } else { end }
}

/// "12/05/2024", "2015-12-22 04".
fn is_date(text: &str, run: &Run) -> bool {
    let groups: Vec<&str> = run.groups.iter().map(|group| &text[group.clone()]).collect();
    let year = |text: &str| text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    match groups[..] {
        [a, b, c] => {
            a.len() <= 2 && b.len() <= 2 && year(c) || year(a) && b.len() <= 2 && c.len() <= 2
        }
        [a, b, c, _, ..] => year(a) && b.len() <= 2 && c.len() <= 2,
        _ => false,
    }
}

/// Shapes that order numbers never have.
fn strong_shape(text: &str, run: &Run) -> bool {
    let digits = run.digits();
    match run.shape()[..] {
        _ if run.parenthesis => (8..=15).contains(&digits),
        [3, 3, 4] | [1, 3, 3, 4] => true,
        [3, 3, 3, 4] => text[run.range.clone()].starts_with("001"),
        [2, 2, 2, 2] | [2, 2, 2, 2, 2] => true,
        _ => false,
    }
}

/// Shapes that count only if no word mentions an order.
fn weak_shape(text: &str, run: &Run, context: &Context) -> bool {
    let digits = run.digits();
    let trunk = {
        let mut first = text[run.groups[0].clone()].chars();
        first.next() == Some('0') && first.next().is_some_and(|c| c != '0')
    };
    match run.shape()[..] {
        [10] => !context.speaks_of_shop() && (trunk || national(&text[run.range.clone()])),
        [11] => !context.speaks_of_shop() && trunk,
        [_] => false,
        [3, 7] | [5, 5] | [6, 4] | [5, 6] => true,
        [_, _] => trunk && (8..=12).contains(&digits),
        ref groups => {
            let round = text[run.range.clone()].ends_with("000");
            let fits = groups.iter().all(|group| (2..=5).contains(group)) && !round;
            fits && (9..=12).contains(&digits) || trunk && (8..=12).contains(&digits)
        }
    }
}

/// Ten bare digits as North American and Indian numbers have them.
fn national(digits: &str) -> bool {
    let at = |index: usize| digits.as_bytes()[index];
    at(0) >= b'6' || (at(0) >= b'2' && at(3) >= b'2')
}

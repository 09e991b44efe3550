//! Payment card numbers, recognised by their length, their groups and Luhn's check digit.

use std::ops::Range;

use super::{
    context::{Class, Context, Nearness},
    run::{Run, digits_of, ends_freely, starts_freely},
};

/// The groups in which issuers print numbers.
const PRINTED: [&[usize]; 5] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[6, 13]];

pub(super) fn find(text: &str, run: &Run, context: &Context) -> Option<Range<usize>> {
    let shape = run.shape();
    let bare = (0..shape.len()).filter(|&i| (12..=19).contains(&shape[i])).map(|i| (i, 1));
    let printed = PRINTED.iter().flat_map(|print| {
        shape
            .windows(print.len())
            .enumerate()
            .filter(move |(_, w)| w == print)
            .map(|(i, w)| (i, w.len()))
    });
    bare.chain(printed).find_map(|(first, count)| {
        let groups = &run.groups[first..first + count];
        let range = groups[0].start..groups[count - 1].end;
        let near = context.before(text, range.start);
        let free = (first > 0 || starts_freely(text, range.start))
            && (first + count < shape.len() || ends_freely(text, range.end));
        (free && is_card(&digits_of(text, range.clone()), count > 1, near)).then_some(range)
    })
}

fn is_card(digits: &str, grouped: bool, near: Option<(Class, Nearness)>) -> bool {
    let luhn = luhn(digits);
    match near {
        // A number called a card number is treated as one, even with a typing error.
        Some((Class::Card, _)) => luhn || digits.len() >= 13,
        Some((Class::Shop, Nearness::Adjacent)) => false,
        Some((Class::Shop, Nearness::Near)) => luhn && grouped,
        None | Some((Class::Phone | Class::Ssn | Class::Other, _)) => {
            luhn && digits.len() >= 13 && issued(digits)
        }
    }
}

/// Whether it starts like the numbers that card schemes issue.
fn issued(digits: &str) -> bool {
    let two: u32 = digits[..2].parse().unwrap_or(0);
    matches!(two, 22..=27 | 30 | 34..=39 | 40..=69)
        || digits.starts_with("1800")
        || digits.starts_with("2131")
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0') << (index % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10) && digits.bytes().any(|byte| byte != b'0')
}

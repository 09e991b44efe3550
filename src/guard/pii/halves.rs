//! Cards whose number comes in pieces with words between them: "first half 4111 1111, second half
//! 1111 1111".

use std::ops::Range;

use super::{
    card::is_real,
    context::{Context, Named},
    run::{Run, digits_of},
    vocabulary::{Class, Role},
};

/// Longest way in bytes from a piece to the next one.
const FAR: usize = 48;
/// Digits of the shortest and the longest card.
const SHORTEST: usize = 14;
const LONGEST: usize = 19;

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    if text.bytes().filter(u8::is_ascii_digit).count() < SHORTEST {
        return;
    }
    let runs = Run::all(text);
    let of_card = context.told().iter().any(|told| told.class == Class::Card);
    let mut first = 0;
    while first < runs.len() {
        let last = last(text, &runs, first, of_card, context);
        if let Some(last) = last {
            runs[first..=last].iter().for_each(|run| found(run.range.clone()));
        }
        first = last.unwrap_or(first) + 1;
    }
}

/// The last piece of the card that begins with the run `first`.
fn last(
    text: &str,
    runs: &[Run],
    first: usize,
    of_card: bool,
    context: &Context<'_>,
) -> Option<usize> {
    if context.named(&runs[first].range) == Named::Yes {
        return None;
    }
    const LONGEST_PIECE: usize = 12;
    let mut number = digits_of(text, runs[first].range.clone());
    for next in first + 1..runs.len() {
        let gap = runs[next - 1].range.end..runs[next].range.start;
        if gap.len() > FAR || runs[next - 1..=next].iter().any(|run| run.digits() > LONGEST_PIECE) {
            return None;
        }
        let parted = context.between(gap.clone()).any(|word| word.is(Role::Part));
        let of_others = context.told_near(gap.clone()).any(|class| {
            matches!(class, Class::Shop | Class::Phone | Class::Other | Class::Account | Class::Ssn)
        });
        number += &digits_of(text, runs[next].range.clone());
        if of_others || !(parted || of_card) || number.len() > LONGEST {
            return None;
        }
        if number.len() >= SHORTEST && is_real(&number) {
            return Some(next);
        }
    }
    None
}

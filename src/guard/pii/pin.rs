//! PINs and one-time codes, by the words near them.

use std::ops::Range;

use super::{
    context::{Context, Named, Word},
    run::{Run, ends_freely},
    vocabulary::{Class, Role},
};

pub(super) fn is_pin(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let called = context.near(run.range.start) == Some(Class::Pin)
        || context.shown_as(run.range.end) == Some(Class::Pin)
        || is_behind_tan(text, run);
    (called && (3..=8).contains(&run.digits()) || is_code(text, run, context))
        && !run.plus
        && ends_freely(text, run.range.end)
        && context.named(&run.range) != Named::Yes
}

/// "TAN 482193": a colour, unless a number of six digits follows it.
fn is_behind_tan(text: &str, run: &Run) -> bool {
    let before = text[..run.range.start].trim_end_matches([' ', ':', '=', '-']);
    let word = before.strip_suffix("tan");
    run.digits() == 6 && word.is_some_and(|rest| !rest.ends_with(char::is_alphabetic))
}

/// "the code is 482 913", "482913 is the code": a number of the length of one-time codes near any
/// word for codes, if nothing of the shop is near.
fn is_code(text: &str, run: &Run, context: &Context<'_>) -> bool {
    /// Longest way in bytes from the word to its number, and to what it may be a code of.
    const FAR: usize = 60;
    const NEAR: usize = 30;
    let range = &run.range;
    let even = matches!(run.shape()[..], [4..=8] | [2, 2] | [3, 3] | [4, 4] | [2, 2, 2]);
    let gap = |gap: &str| gap.contains(['.', '!', '?', ';', '\n']);
    let before = context.code_before(range.start).filter(|code| {
        range.start - code.end <= FAR
            && !gap(&text[code.end..range.start])
            && is_joined(text, code.end..range.start, context)
    });
    let after = context.code_after(range.end).filter(|code| {
        let links = |word: &Word| word.is(Role::Link) || word.is(Role::Shows);
        code.start - range.end <= NEAR
            && !gap(&text[range.end..code.start])
            && context.between(range.end..code.start).next().is_some_and(links)
    });
    let Some(code) = before.or(after).filter(|_| even) else { return false };
    let first = code.start.min(range.start);
    let last = code.end.max(range.end);
    let about = context.told_near(first.saturating_sub(NEAR)..last + NEAR);
    !about.into_iter().any(|class| {
        matches!(class, Class::Shop | Class::Other | Class::Version | Class::Size | Class::Account)
    })
}

/// "code: 482913", "the code 482913", "the code that you sent me is 482913", but not "mail code rtp nc
/// 27711".
fn is_joined(text: &str, gap: Range<usize>, context: &Context<'_>) -> bool {
    let joins = [Role::Link, Role::Filler, Role::Preposition, Role::Number, Role::Use, Role::Shows];
    let joins = |word: &Word| joins.into_iter().any(|role| word.is(role));
    let last = context.between(gap.clone()).last();
    text[gap.clone()].trim_end().ends_with([':', '=', '>'])
        || last.is_none_or(|word| word.is(Role::Link) || word.is(Role::Shows))
        || context.between(gap).all(joins)
}

//! United States social-security numbers.

use std::ops::Range;

use super::{
    context::{Class, Context, Nearness},
    run::{Run, ends_freely, starts_freely},
};

pub(super) fn find(text: &str, run: &Run, context: &Context) -> Option<Range<usize>> {
    let range = run.groups.first()?.start..run.range.end;
    if run.plus || !starts_freely(text, range.start) || !ends_freely(text, range.end) {
        return None;
    }
    let near = context.before(text, range.start);
    let called_so = matches!(near, Some((Class::Ssn, _)));
    let of_shop = matches!(near, Some((Class::Shop, Nearness::Adjacent)));
    let fits = match run.shape()[..] {
        [3, 2, 4] => {
            let parts: Vec<&str> = run.groups.iter().map(|group| &text[group.clone()]).collect();
            let issued = parts[0] != "000" && parts[1] != "00" && parts[2] != "0000";
            let dashed = text[range.clone()].bytes().filter(|b| *b == b'-').count() == 2;
            issued && (called_so || (dashed && !of_shop))
        }
        // The last four digits alone identify people if the message says what they are.
        [4] | [9] => called_so,
        _ => false,
    };
    fits.then_some(range)
}

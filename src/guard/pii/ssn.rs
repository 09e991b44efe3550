//! United States social-security numbers.

use super::{
    context::{Context, Named},
    run::{Run, ends_freely, ends_in_word, starts_behind_word, starts_freely},
    vocabulary::Class,
};

pub(super) fn is_number(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let range = &run.range;
    let starts =
        starts_freely(text, range.start, context) || starts_behind_word(text, range.start, context);
    if run.plus || !starts || !(ends_freely(text, range.end) || ends_in_word(text, range.end)) {
        return false;
    }
    let short = text[..range.start].trim_end().trim_end_matches([' ', ':']).ends_with("ss#");
    let called = short
        || context.near(range.start) == Some(Class::Ssn)
        || context.called_after(range.end) == Some(Class::Ssn);
    match run.shape()[..] {
        [3, 2, 4] => {
            let part = |group: usize| &text[run.groups[group].range.clone()];
            let issued = part(0) != "000" && part(1) != "00" && part(2) != "0000";
            let even = run.gap(text, 0) == run.gap(text, 1);
            called || (issued && even && context.named(range) != Named::Yes)
        }
        // The last four digits alone identify people where somebody says what they are.
        [4] => called,
        _ => called && run.digits() == 9,
    }
}

//! PINs and one-time codes, by the words near them.

use super::{
    context::{Context, Named},
    run::{Run, ends_freely},
    vocabulary::Class,
};

pub(super) fn is_pin(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let called = context.near(run.range.start) == Some(Class::Pin)
        || context.called_after(run.range.end) == Some(Class::Pin)
        || is_behind_tan(text, run);
    called
        && !run.plus
        && (3..=8).contains(&run.digits())
        && ends_freely(text, run.range.end)
        && context.named(&run.range) != Named::Yes
}

/// "TAN 482193": a colour, unless a number of six digits follows it.
fn is_behind_tan(text: &str, run: &Run) -> bool {
    let before = text[..run.range.start].trim_end_matches([' ', ':', '=', '-']);
    let word = before.strip_suffix("tan");
    run.digits() == 6 && word.is_some_and(|rest| !rest.ends_with(char::is_alphabetic))
}

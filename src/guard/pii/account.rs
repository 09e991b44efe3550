//! Bank accounts without an IBAN: account number, sort code, routing number.

use super::{
    context::{Context, Named},
    run::{Run, ends_freely},
    vocabulary::Class,
};

pub(super) fn is_number(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let called = context.adjacent(run.range.start) == Some(Class::Account)
        || context.called_after(run.range.end) == Some(Class::Account);
    called
        && !run.plus
        && (4..=30).contains(&run.digits())
        && ends_freely(text, run.range.end)
        && context.named(&run.range) != Named::Yes
}

//! PINs and one-time codes, by the words near them.

use super::{
    context::{Context, Named},
    run::{Run, ends_freely},
    vocabulary::Class,
};

pub(super) fn is_pin(text: &str, run: &Run, context: &Context<'_>) -> bool {
    let called = context.near(run.range.start) == Some(Class::Pin)
        || context.called_after(run.range.end) == Some(Class::Pin);
    called
        && !run.plus
        && (3..=8).contains(&run.digits())
        && ends_freely(text, run.range.end)
        && context.named(&run.range) != Named::Yes
}

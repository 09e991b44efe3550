//! A name and four digits, and nothing else: "Ann Miller 4821". People are asked for both to show who
//! they are.

use std::ops::Range;

use super::{
    found::Found,
    kind::Kind,
    tagger::Token,
    vocabulary::{MEANINGS, Role},
};

/// The four digits, if the text has nothing else but what was `found` and words that join.
pub(super) fn digits(tokens: &[Token<'_>], found: &[Found]) -> Option<Range<usize>> {
    const LONGEST: usize = 10;
    let joins = |token: &Token<'_>| {
        let joins = [Role::Joint, Role::Filler, Role::Link, Role::Number];
        let meaning = MEANINGS.get(token.text);
        token.text == "name"
            || meaning
                .is_some_and(|m| m.class.is_none() && joins.into_iter().any(|role| m.is(role)))
    };
    let names = |token: &Token<'_>| {
        found.iter().any(|f| f.kind == Kind::Name && f.range.contains(&token.typed.start))
    };
    if tokens.len() > LONGEST || found.is_empty() || found.iter().any(|f| f.kind != Kind::Name) {
        return None;
    }
    let mut rest = tokens.iter().filter(|token| !names(token) && !joins(token));
    let number = rest.next()?;
    // A year.
    let year = number.text.starts_with("19") || number.text.starts_with("20");
    let whole = number.is_number() && number.text.len() == 4 && !year && rest.next().is_none();
    whole.then(|| number.typed.clone())
}

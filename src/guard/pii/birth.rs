//! Dates of birth, by the words before them.

use std::{collections::HashSet, ops::Range, sync::LazyLock};

use super::{
    fold,
    phrases::Phrases,
    tagger::{Gap, Token},
    vocabulary::{MEANINGS, Role},
};
use crate::words::{self, People};

struct Lists {
    births: Phrases,
    months: HashSet<String>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let people: People = words::all();
    Lists {
        births: Phrases::new(people.births),
        months: people.months.into_iter().map(fold::word).collect(),
    }
});

/// Words such as "is" before a date.
const FILLERS: usize = 3;
/// Day, month, year, and "of" between them.
const LONGEST: usize = 6;

/// As ranges of tokens.
pub(super) fn dates(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let mut dates = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let date = LISTS.births.end(tokens, at).and_then(|end| date(tokens, end));
        at = date.as_ref().map_or(at + 1, |date| date.end);
        dates.extend(date);
    }
    dates
}

/// Whether somebody is asked when they were born.
pub(super) fn asks(tokens: &[Token<'_>]) -> bool {
    (0..tokens.len()).any(|at| LISTS.births.end(tokens, at).is_some())
}

/// The date in the answer to that: "am 14. März 1988".
pub(super) fn told(tokens: &[Token<'_>]) -> Option<Range<usize>> {
    const MOST_WORDS: usize = 8;
    let first =
        tokens.iter().position(|token| token.has_digit() || LISTS.months.contains(token.text))?;
    let date = date(tokens, first).filter(|_| tokens.len() <= MOST_WORDS)?;
    Some(date)
}

fn date(tokens: &[Token<'_>], after: usize) -> Option<Range<usize>> {
    let fillers = tokens[after..].iter().take(FILLERS).take_while(|token| is_filler(token)).count();
    let start = after + fillers;
    let (mut end, mut numbers, mut month) = (start, 0, false);
    for (at, token) in tokens.iter().enumerate().skip(start).take(LONGEST) {
        if at > start && token.gap == Gap::Line {
            break;
        }
        if is_part(token) {
            numbers += 1;
        } else if LISTS.months.contains(token.text) && !month {
            month = true;
        } else if at > start && token.is_word() && token.text.len() <= 3 && is_filler(token) {
            continue;
        } else {
            break;
        }
        end = at + 1;
    }
    let digits = tokens.get(start)?.text.bytes().filter(u8::is_ascii_digit).count();
    // "1985", "030485", "03041985"
    let whole = numbers == 1 && matches!(digits, 4 | 6 | 8);
    (numbers >= 2 || numbers == 1 && month || whole).then_some(start..end)
}

/// "3", "3rd", "1985", "03041985"
fn is_part(token: &Token<'_>) -> bool {
    const LONGEST: usize = 8;
    let digits = token.text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=LONGEST).contains(&digits) && token.text.len() - digits <= 2
}

fn is_filler(token: &Token<'_>) -> bool {
    let is = |role| MEANINGS.get(token.text).is_some_and(|meaning| meaning.is(role));
    is(Role::Filler) || is(Role::Link) || is(Role::Preposition)
}

//! Names of people, as ranges of tokens.

mod asked;
mod introduced;
mod next;

use std::ops::Range;

use super::{
    tagger::{Case, Gap, Label, Token},
    vocabulary::MEANINGS,
};
pub(super) use asked::{asks, told};
pub(super) use introduced::introduced;
use next::continues;

/// The names that have this label, and whether each was introduced as one.
pub(super) fn names(
    tokens: &[Token<'_>],
    labels: &[Label],
    introduced: &[Range<usize>],
) -> Vec<(Range<usize>, bool)> {
    let mut names: Vec<Range<usize>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let told = introduced.iter().any(|told| told.contains(&at));
        if labels.get(at) != Some(&Label::Name) || !told && !may_name(token) {
            continue;
        }
        match names.last_mut().filter(|name| name.end == at && continues(tokens, at)) {
            Some(name) => name.end += 1,
            None => names.push(at..at + 1),
        }
    }
    let told = |name: &Range<usize>| introduced.iter().any(|told| name.contains(&told.start));
    let names = names.into_iter().map(|name| (told(&name), name));
    let somebody = |name: &Range<usize>| names_somebody(&tokens[name.clone()], tokens.len());
    let kept = names.filter(|(told, name)| *told || somebody(name));
    kept.map(|(told, name)| (name, told)).collect()
}

/// Only Latin letters were learned.
fn may_name(token: &Token<'_>) -> bool {
    let latin = |c: char| c < '\u{250}';
    token.is_word() && token.text.chars().all(latin)
}

/// "my", "ending", "wrong".
fn is_of_a_sentence(token: &Token<'_>) -> bool {
    introduced::is_never(token.text) || !token.is_name() && MEANINGS.contains_key(token.text)
}

/// A letter alone names nobody. An unknown word is more often a slip where a sentence begins, or in
/// lower case in a longer text.
fn names_somebody(name: &[Token<'_>], tokens: usize) -> bool {
    const SHORT: usize = 2;
    const LONG: usize = 5;
    const SHORTEST: usize = 3;
    match name {
        name if name.iter().all(is_of_a_sentence) => false,
        [only] if only.text.chars().count() < SHORTEST && only.case == Case::Lower => false,
        [only] if only.text.chars().count() < 2 => false,
        [only] if only.is_name() || tokens <= SHORT => true,
        [only] if only.case == Case::Lower => tokens < LONG,
        [only] => !matches!(only.gap, Gap::Start | Gap::Stop | Gap::Line),
        name => {
            // "kurtka damska czarna" is no name, though somebody is called Czarna.
            let lower = name.iter().all(|token| token.case == Case::Lower);
            let known = match lower {
                true => name.iter().any(Token::is_first_name) || name.iter().all(Token::is_name),
                false => true,
            };
            name.iter().any(|token| token.text.chars().count() > 1) && known
        }
    }
}

//! People say who they are: "my name is …".

use std::{ops::Range, sync::LazyLock};

use super::next::continues;
use crate::{
    guard::pii::{
        phrases::Phrases,
        tagger::{Case, Gap, Token},
    },
    words::{self, People},
};

struct Lists {
    introductions: Phrases,
    never: Phrases,
    things: Phrases,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let people: People = words::all();
    Lists {
        introductions: Phrases::new(people.introductions),
        never: Phrases::new(people.never),
        things: Phrases::new(people.things),
    }
});

/// Words of a name, initials included.
const LONGEST: usize = 4;

/// Words that are no names, whatever stands before them.
pub(super) fn is_never(word: &str) -> bool {
    LISTS.never.has(word)
}

/// The name that follows each introduction. The first word may be any that is not an ordinary one;
/// those after it are names, too.
pub(in crate::guard::pii) fn introduced(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some(start) = LISTS.introductions.end(tokens, at) else {
            at += 1;
            continue;
        };
        // "name" alone says it only at the beginning of a line.
        let alone = start == at + 1 && !matches!(tokens[at].gap, Gap::Start | Gap::Line);
        let of_a_thing = alone || at > 0 && LISTS.things.has(tokens[at - 1].text);
        at = start;
        if of_a_thing {
            continue;
        }
        if let Some(name) = name(tokens, start) {
            at = name.end;
            names.push(name);
        }
    }
    names
}

fn name(tokens: &[Token<'_>], start: usize) -> Option<Range<usize>> {
    let first = tokens.get(start)?;
    let apart = matches!(first.gap, Gap::Line | Gap::Stop);
    let known = first.is_name() || !first.is_ordinary();
    if apart || !first.is_word() || !known || LISTS.never.has(first.text) {
        return None;
    }
    // Arabic has no capitals: a name is two words then.
    let second = |at: usize| {
        let both = is_arabic(first) && is_arabic(&tokens[at]);
        both && at == start + 1 && !tokens[at].text.starts_with(AND)
    };
    let belongs = |at: &usize| {
        let token = &tokens[*at];
        let named = tokens.get(at + 1).is_some_and(|next| next.is_name() && !next.is_ordinary());
        let initial = token.text.chars().count() == 1 && (token.case != Case::Lower || named);
        let like_first = first.case == Case::Capital && token.case == Case::Capital;
        continues(tokens, *at)
            && token.is_word()
            && !LISTS.never.has(token.text)
            && (initial || like_first || second(*at) || token.is_name() && !token.is_ordinary())
    };
    let more = (start + 1..tokens.len()).take(LONGEST - 1).take_while(belongs).count();
    Some(start..start + 1 + more)
}

/// "and", which is written together with the next word.
const AND: char = 'و';

fn is_arabic(token: &Token<'_>) -> bool {
    token.text.starts_with(|c| matches!(c, '\u{620}'..='\u{64a}'))
}

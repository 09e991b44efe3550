//! A name and its password, without the word for it: "ann@example.com:hunter2",
//! "login: ann / hunter2".

use std::ops::Range;

use super::{
    context::{Context, Word},
    fold::PLACEHOLDER,
    value::{is_strong, leading, token},
    vocabulary::Role,
};

/// Of a password behind a name.
const SHORTEST: usize = 4;
const PARTS: [char; 5] = ['/', ':', '|', ';', ','];

pub(super) fn find(
    text: &str,
    context: &Context<'_>,
    emails: &[Range<usize>],
    found: &mut impl FnMut(Range<usize>),
) {
    for email in emails {
        let rest = &text[email.end..];
        let sure = rest.starts_with([':', '|']);
        let spaced = rest.trim_start_matches(' ');
        let gap = leading(spaced, |c| [':', '|', ' '].contains(&c)).len();
        if sure && !rest[1..].starts_with(' ') || rest.starts_with(['/', ';']) {
            password(text, email.end + 1, sure, context).into_iter().for_each(&mut *found);
        } else if spaced.starts_with([':', '|']) {
            let start = text.len() - spaced.len() + gap;
            password(text, start, false, context).into_iter().for_each(&mut *found);
        }
    }
    for word in context.words.iter().filter(|word| word.is(Role::Login)) {
        // "@user" is somebody's name.
        if text[..word.range.start].ends_with(['@', '.', '/', '-', '_']) {
            continue;
        }
        behind(text, word.range.end, context).into_iter().for_each(&mut *found);
    }
}

/// The password of "login: ann / hunter2", behind "login".
fn behind(text: &str, from: usize, context: &Context<'_>) -> Option<Range<usize>> {
    const MOST_FILLERS: usize = 4;
    let mut at = from;
    let mut introduced = false;
    for _ in 0..=MOST_FILLERS {
        let signs = leading(&text[at..], |c| " \t\n:=->(\"'".contains(c));
        introduced |= signs.contains([':', '=', '>']);
        at += signs.len();
        let word =
            context.after(at).filter(|word| word.range.start == at && word.meaning.is_some());
        let joins = [Role::Filler, Role::Link, Role::Preposition, Role::Login, Role::Use];
        let Some(word) = word.filter(|word| joins.into_iter().any(|role| word.is(role))) else {
            break;
        };
        introduced |= !word.is(Role::Login);
        at = word.range.end;
    }
    let name = text[at..].find(|c: char| c.is_whitespace() || PARTS.contains(&c))?;
    let end = at + name;
    // "credentials ann:hunter2"
    let glued = text[end..].starts_with([':', '/', '|'])
        && text[end + 1..].starts_with(|c: char| c.is_alphanumeric());
    introduced |= text[at..end].contains('@') || glued || is_handle(&text[at..end]);
    let provider = |word: &Word| word.is(Role::Provider);
    if context.between(at..end).any(provider) {
        return None;
    }
    if !introduced
        || name == 0
        || text[at..end].contains(PLACEHOLDER) && name > PLACEHOLDER.len_utf8()
    {
        return None;
    }
    let gap = leading(&text[end..], |c| c == ' ' || PARTS.contains(&c) || c == '\n');
    let start = end + gap.len();
    // "ann and hunter2"
    let joint =
        context.after(start).filter(|word| word.range.start == start && word.is(Role::Joint));
    let start = joint.map_or(start, |joint| {
        joint.range.end + leading(&text[joint.range.end..], |c| c == ' ').len()
    });
    password(text, start, gap.contains(['/', ':', '|']), context)
}

/// "lena.b", "lena_77": nobody writes a word of a sentence like this.
fn is_handle(name: &str) -> bool {
    let inside = name.trim_matches(|c: char| !c.is_alphanumeric());
    inside.contains(['.', '_']) && inside.contains(char::is_alphabetic)
        || inside.contains(char::is_alphabetic) && inside.contains(|c: char| c.is_ascii_digit())
}

/// The password at `start`. Behind a `sure` sign it may be a word.
fn password(text: &str, start: usize, sure: bool, context: &Context<'_>) -> Option<Range<usize>> {
    let token = token(text, start)?;
    let value = &text[token.clone()];
    let known = || {
        context.after(start).is_some_and(|word| {
            word.is(Role::Provider) || word.range == token && word.meaning.is_some()
        })
    };
    let word = sure
        && value.chars().count() >= SHORTEST
        && value.contains(char::is_alphabetic)
        && !value.contains([PLACEHOLDER, '@'])
        && !value.starts_with('/')
        && !known();
    let strong = is_strong(value) && value.contains(|c: char| c.is_ascii_digit());
    (strong || word).then_some(token)
}

//! Passwords: what people type after or before their words.

use std::ops::Range;

use super::{
    context::{Context, Told, Word},
    fold::PLACEHOLDER,
    lone::is_thing,
    value::{is_mixed, is_strong, leading, token},
    vocabulary::{Class, Role},
};

/// Words between "password" and what it is.
pub(super) const MOST_FILLERS: usize = 8;

/// Whether a word for passwords stands in the text, and no password was found by it.
pub(super) fn find(
    text: &str,
    context: &Context<'_>,
    found: &mut impl FnMut(Range<usize>),
) -> bool {
    let mut open = None;
    for told in context.told().iter().filter(|told| told.class == Class::Password) {
        let said = Said { text, context, told };
        let values = said.swapped().unwrap_or_else(|| said.value().into_iter().collect());
        open = Some(open.unwrap_or(true) && values.is_empty());
        values.into_iter().for_each(&mut *found);
    }
    in_addresses(text, found);
    open == Some(true)
}

/// The word "password" in a text.
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    pub(super) context: &'a Context<'a>,
    pub(super) told: &'a Told,
}

impl Said<'_> {
    fn value(&self) -> Option<Range<usize>> {
        let (before, after) = (self.before(), self.after());
        let is = |range: &Option<Range<usize>>, what: fn(&str) -> bool| {
            range.as_ref().is_some_and(|range| what(&self.text[range.clone()]))
        };
        // "Maple9tree is the password I type, no luck"
        if is(&before, is_strong) && !is(&after, is_mixed) {
            return before;
        }
        after.or(before).or_else(|| self.later())
    }

    /// "I changed my password from sunshine to moonlight"
    fn swapped(&self) -> Option<Vec<Range<usize>>> {
        let mut at = self.told.range.end;
        let mut next = || {
            let start = at + leading(&self.text[at..], |c| " \t\n:=".contains(c)).len();
            let token = token(self.text, start)?;
            at = token.end;
            // The quote behind a value.
            at += usize::from(token.start > start && self.text[at..].starts_with(['"', '\'', '`']));
            Some((self.context.after(start).filter(|word| word.range == token), token))
        };
        for _ in 0..MOST_FILLERS {
            let (word, _) = next()?;
            let word = word?;
            if word.is(Role::From) {
                let ((_, old), (to, _), (_, new)) = (next()?, next()?, next()?);
                to.filter(|word| word.is(Role::To))?;
                // "from the app to the website"
                let is_value = |range: &Range<usize>| {
                    let value = &self.text[range.clone()];
                    let known = self.context.after(range.start).filter(|word| word.range == *range);
                    !value.contains(PLACEHOLDER)
                        && (is_mixed(value)
                            || value.contains(' ')
                            || known.is_some_and(|word| word.meaning.is_none()))
                };
                let both: Vec<_> = [old, new].into_iter().filter(is_value).collect();
                return (!both.is_empty()).then_some(both);
            }
            if !(passes(word) || word.is(Role::Link) || word.is(Role::Hedge)) {
                return None;
            }
        }
        None
    }

    /// "my password is wrong, it was hunter2", "my password does not work: hunter2"
    fn later(&self) -> Option<Range<usize>> {
        const FAR: usize = 80;
        let from = self.told.range.end;
        let limit = self.text.floor_char_boundary((from + FAR).min(self.text.len()));
        let mut at = from;
        while at < limit {
            at +=
                leading(&self.text[at..], |c| c.is_whitespace() || "\"'(,;:=>-".contains(c)).len();
            let Some(token) = token(self.text, at).filter(|token| token.start < limit) else {
                break;
            };
            let before = self.text[from..token.start].trim_end_matches(' ');
            let linked = before.ends_with([':', '=', '>', '(', '"', '\''])
                || before.ends_with(" -")
                || self.context.ending_at(from + before.len()).is_some_and(introduces);
            let told = self.context.before(token.start).next();
            let ours = told.is_some_and(|told| told.range == self.told.range);
            let value = &self.text[token.clone()];
            if linked && ours && is_strong(value) && !is_thing(value) {
                return Some(token);
            }
            at = token.end.max(at + 1);
        }
        None
    }

    /// "user ann pass hunter2": a word for a login, and then a name.
    pub(super) fn is_of_login(&self) -> bool {
        const FAR: usize = 60;
        let start = self.text.floor_char_boundary(self.told.range.start.saturating_sub(FAR));
        let words: Vec<&Word> = self.context.between(start..self.told.range.start).collect();
        let login = words.iter().position(|word| word.is(Role::Login));
        login.is_some_and(|login| {
            let rest = &self.text[words[login].range.end..self.told.range.start];
            rest.contains(['@', PLACEHOLDER])
                || words[login + 1..].iter().any(|word| word.meaning.is_none())
        })
    }
}

/// A password may follow it, once something was said of it: "it was", "I typed".
fn introduces(word: &Word) -> bool {
    let said = word.is(Role::State) && !word.is(Role::Preposition) && !word.is(Role::Filler);
    said || word.is(Role::Link) || word.is(Role::Hedge)
}

/// May stand between "password" and the word that links it with its value.
pub(super) fn passes(word: &Word) -> bool {
    [Role::Filler, Role::Number, Role::Preposition, Role::Setting].into_iter().any(|r| word.is(r))
}

/// "https://name:password@host", "curl -u name:password"
fn in_addresses(text: &str, found: &mut impl FnMut(Range<usize>)) {
    for option in ["-u ", "--user "] {
        for (at, _) in text.match_indices(option) {
            let start = at + option.len();
            let end = text[start..].find(char::is_whitespace).map_or(text.len(), |n| start + n);
            if let Some((name, password)) = text[start..end].split_once(':')
                && !name.is_empty()
                && is_strong(password)
            {
                found(end - password.len()..end);
            }
        }
    }
    for (at, sign) in text.match_indices("://") {
        let start = at + sign.len();
        let end = text[start..]
            .find(|c: char| c.is_whitespace() || c == '/')
            .unwrap_or(text.len() - start);
        let authority = &text[start..start + end];
        let Some((login, _)) = authority.rsplit_once('@') else { continue };
        if let Some((name, password)) = login.split_once(':').filter(|(_, p)| !p.is_empty()) {
            let begin = start + name.len() + 1;
            if !password.contains(PLACEHOLDER) {
                found(begin..begin + password.len());
            }
        }
    }
}

//! Passwords: what people type after or before their words.

use std::ops::Range;

use super::{
    context::{Context, Told, Word},
    fold::PLACEHOLDER,
    vocabulary::{Class, Role},
};

/// Words between "password" and what it is.
const MOST_FILLERS: usize = 6;
const LONGEST: usize = 128;

pub(super) fn find(text: &str, context: &Context<'_>, found: &mut impl FnMut(Range<usize>)) {
    for told in context.told().iter().filter(|told| told.class == Class::Password) {
        let said = Said { text, context, told };
        if let Some(both) = said.swapped() {
            both.into_iter().for_each(&mut *found);
        } else if let Some(range) = said.after().or_else(|| said.before()).or_else(|| said.later())
        {
            found(range);
        }
    }
    in_addresses(text, found);
}

/// The word "password" in a text.
struct Said<'a> {
    text: &'a str,
    context: &'a Context<'a>,
    told: &'a Told,
}

impl Said<'_> {
    /// "password: hunter2", "my password for the shop is hunter2".
    fn after(&self) -> Option<Range<usize>> {
        let mut at = self.told.range.end;
        // Something says that a value follows.
        let mut linked = false;
        // A pass may open a museum, and unknown words may speak of something else.
        let mut doubtful = &self.text[self.told.range.clone()] == "pass" && !self.is_of_login();
        // The quote that ends "password" begins no value.
        if let Some(quote) = self.text[..self.told.range.start].chars().next_back()
            && matches!(quote, '"' | '\'')
            && self.text[at..].starts_with(quote)
        {
            at += 1;
        }
        if self.text[at..].starts_with("'s ") {
            (at, linked) = (at + 2, true);
        }
        for _ in 0..=MOST_FILLERS {
            let signs = leading(&self.text[at..], |c| " \t\n\r:=->,*(".contains(c));
            let shown = signs.contains([':', '=', '>']);
            linked |= shown;
            at += signs.len();
            let token = token(self.text, at)?;
            let quoted = token.start > at;
            if linked && let Some(end) = spaced_end(self.text, at) {
                return Some(at..end);
            }
            let word =
                self.context.after(at).filter(|word| !quoted && self.is_all(word, at, &token));
            let Some(word) = word else {
                let value = &self.text[token.clone()];
                let said = !doubtful && (linked || quoted) && !is_plainly_said(value);
                let one = said || is_mixed(value) && (linked || !doubtful);
                let new = token.start > self.told.range.end;
                return (new && one).then(|| token.start..self.end(&token));
            };
            if word.is(Role::Link) || self.is_set_to(word) {
                linked = true;
            } else if linked && word.is(Role::Setting) {
                // "was changed to hunter2"
                linked = false;
            } else if linked && word.is(Role::Hedge) {
                // "is now hunter2"
            } else if linked && (word.is(Role::State) || word.is(Role::Preposition)) {
                return self.phrase(word);
            } else if linked && !word.is(Role::Filler) && !word.is(Role::Number) {
                return (!doubtful).then(|| token.start..self.end(&token));
            } else if !doubtful
                && word.meaning.is_none()
                && with_digits(self.text, &token) > token.end
            {
                // "password tiger 123"
                return Some(token.start..with_digits(self.text, &token));
            } else if !passes(word) {
                doubtful = true;
            }
            at = word.range.end;
            // "c'est"
            at += usize::from(self.text[at..].starts_with('\''));
        }
        None
    }

    /// The end of the password that begins with `token`: "tiger 123", "blue horse battery".
    fn end(&self, first: &Range<usize>) -> usize {
        const MOST_WORDS: usize = 8;
        let digits = with_digits(self.text, first);
        let value = &self.text[first.clone()];
        if digits > first.end || !value.chars().all(|c| c.is_alphabetic() || c == '-') {
            return digits;
        }
        let mut end = first.end;
        for _ in 0..MOST_WORDS {
            let next = self.text[end..].starts_with(' ').then(|| self.context.after(end + 1));
            let next = next.flatten().filter(|word| word.range.start == end + 1);
            let Some(word) = next.filter(|word| word.meaning.is_none()) else { break };
            // A part of "it2" is no word.
            let whole = token(self.text, end + 1).is_some_and(|token| token == word.range);
            if !whole {
                break;
            }
            end = word.range.end;
        }
        end
    }

    /// "correct horse battery staple": a state, but only unknown words follow it.
    fn phrase(&self, state: &Word) -> Option<Range<usize>> {
        const FEWEST_WORDS: usize = 3;
        let end = self.end(&state.range);
        let words = self.text[state.range.end..end].split(' ').filter(|word| !word.is_empty());
        let whole = !self.text[end..].trim_start().starts_with(char::is_alphanumeric);
        (words.count() >= FEWEST_WORDS && whole).then_some(state.range.start..end)
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
            if linked && ours && is_strong(&self.text[token.clone()]) {
                return Some(token);
            }
            at = token.end.max(at + 1);
        }
        None
    }

    /// Whether the token at `at` is the word and nothing else.
    fn is_all(&self, word: &Word, at: usize, token: &Range<usize>) -> bool {
        let rest = self.text.get(word.range.end..token.end);
        word.range.start == at
            && rest.is_some_and(|rest| {
                rest.starts_with('\'') || rest.chars().all(|c| ":=->".contains(c))
            })
    }

    /// "user ann pass hunter2"
    fn is_of_login(&self) -> bool {
        const FAR: usize = 60;
        let start = self.text.floor_char_boundary(self.told.range.start.saturating_sub(FAR));
        self.context.between(start..self.told.range.start).any(|word| word.is(Role::Login))
    }

    /// The "to" of "I changed my password to sunshine".
    fn is_set_to(&self, word: &Word) -> bool {
        const FAR: usize = 24;
        let start = self.text.floor_char_boundary(self.told.range.start.saturating_sub(FAR));
        let mut before = self.context.between(start..word.range.start);
        word.is(Role::To) && before.any(|word| word.is(Role::Setting))
    }

    /// "hunter2 is my password", "use hunter2 as password".
    fn before(&self) -> Option<Range<usize>> {
        let mut end = self.told.range.start;
        let mut linked = false;
        for _ in 0..=MOST_FILLERS {
            end = self.text[..end].trim_end_matches([' ', ',', '"', '\'']).len();
            let word: Option<&Word> = self.context.ending_at(end);
            match word.filter(|word| {
                [Role::Filler, Role::Preposition, Role::Link].into_iter().any(|role| word.is(role))
            }) {
                Some(word) => {
                    linked |= word.is(Role::Link);
                    end = word.range.start;
                }
                None => break,
            }
        }
        let start = self.text[..end]
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + self.text[at..].chars().next().map_or(1, char::len_utf8));
        let token = start..end;
        let value = &self.text[token.clone()];
        (linked && is_mixed(value) && value.len() <= LONGEST).then_some(token)
    }
}

/// A password may follow it, once something was said of it: "it was", "I typed".
fn introduces(word: &Word) -> bool {
    let said = word.is(Role::State) && !word.is(Role::Preposition) && !word.is(Role::Filler);
    said || word.is(Role::Link) || word.is(Role::Hedge)
}

/// May stand between "password" and the word that links it with its value.
fn passes(word: &Word) -> bool {
    [Role::Filler, Role::Number, Role::Preposition, Role::Setting].into_iter().any(|r| word.is(r))
}

/// The end of a password that is typed letter by letter: "h u n t e r 2".
fn spaced_end(text: &str, start: usize) -> Option<usize> {
    const FEWEST: usize = 4;
    let single =
        |part: &&str| part.chars().nth(1).is_none() && part.contains(char::is_alphanumeric);
    let parts = text[start..].split(' ').take(LONGEST).take_while(single);
    let (count, length) =
        parts.fold((0, 0), |(count, length), part| (count + 1, length + part.len()));
    (count >= FEWEST).then(|| start + length + count - 1)
}

/// The end with the digits behind a word: "tiger 123".
fn with_digits(text: &str, token: &Range<usize>) -> usize {
    let value = &text[token.clone()];
    let rest = &text[token.end..];
    let digits = rest.trim_start_matches(' ');
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let whole = !digits[count..].starts_with(|c: char| c.is_alphanumeric());
    let word = value.chars().all(char::is_alphabetic);
    let follows = word && whole && (1..=8).contains(&count) && rest.len() == digits.len() + 1;
    if follows { token.end + 1 + count } else { token.end }
}

pub(super) fn leading(text: &str, is: impl Fn(char) -> bool) -> &str {
    &text[..text.len() - text.trim_start_matches(is).len()]
}

/// The token at `at`; in quotes it may have spaces.
pub(super) fn token(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    if matches!(first, '"' | '\'' | '`') {
        let inside = &rest[1..];
        if let Some(length) = inside.find(first).filter(|length| (1..=LONGEST).contains(length)) {
            return Some(at + 1..at + 1 + length);
        }
    }
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let length = rest[..length].trim_end_matches(['.', ',', ';', '"', '\'', ')', '?']).len();
    (1..=LONGEST).contains(&length).then(|| at..at + length)
}

/// Has letters, and digits or signs, and is neither an address nor a link.
pub(super) fn is_strong(value: &str) -> bool {
    const SHORTEST: usize = 5;
    let value = value.trim_end_matches(['!', '?', '.']);
    is_mixed(value)
        && value.chars().count() >= SHORTEST
        && value.contains(char::is_alphabetic)
        && !value.contains("://")
        && !value.starts_with("www.")
        && !value.split_once('@').is_some_and(|(_, domain)| domain.contains('.'))
}

/// Has what words of a sentence do not have.
fn is_mixed(value: &str) -> bool {
    let has = |what: fn(char) -> bool| value.contains(what);
    let letters = has(char::is_alphabetic);
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let signs = has(|c| "!@#$%^&*_+=~<>?{}|\\".contains(c));
    value.chars().count() >= 3
        && !value.contains(PLACEHOLDER)
        && (letters && (digits > 0 || signs) || digits >= 3)
}

/// No password: nothing is left of it, or a placeholder.
fn is_plainly_said(value: &str) -> bool {
    value.contains(PLACEHOLDER) || !value.contains(char::is_alphanumeric)
}

/// "https://name:password@host"
fn in_addresses(text: &str, found: &mut impl FnMut(Range<usize>)) {
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

//! The password that follows its word: "my password for the shop is hunter2".

use std::ops::Range;

use super::{
    alike::is_unspaced,
    context::Word,
    fold::PLACEHOLDER,
    lone::is_thing,
    secret::{MOST_FILLERS, Said, passes},
    value::{is_mixed, is_plainly_said, leading, spaced_end, token, with_digits},
    vocabulary::Role,
};

/// ": sunshine", and nothing else in the line.
fn is_one_word_behind(text: &str) -> bool {
    let line = text.strip_prefix(':').and_then(|rest| rest.lines().next()).map(str::trim);
    line.is_some_and(|line| !line.is_empty() && !line.contains(char::is_whitespace))
}

/// What was said between "password" and its value.
#[derive(Default)]
struct Way {
    /// Something says that a value follows.
    linked: bool,
    /// "should": it needs a "be", here or behind the value.
    modal: bool,
    /// Words that may speak of something else.
    doubtful: bool,
}

impl Said<'_> {
    /// "password: hunter2", "my password for the shop is hunter2".
    pub(super) fn after(&self) -> Option<Range<usize>> {
        let mut at = self.told.range.end;
        let login = self.is_of_login();
        let mut way = Way::default();
        // A pass may open a museum.
        let pass = &self.text[self.told.range.clone()] == "pass";
        let sign = self.text[at..].trim_start();
        let shown = sign.starts_with(['=', '>']) || is_one_word_behind(sign);
        way.doubtful = pass && !login && !shown;
        // The quote that ends "password" begins no value.
        if let Some(quote) = self.text[..self.told.range.start].chars().next_back()
            && matches!(quote, '"' | '\'')
            && self.text[at..].starts_with(quote)
        {
            at += 1;
        }
        if self.text[at..].starts_with("'s ") {
            (at, way.linked) = (at + 2, true);
        }
        for _ in 0..=MOST_FILLERS {
            let signs = leading(&self.text[at..], |c| " \t\n\r:=->,*(|~".contains(c));
            way.linked |= signs.contains([':', '=', '>', '~'])
                || signs.contains('|') && self.is_pair(at + signs.len());
            at += signs.len();
            if let Some(end) = self.context.aside_at(at) {
                at = end;
                continue;
            }
            let token = token(self.text, at)?;
            let quoted = token.start > at;
            if way.linked
                && let Some(end) = spaced_end(self.text, at)
            {
                return Some(at..end);
            }
            let word =
                self.context.after(at).filter(|word| !quoted && self.is_all(word, at, &token));
            let Some(word) = word else { return self.typed(&token, quoted, &way) };
            let be = word.is(Role::Be) && (way.linked || way.modal);
            if be || word.is(Role::Link) || self.is_set_to(word) {
                way.linked = true;
            } else if way.linked && word.is(Role::Setting) {
                // "was changed to hunter2"
                way.linked = false;
            } else if way.linked && word.is(Role::Hedge) {
                // "is now hunter2"
            } else if way.linked && (word.is(Role::State) || word.is(Role::Preposition)) {
                return self.phrase(word);
            } else if way.linked && !word.is(Role::Filler) && !word.is(Role::Number) {
                return (!way.doubtful).then(|| token.start..self.end(&token));
            } else if !way.linked && word.is(Role::Modal) {
                way.modal = true;
            } else if !way.linked && word.is(Role::Use) {
                // "the password that I use is hunter2"
            } else if word.meaning.is_none() && self.is_told_without_link(&token, &way, login) {
                return Some(token.start..self.end(&token));
            } else if !passes(word) && (way.linked || !word.is(Role::Hedge)) {
                way.doubtful = true;
            }
            at = word.range.end;
            // "c'est"
            at += usize::from(self.text[at..].starts_with('\''));
        }
        None
    }

    /// The password, if it is what stands at `token`, which is no word.
    fn typed(&self, token: &Range<usize>, quoted: bool, way: &Way) -> Option<Range<usize>> {
        let value = &self.text[token.clone()];
        let linked = way.linked || way.modal && self.is_closed(token.end);
        let said = !way.doubtful && (linked || quoted) && !is_plainly_said(value);
        let one = said || is_mixed(value) && (linked || !way.doubtful && !is_thing(value));
        let new = token.start > self.told.range.end;
        // "8-12 characters"
        let counted = !value.contains(char::is_alphabetic)
            && self.context.after(token.end).is_some_and(|word| word.is(Role::Digits));
        (new && one && !counted).then(|| token.start..self.end(token))
    }

    /// "password tiger 123", "mein Passwort müsste sommer sein", "user ann pass sunshine".
    fn is_told_without_link(&self, token: &Range<usize>, way: &Way, login: bool) -> bool {
        let end = with_digits(self.text, token);
        let counted = self.context.after(end).is_some_and(|word| word.is(Role::Digits));
        let with_digits = end > token.end && !counted;
        !way.doubtful
            && match way.modal {
                true => self.is_closed(end),
                false => with_digits || login || self.is_linked_before(end),
            }
    }

    /// "as far as I know the password is …" has its verb first in other languages: "laut Zettel ist
    /// das Passwort sommer".
    fn is_linked_before(&self, end: usize) -> bool {
        let start = self.text[..self.told.range.start].trim_end().len();
        let article = self.context.ending_at(start).filter(|word| word.is(Role::Filler));
        let before = article.map_or(start, |word| self.text[..word.range.start].trim_end().len());
        let rest = self.text[end..].trim_start();
        self.context.ending_at(before).is_some_and(|word| {
            // "Maple9tree is the password I type, no luck" has its value.
            let told = self.text[..word.range.start].trim_end();
            word.is(Role::Link) && !told.is_empty() && !told.ends_with(PLACEHOLDER)
        }) && (rest.is_empty() || rest.starts_with(['.', '!', ',', '\n']))
    }

    /// Whether "sein" stands behind the value: "müsste sommer sein", "zou zomer moeten zijn".
    fn is_closed(&self, end: usize) -> bool {
        const MOST: usize = 3;
        let rest = self.context.between(end..(end + 40).min(self.text.len())).take(MOST);
        let mut rest = rest.skip_while(|word| word.is(Role::Modal) || word.is(Role::Hedge));
        rest.next().is_some_and(|word| word.is(Role::Be))
    }

    /// "password | sunshine": two cells with one line between them, and the second is no heading.
    fn is_pair(&self, at: usize) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |n| at + n);
        let cells = self.text[start..end].trim_matches([' ', '|']).matches('|').count();
        cells == 1 && self.context.after(at).is_none_or(|word| word.meaning.is_none())
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

    /// Whether the token at `at` is the word and nothing else.
    fn is_all(&self, word: &Word, at: usize, token: &Range<usize>) -> bool {
        let rest = self.text.get(word.range.end..token.end);
        word.range.start == at
            && rest.is_some_and(|rest| {
                rest.starts_with('\'')
                    || rest.chars().all(|c| ":=->".contains(c))
                    || word.meaning.is_some() && rest.starts_with(is_unspaced)
            })
    }

    /// The "to" of "I changed my password to sunshine".
    fn is_set_to(&self, word: &Word) -> bool {
        const FAR: usize = 24;
        let start = self.text.floor_char_boundary(self.told.range.start.saturating_sub(FAR));
        let mut before = self.context.between(start..word.range.start);
        word.is(Role::To) && before.any(|word| word.is(Role::Setting))
    }
}

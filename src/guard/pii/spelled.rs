//! Addresses in words: "ann dot smith at example dot com", "ann (at) example.com", "ann @ a.ch",
//! "203 dot 0 dot 113 dot 9".

use std::ops::Range;

use super::{
    context::{Context, Word},
    email::is_provider,
    plain::{Edit, Plain},
    vocabulary::{ENDINGS, Role},
};

/// Parts of a name or a domain that are looked at.
const MOST_PARTS: usize = 8;
/// What stands around a sign in words: "(at)", "\"at\"", "|dot|".
const OPENING: [char; 17] =
    ['(', '[', '{', '<', '-', '_', '*', '"', '\'', '`', '|', '=', '/', '\\', '#', '~', '^'];
const CLOSING: [char; 17] =
    [')', ']', '}', '>', '-', '_', '*', '"', '\'', '`', '|', '=', '/', '\\', '#', '~', '^'];

/// The edits that write spelled addresses with their signs.
pub(super) fn edits(plain: &Plain, context: &Context<'_>) -> Vec<Edit> {
    let text = plain.as_str();
    let spoken = context.words.iter().filter(|word| word.is(Role::At)).map(|word| &word.range);
    let coded = ["@", "(a)", "[a]"].into_iter().flat_map(|sign| {
        text.match_indices(sign).map(|(at, sign)| at..at + sign.len()).collect::<Vec<_>>()
    });
    let mut signs: Vec<Range<usize>> = spoken.cloned().chain(coded).collect();
    signs.sort_by_key(|sign| sign.start);
    let mut edits: Vec<Edit> = Vec::new();
    for sign in signs {
        let floor = edits.last().map_or(0, |edit| edit.range.end);
        let spelled = Spelled { text, context, floor };
        if let Some(address) = spelled.around(sign) {
            edits.extend(address);
        }
    }
    edits.extend(Spelled { text, context, floor: 0 }.dots());
    edits
}

struct Spelled<'a> {
    text: &'a str,
    context: &'a Context<'a>,
    /// Nothing before it is read.
    floor: usize,
}

/// A sign in words or in brackets, or with spaces around it.
struct Sign {
    /// With its spaces and brackets.
    range: Range<usize>,
    with: &'static str,
    bracketed: bool,
}

impl Spelled<'_> {
    fn around(&self, sign: Range<usize>) -> Option<Vec<Edit>> {
        let said = self.text.as_bytes()[sign.start].is_ascii_alphabetic()
            || !self.text.as_bytes()[sign.start].is_ascii();
        // "at" is a common word, "arroba" is none.
        let word = self.context.ending_at(sign.end).filter(|_| said);
        let common = word.is_some_and(|word| word.is(Role::NotName));
        let at = self.widened(self.with_kind(sign), "@", said);
        let (name, start) = self.name(at.range.start)?;
        let is_word = self.text[start..at.range.start].chars().all(char::is_alphabetic);
        let sure = !common || at.bracketed || !is_word || self.context.mentions(Role::Mail);
        let (domain, end, dots) = self.domain(at.range.end, sure)?;
        let plain = at.range.len() == 1 && name.is_empty() && domain.is_empty();
        if plain {
            return None;
        }
        let first = self.context.between(start..at.range.start).next();
        // "look at this point", "us at example.com".
        if is_word && first.is_some_and(|word| word.is(Role::NotName)) {
            return None;
        }
        let meant = !said
            || at.bracketed
            || dots > 0
            || !is_word
            || self.context.mentions(Role::Mail)
            || is_provider(&self.text[at.range.end..end]);
        let mut edits = name;
        edits.push(Edit { range: at.range, with: at.with.into() });
        edits.extend(domain);
        meant.then_some(edits)
    }

    /// "at sign"
    fn with_kind(&self, sign: Range<usize>) -> Range<usize> {
        let kind = self
            .context
            .after(sign.end)
            .filter(|word| ["sign", "symbol", "zeichen"].contains(&&self.text[word.range.clone()]));
        sign.start..kind.map_or(sign.end, |word| word.range.end)
    }

    /// Edits of the domain that starts at `start`, its end, and the number of spoken dots. Behind a
    /// `sure` sign it may have any ending.
    fn domain(&self, start: usize, sure: bool) -> Option<(Vec<Edit>, usize, usize)> {
        let mut edits = Vec::new();
        let (mut at, mut end, mut dots, mut parts) = (start, start, 0, 0);
        let mut last = start..start;
        for _ in 0..MOST_PARTS {
            let length = self.part(at);
            if length == 0 {
                break;
            }
            (last, end) = (at..at + length, at + length);
            parts += 1;
            let Some(dot) = self.sign_after(end) else { break };
            // A dot at the end of the sentence belongs to no domain.
            let next = self.part(dot.range.end);
            if next == 0 {
                break;
            }
            let spaced = dot.range.len() > 1 && self.text[dot.range.start..].starts_with('.');
            let ending = |part: Range<usize>| ENDINGS.contains(&self.text[part]);
            if spaced
                && (parts > 1 && ending(last.clone())
                    || !ending(dot.range.end..dot.range.end + next))
            {
                break;
            }
            at = dot.range.end;
            if dot.with == "-" {
                parts -= 1;
            } else {
                dots += usize::from(!spaced && dot.range.len() > 1);
            }
            if dot.range.len() > 1 || &self.text[dot.range.clone()] != "." {
                edits.push(Edit { range: dot.range, with: dot.with.into() });
            }
        }
        let ending = &self.text[last.clone()];
        let long = ending.len() >= 2 && ending.chars().all(char::is_alphabetic);
        let known = parts >= 2 && (ENDINGS.contains(ending) || (dots == 0 || sure) && long);
        // "at the dot in the corner"
        let word = |word: Option<&Word>| word.is_some_and(|word| word.is(Role::NotName));
        let dictionary = dots > 0
            && parts == 2
            && word(self.context.between(start..end).next())
            && (!ENDINGS.contains(ending)
                || ending.len() == 2 && word(self.context.ending_at(end)));
        (known && !dictionary).then_some((edits, end, dots))
    }

    /// Edits of the name that ends at `end`, and its start.
    fn name(&self, end: usize) -> Option<(Vec<Edit>, usize)> {
        let mut edits = Vec::new();
        let mut start = self.part_before(end)?;
        for _ in 1..MOST_PARTS {
            let Some(sign) = self.sign_before(start) else { break };
            let Some(next) = self.part_before(sign.range.start) else { break };
            start = next;
            edits.push(Edit { range: sign.range, with: sign.with.into() });
        }
        edits.reverse();
        Some((edits, start))
    }

    /// Length of the label at `at`.
    fn part(&self, at: usize) -> usize {
        let label = |c: &char| c.is_alphanumeric() || *c == '-';
        let length = self.text[at..].chars().take_while(label).map(char::len_utf8).sum();
        // "example-dot-com"
        let dot = self.context.between(at..at + length).find(|word| {
            word.is(Role::Dot)
                && self.text[at..word.range.start].ends_with('-')
                && self.text[word.range.end..].starts_with('-')
        });
        dot.map_or(length, |dot| dot.range.start - 1 - at)
    }

    fn part_before(&self, end: usize) -> Option<usize> {
        let label = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
        let text = &self.text[self.floor.min(end)..end];
        let start = text.char_indices().rev().take_while(|(_, c)| label(*c)).last()?.0;
        Some(self.floor.min(end) + start)
    }

    /// The dot or the dash after a label.
    fn sign_after(&self, end: usize) -> Option<Sign> {
        let rest = &self.text[end..];
        let skipped =
            rest.len() - rest.trim_start_matches(|c| c == ' ' || OPENING.contains(&c)).len();
        let at = end + skipped.min(4);
        if let Some(word) = self.context.after(at).filter(|word| word.range.start == at)
            && let Some(with) = said_sign(word).filter(|with| matches!(*with, "." | "-"))
        {
            let sign = self.widened(word.range.clone(), with, true);
            return (sign.range.start == end).then_some(sign);
        }
        let sign = self.text[at..].chars().next()?;
        let typed = sign == '.' || (sign == ',' && skipped == 0 && !self.is_space(at + 1));
        typed.then(|| self.widened(at..at + 1, ".", false)).filter(|s| s.range.start == end)
    }

    fn is_space(&self, at: usize) -> bool {
        self.text[at..].chars().next().is_none_or(char::is_whitespace)
    }

    /// "dot", "underscore" or "dash" right before `start`.
    fn sign_before(&self, start: usize) -> Option<Sign> {
        if self.text[self.floor.min(start)..start].ends_with(" . ") {
            return Some(self.widened(start - 2..start - 1, ".", false));
        }
        let trimmed = self.text[..start].trim_end_matches(|c| c == ' ' || CLOSING.contains(&c));
        let word = self
            .context
            .ending_at(trimmed.len())
            .filter(|word| trimmed.len() < start && word.range.start > self.floor)?;
        let with = said_sign(word)?;
        Some(self.widened(word.range.clone(), with, true)).filter(|sign| sign.range.end == start)
    }

    /// Edits of the signs between digits: "203[.]0", "203 dot 0", "203 . 0", "0171 dash 555".
    fn dots(&self) -> Vec<Edit> {
        let said = self.context.words.iter().filter_map(|word| {
            said_sign(word).filter(|sign| *sign != "+").map(|sign| (word, sign))
        });
        let said = said.map(|(word, sign)| self.widened(word.range.clone(), sign, true));
        let typed = memchr::memchr_iter(b'.', self.text.as_bytes());
        let typed = typed.map(|at| self.widened(at..at + 1, ".", false));
        let dots = said.chain(typed.filter(|dot| !self.text[dot.range.start..].starts_with('.')));
        let is_digit = |c: char| c.is_ascii_digit();
        let between = dots.filter(|dot| {
            self.text[..dot.range.start].ends_with(is_digit)
                && self.text[dot.range.end..].starts_with(is_digit)
        });
        between.map(|dot| Edit { range: dot.range, with: dot.with.into() }).collect()
    }

    /// With the brackets and spaces around it.
    fn widened(&self, sign: Range<usize>, with: &'static str, said: bool) -> Sign {
        let before = self.text[self.floor.min(sign.start)..sign.start].trim_end_matches(' ');
        // A quote before a typed sign ends a name: "\"ann smith\"@example.com".
        let both = self.text[sign.end..].starts_with('"');
        let opening = |c: char| OPENING.contains(&c) && (said || both || c != '"');
        let inner = before.trim_end_matches(opening);
        let bracketed = inner.len() < before.len();
        let before = inner.trim_end_matches(' ');
        let start = self.floor.min(sign.start) + before.len();
        // A typed sign may stand at the end of a line.
        let blank: &[char] = if with == "@" && !said { &[' ', '\n', '\r'] } else { &[' '] };
        let after = self.text[sign.end..].trim_start_matches(blank);
        let after = if bracketed {
            after.trim_start_matches(CLOSING).trim_start_matches(' ')
        } else {
            after
        };
        Sign { range: start..self.text.len() - after.len(), with, bracketed }
    }
}

/// The sign of an address that a word stands for.
fn said_sign(word: &Word) -> Option<&'static str> {
    match word.meaning?.sign {
        None if word.is(Role::Dot) => Some("."),
        None if word.is(Role::Plus) => Some("+"),
        sign => sign,
    }
}

//! The words of a message, and what they say about the numbers near them.

use std::ops::Range;

use super::{
    cut,
    slip::is_one_slip,
    vocabulary::{Class, MEANINGS, Meaning, NAMES, PASSWORDS, Role},
};

/// Longest way in bytes between a word and the number that it tells about.
const WINDOW: usize = 40;

pub(super) struct Word {
    pub(super) range: Range<usize>,
    pub(super) meaning: Option<&'static Meaning>,
}

impl Word {
    pub(super) fn is(&self, role: Role) -> bool {
        self.meaning.is_some_and(|meaning| meaning.is(role))
    }
}

/// A word or a phrase that says what a number is.
pub(super) struct Told {
    pub(super) range: Range<usize>,
    pub(super) class: Class,
}

/// Whether somebody says that a number is one of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    No,
    /// Only a "#" says so.
    Sign,
    /// "order number 123".
    Yes,
}

pub(super) struct Context<'t> {
    text: &'t str,
    pub(super) words: Vec<Word>,
    told: Vec<Told>,
    /// What is said in between, and words for codes: they tell nothing of other numbers.
    aside: Vec<Told>,
}

impl<'t> Context<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let words: Vec<Word> = cut::words(text)
            .map(|range| Word { meaning: meaning(&text[range.clone()]), range })
            .collect();
        let (mut told, mut aside) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < words.len() {
            let Some((class, length)) = phrase(text, &words[at..]) else {
                at += 1;
                continue;
            };
            // "mi número de cliente" is "número de cliente", not "mi número".
            // "my code postal" speaks of no code that was sent.
            let longer = (1..length).find(|inner| {
                phrase(text, &words[at + inner..]).is_some_and(|(_, other)| {
                    other > length || class == Class::Pin && other > 1 && inner + other > length
                })
            });
            if longer.is_none() {
                let range = words[at].range.start..words[at + length - 1].range.end;
                let quiet = matches!(class, Class::Aside | Class::Code);
                (if quiet { &mut aside } else { &mut told }).push(Told { range, class });
            }
            at += longer.unwrap_or(length);
        }
        Self { text, words, told, aside }
    }

    pub(super) fn told(&self) -> &[Told] {
        &self.told
    }

    /// The end of what is said in between at `at`: "as far as I know".
    pub(super) fn aside_at(&self, at: usize) -> Option<usize> {
        let aside = self.aside.iter().find(|told| told.range.start == at);
        aside.filter(|told| told.class == Class::Aside).map(|told| told.range.end)
    }

    /// The nearest word for any code before `at`.
    pub(super) fn code_before(&self, at: usize) -> Option<Range<usize>> {
        let next = self.aside.partition_point(|told| told.range.end <= at);
        let code = self.aside[..next].iter().rev().take(2).find(|told| told.class == Class::Code);
        code.map(|told| told.range.clone())
    }

    /// The next one after `at`.
    pub(super) fn code_after(&self, at: usize) -> Option<Range<usize>> {
        let next = self.aside.partition_point(|told| told.range.start < at);
        let code = self.aside[next..].iter().take(2).find(|told| told.class == Class::Code);
        code.map(|told| told.range.clone())
    }

    /// What is told of within `range`.
    pub(super) fn told_near(&self, range: Range<usize>) -> impl Iterator<Item = Class> {
        let first = self.told.partition_point(|told| told.range.end <= range.start);
        let within = move |told: &&Told| told.range.start < range.end;
        self.told[first..].iter().take_while(within).map(|told| told.class)
    }

    /// The telling words before `at` within the window, nearest first.
    pub(super) fn before(&self, at: usize) -> impl Iterator<Item = &Told> {
        let next = self.told.partition_point(|told| told.range.end <= at);
        self.told[..next].iter().rev().take_while(move |told| at - told.range.end <= WINDOW)
    }

    /// What the nearest word before `at` says that a number there is.
    pub(super) fn near(&self, at: usize) -> Option<Class> {
        self.before(at).map(|told| told.class).find(|class| *class != Class::Around)
    }

    /// The same, if only words such as "number", "is" or "for" lie between.
    pub(super) fn adjacent(&self, at: usize) -> Option<Class> {
        let told = self.before(at).find(|told| told.class != Class::Around)?;
        let joined = self.between(told.range.end..at).all(|word| {
            let class = word.meaning.and_then(|meaning| meaning.class);
            [Role::Number, Role::Filler, Role::Preposition, Role::Link, Role::Digits]
                .into_iter()
                .any(|role| word.is(role))
                || class == Some(Class::Around)
        });
        (joined && !self.text[told.range.end..at].contains(['!', '?', ';'])).then_some(told.class)
    }

    /// Whether "number" or a sign stands between a name and the number at `at`.
    pub(super) fn is_counted(&self, at: usize) -> bool {
        self.before(at).next().is_some_and(|told| {
            let gap = told.range.start..at;
            self.between(gap.clone()).any(|word| word.is(Role::Number))
                || self.text[gap].contains(['#', ':', '='])
        })
    }

    /// Whether the nearest word speaks of the shop, and only words such as "the" lie between.
    pub(super) fn is_around(&self, at: usize) -> bool {
        self.before(at)
            .next()
            .is_some_and(|told| told.class == Class::Around && self.is_tight(told.range.end..at))
    }

    /// Whether the number at `range` is named as one of the shop, before or after it.
    pub(super) fn named(&self, range: &Range<usize>) -> Named {
        // "order ET6694261808"
        let code = self.ending_at(range.start).filter(|word| {
            (2..=3).contains(&word.range.len())
                && word.meaning.is_none_or(|m| m.class.is_none() && !m.is(Role::Number))
        });
        if self.named_before(range.start)
            || code.is_some_and(|word| self.named_before(word.range.start))
            || self.named_after(range.end)
        {
            return Named::Yes;
        }
        let before = self.text[..range.start].trim_end();
        if before.ends_with('#') { Named::Sign } else { Named::No }
    }

    fn named_before(&self, at: usize) -> bool {
        let mut counted = false;
        let mut end = at;
        for told in self.before(at) {
            counted |= self.between(told.range.end..end).any(|word| word.is(Role::Number));
            let name = match told.class {
                Class::Shop => true,
                Class::Around => counted,
                _ => return false,
            };
            if name {
                return self.is_tight(told.range.end..at);
            }
            end = told.range.start;
        }
        self.is_misspelled(at)
    }

    /// "cancel ordedr 123": a word right before a number that is one letter away from a name.
    fn is_misspelled(&self, at: usize) -> bool {
        const SHORTEST: usize = 4;
        let start = self.text.floor_char_boundary(at.saturating_sub(WINDOW));
        let mut words: Vec<&Word> = self.between(start..at).collect();
        while words.last().is_some_and(|w| w.is(Role::Filler) || w.is(Role::Number)) {
            words.pop();
        }
        let Some(word) = words.last().filter(|word| word.meaning.is_none()) else { return false };
        let typed = &self.text[word.range.clone()];
        typed.len() >= SHORTEST
            && self.is_tight(word.range.end..at)
            && NAMES.iter().any(|name| is_one_slip(typed, name))
    }

    /// "558210334 is my customer number", "558210334 (order)".
    fn named_after(&self, at: usize) -> bool {
        let next = self.told.partition_point(|told| told.range.start < at);
        let Some(told) = self.told.get(next) else { return false };
        let gap = at..told.range.start;
        if gap.len() > WINDOW / 2 || !self.is_tight(gap.clone()) {
            return false;
        }
        let opened = self.text[gap.clone()].contains('(');
        let linked = self.between(gap).any(|word| word.is(Role::Link));
        let counted = || self.after(told.range.end).is_some_and(|word| word.is(Role::Number));
        (opened || linked)
            && (told.class == Class::Shop || told.class == Class::Around && counted())
    }

    /// Only signs and words lie in `gap` that connect a name with its number.
    fn is_tight(&self, gap: Range<usize>) -> bool {
        let signs = |c: char| c.is_alphabetic() || " \t#:=.()[]'\"*-/°".contains(c);
        self.text[gap.clone()].chars().all(signs)
            && self.between(gap).all(|word| {
                let around = word.meaning.is_some_and(|m| m.class == Some(Class::Around));
                around || [Role::Number, Role::Filler, Role::Link].into_iter().any(|r| word.is(r))
            })
    }

    /// Whether a word right after `at` says that a phone number ended there ("555 1234-Office").
    pub(super) fn phone_after(&self, at: usize) -> bool {
        let next = self.told.partition_point(|told| told.range.start < at);
        self.told.get(next).is_some_and(|told| {
            let gap = &self.text[at..told.range.start];
            told.class == Class::Phone
                && gap.len() <= 12
                && !gap.contains([',', ';', '.', '!', '?', '\n'])
        })
    }

    /// "4111… is my card", "925665416 is my passport number".
    pub(super) fn called_after(&self, at: usize) -> Option<Class> {
        let next = self.told.partition_point(|told| told.range.start < at);
        let told = self.told.get(next)?;
        let gap = at..told.range.start;
        let linked = gap.len() <= WINDOW / 2
            && self.is_tight(gap.clone())
            && self.between(gap).any(|word| word.is(Role::Link));
        linked.then_some(told.class)
    }

    /// "662 is written on the back of my card": a verb, and other words up to what is told of.
    pub(super) fn shown_as(&self, at: usize) -> Option<Class> {
        const MOST_WORDS: usize = 6;
        let next = self.told.partition_point(|told| told.range.start < at);
        let told = self.told[next..].iter().take(3).find(|told| told.class != Class::Card)?;
        let gap = at..told.range.start;
        let words: Vec<&Word> = self.between(gap.clone()).take(MOST_WORDS).collect();
        // "se encuentra" has its verb in the second place.
        let shows = |word: &&Word| word.is(Role::Link) || word.is(Role::Shows);
        let shown = words.iter().take(2).any(shows);
        let near = gap.len() <= WINDOW && words.len() < MOST_WORDS;
        let joined = !self.text[gap].contains(['.', '!', '?', ';', '\n']);
        (shown && near && joined).then_some(told.class)
    }

    /// Whole words in `gap`.
    pub(super) fn between(&self, gap: Range<usize>) -> impl Iterator<Item = &Word> {
        let first = self.words.partition_point(|word| word.range.start < gap.start);
        self.words[first..].iter().take_while(move |word| word.range.end <= gap.end)
    }

    /// The word right after `at`.
    pub(super) fn after(&self, at: usize) -> Option<&Word> {
        let next = self.words.partition_point(|word| word.range.start < at);
        self.words.get(next).filter(|word| word.range.start <= at + 2)
    }

    /// The word that ends at `at`.
    pub(super) fn ending_at(&self, at: usize) -> Option<&Word> {
        let next = self.words.partition_point(|word| word.range.end < at);
        self.words.get(next).filter(|word| word.range.end == at)
    }

    pub(super) fn mentions(&self, role: Role) -> bool {
        self.words.iter().any(|word| word.is(role))
    }
}

/// What a word means, also with a slip of the finger if it is one for passwords.
fn meaning(word: &str) -> Option<&'static Meaning> {
    const SHORTEST: usize = 7;
    MEANINGS.get(word).or_else(|| {
        let first = word.bytes().next().filter(|_| word.len() >= SHORTEST)?;
        let meant = PASSWORDS.get(&first)?.iter().find(|name| is_one_slip(word, name))?;
        MEANINGS.get(*meant)
    })
}

/// What the first of `words` says, alone or with those after it, and how many words say it.
fn phrase(text: &str, words: &[Word]) -> Option<(Class, usize)> {
    // "code 482913 bekommen" is no phrase.
    let next = |i: usize| {
        let word = words.get(1 + i)?;
        let gap = &text.as_bytes()[words[i].range.end..word.range.start];
        let joined = !gap.iter().any(u8::is_ascii_digit);
        joined.then(|| &text[word.range.clone()])
    };
    words.first()?.meaning?.phrase(next)
}

//! The words around a number that show what it is.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use crate::words::{self, Personal, Words};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A number of the shop: order, tracking, invoice, article, ticket.
    Shop,
    Phone,
    Card,
    Ssn,
    /// Another number that belongs to no other class, such as an amount or an account.
    Other,
}

/// How close a word stands before a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nearness {
    /// Only words such as "number", "is" or "#" are between them.
    Adjacent,
    /// Within about forty characters.
    Near,
}

const WINDOW: usize = 40;

pub(super) struct Context {
    words: Vec<(Range<usize>, Class)>,
}

impl Context {
    pub(super) fn new(text: &str) -> Self {
        let lower: String = text.chars().map(lowercase).collect();
        let words = words(&lower)
            .filter_map(|range| class(&lower, &range).map(|class| (range, class)))
            .collect();
        Self { words }
    }

    /// The nearest word before `at` that has a class.
    pub(super) fn before(&self, text: &str, at: usize) -> Option<(Class, Nearness)> {
        let next = self.words.partition_point(|(word, _)| word.end <= at);
        let nearest = next.checked_sub(1).map(|index| &self.words[index]);
        let Some((word, class)) = nearest.filter(|(word, _)| at - word.end <= WINDOW) else {
            return text[..at].ends_with('#').then_some((Class::Shop, Nearness::Adjacent));
        };
        let gap = &text[word.end..at];
        let adjacent = gap
            .split(|c: char| !c.is_alphanumeric())
            .all(|filler| filler.is_empty() || PERSONAL.fillers.contains(lower(filler).as_str()));
        if adjacent {
            return Some((*class, Nearness::Adjacent));
        }
        // "#" alone means a number of the shop, unless a nearer word says otherwise.
        if gap.ends_with('#') {
            return Some((Class::Shop, Nearness::Adjacent));
        }
        Some((*class, Nearness::Near))
    }

    /// Whether the text right after `at` shows that a phone number ended there ("555 1234-Office").
    pub(super) fn phone_after(&self, at: usize) -> bool {
        let next = self.words.partition_point(|(word, _)| word.start < at);
        self.words
            .get(next)
            .is_some_and(|(word, class)| *class == Class::Phone && word.start - at <= 12)
    }

    /// Whether the message mentions an order, an invoice or the like anywhere.
    pub(super) fn speaks_of_shop(&self) -> bool {
        self.words.iter().any(|(_, class)| *class == Class::Shop)
    }
}

/// Keeps offsets: a letter stays if its lower case has another length.
fn lowercase(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(l), None) if l.len_utf8() == c.len_utf8() => l,
        _ => c,
    }
}

fn lower(text: &str) -> String {
    text.chars().map(lowercase).collect()
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphabetic)?;
        let end =
            text[start..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |n| start + n);
        at = end;
        Some(start..end)
    })
}

static PERSONAL: LazyLock<Personal> = LazyLock::new(words::all);

/// Words that show what a number is, in any position.
static CLASSES: LazyLock<HashMap<&str, Class>> = LazyLock::new(|| {
    let lists = [
        (&PERSONAL.shop, Class::Shop),
        (&PERSONAL.phone, Class::Phone),
        (&PERSONAL.card, Class::Card),
        (&PERSONAL.ssn, Class::Ssn),
        (&PERSONAL.other, Class::Other),
    ];
    let telling = |(list, class): (&'static Words, Class)| list.iter().map(move |w| (*w, class));
    lists.into_iter().flat_map(telling).collect()
});

fn class(lower: &str, word: &Range<usize>) -> Option<Class> {
    match &lower[word.clone()] {
        "messages" | "message" | "text" if follows(lower, word, &["to", "me"]) => {
            Some(Class::Phone)
        }
        "number" | "no" if preceded(lower, word, "my") => Some(Class::Phone),
        other => CLASSES.get(other).copied(),
    }
}

fn follows(lower: &str, word: &Range<usize>, next: &[&str]) -> bool {
    let after = lower[word.end..].trim_start();
    let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
    next.contains(&&after[..end])
}

fn preceded(lower: &str, word: &Range<usize>, previous: &str) -> bool {
    let before = lower[..word.start].trim_end();
    before.strip_suffix(previous).is_some_and(|rest| !rest.ends_with(char::is_alphabetic))
}

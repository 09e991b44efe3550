//! Words of customer service with the same meaning. A word outside this list stands for itself, so
//! a gap costs a hit and never serves a wrong answer. A wrong synonym could serve one, so a line
//! holds only words that one answer covers.

use std::{borrow::Cow, cmp::Reverse, collections::HashMap, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};

use crate::words;

/// The role of a word in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// No meaning of its own: articles, auxiliaries, politeness, "I want to know".
    Light,
    /// Reverses a statement.
    Negation,
    /// An action; two words with the same number mean the same.
    Action(u16),
    /// A thing.
    Object(u16),
    /// Another word that must agree: a question word, a quantity, a direction.
    Sign(u16),
    /// Not in the list: a name, a thing, a unit. Only the same word agrees.
    Itself,
}

/// The sign for a finished action ("cancelled") or a property ("refundable"); neither is the action
/// itself.
pub(super) const DONE: u16 = 0;
pub(super) const CAPABLE: u16 = 1;
const FIRST_FREE: u16 = 2;

/// What is known about a form of a word.
#[derive(Default)]
struct Lexicon {
    words: HashMap<&'static str, Meaning>,
    stems: HashMap<String, Meaning>,
    /// Long words with one inner letter missing; `None` if two meanings match.
    gaps: HashMap<String, Option<Meaning>>,
    phrases: HashMap<&'static str, Vec<(Vec<&'static str>, &'static str)>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let lists: words::Lexicon = words::of("en");
    let mut lexicon = Lexicon::default();
    let actions = lists.actions.iter().map(|group| (group, Meaning::Action as fn(u16) -> Meaning));
    let objects = lists.objects.iter().map(|group| (group, Meaning::Object as fn(u16) -> Meaning));
    let signs = lists.signs.iter().map(|group| (group, Meaning::Sign as fn(u16) -> Meaning));
    for (number, (group, meaning)) in (FIRST_FREE..).zip(actions.chain(objects).chain(signs)) {
        for word in group {
            let meaning = meaning(number);
            lexicon.words.insert(word, meaning);
            lexicon.stems.insert(stem(word).into_owned(), meaning);
            for gap in gaps(word) {
                let known = lexicon.gaps.entry(gap).or_insert(Some(meaning));
                if *known != Some(meaning) {
                    *known = None;
                }
            }
        }
    }
    // These are matched as whole words, because their stems would match other words.
    lexicon.words.extend(lists.light.iter().map(|word| (*word, Meaning::Light)));
    lexicon.words.extend(lists.negations.iter().map(|word| (*word, Meaning::Negation)));
    lexicon.words.extend(lists.alone.iter().map(|word| (*word, Meaning::Itself)));
    for (phrase, meaning) in lists.phrases {
        let mut words = phrase.split(' ');
        if let Some(first) = words.next() {
            lexicon.phrases.entry(first).or_default().push((words.collect(), meaning));
        }
    }
    // The longest phrase that matches is used.
    for phrases in lexicon.phrases.values_mut() {
        phrases.sort_by_key(|(rest, _)| Reverse(rest.len()));
    }
    lexicon
});

/// The meaning of a lower-case word; one typing error is tolerated.
pub(super) fn meaning(word: &str) -> Meaning {
    let lexicon = &*LEXICON;
    known(word).or_else(|| slip(lexicon, word)).unwrap_or(Meaning::Itself)
}

fn known(word: &str) -> Option<Meaning> {
    let exact = LEXICON.words.get(word).copied();
    exact.or_else(|| LEXICON.stems.get(stem(word).as_ref()).copied())
}

pub(super) fn stem(word: &str) -> Cow<'_, str> {
    Stemmer::create(Algorithm::English).stem(word)
}

/// The phrase at the start of `words`: its number of words, and the word that stands for it (empty
/// for none).
pub(super) fn phrase(words: &[impl AsRef<str>]) -> Option<(usize, &'static str)> {
    let (first, rest) = words.split_first()?;
    let phrases = LEXICON.phrases.get(first.as_ref())?;
    let (found, meaning) = phrases.iter().find(|(phrase, _)| {
        phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(a, b)| *a == b.as_ref())
    })?;
    Some((found.len() + 1, meaning))
}

/// Matches two swapped neighbours, or in a long word one inner letter missing or added. A replaced
/// letter never matches, because that gives other words.
fn slip(lexicon: &Lexicon, word: &str) -> Option<Meaning> {
    if !(5..=20).contains(&word.len()) || !word.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let swapped = (0..word.len() - 1).find_map(|index| {
        let (head, tail) = word.split_at(index);
        known(&format!("{head}{}{}{}", &tail[1..2], &tail[..1], &tail[2..]))
    });
    swapped
        .or_else(|| gaps(word).find_map(|gap| (gap.len() >= 6).then(|| known(&gap)).flatten()))
        .or_else(|| lexicon.gaps.get(word).copied().flatten())
}

/// All forms of a word of at least seven letters with one inner letter removed.
fn gaps(word: &str) -> impl Iterator<Item = String> {
    let inner = if word.len() >= 7 { 1..word.len() - 1 } else { 0..0 };
    inner.map(|index| format!("{}{}", &word[..index], &word[index + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_slips_of_a_word_mean_the_same_and_opposites_do_not() {
        assert_eq!(meaning("cancellation"), meaning("canceling"));
        assert_eq!(meaning("esrvice"), meaning("support"));
        assert_eq!(meaning("newsleter"), meaning("newsletters"));
        assert_eq!(meaning("passsword"), meaning("pwd"));
        assert_ne!(meaning("activate"), meaning("deactivate"));
        assert_ne!(meaning("subscribe"), meaning("unsubscribe"));
        assert_eq!(meaning("charger"), Meaning::Itself);
        assert_eq!(meaning("personal"), Meaning::Itself);
    }

    #[test]
    fn no_word_has_two_meanings() {
        let lists: words::Lexicon = words::of("en");
        let groups = lists.actions.iter().chain(&lists.objects).chain(&lists.signs);
        let mut seen = HashMap::new();
        for (number, group) in groups.enumerate() {
            for word in group {
                let other = seen.insert(stem(word).into_owned(), number);
                assert!(other.is_none_or(|other| other == number), "{word}");
                assert!(!lists.light.contains(word), "{word}");
            }
        }
    }
}

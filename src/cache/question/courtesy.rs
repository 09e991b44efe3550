//! Whole phrases that only ask: "hi", "could you tell me how to", "thanks". No answer depends on
//! them, whatever stands before or behind.

use std::sync::LazyLock;

use crate::words::{self, Courtesy, Sequences, Words};

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases::of(words::of("en")));

struct Phrases {
    greetings: Vec<Phrase>,
    openings: Vec<Phrase>,
    asking: Vec<Phrase>,
    links: Vec<Phrase>,
    topics: Words,
    closings: Vec<Phrase>,
    function: Words,
}

/// The choices for each place; a choice may have several words.
struct Phrase(Vec<Vec<Vec<&'static str>>>);

/// What a clause says.
pub(super) struct Clause<'a> {
    /// Its words without such phrases at both ends.
    pub(super) words: &'a [String],
    /// Whether a phrase before them asks for something, so that they are no order.
    pub(super) asks: bool,
}

impl<'a> Clause<'a> {
    pub(super) fn of(mut words: &'a [String]) -> Self {
        let mut asks = false;
        loop {
            let (greeting, opening) = (longest(&PHRASES.greetings, words), PHRASES.opening(words));
            let Some(length) = greeting.max(opening) else { break };
            asks |= opening >= greeting;
            words = &words[length..];
        }
        while let Some(start) = PHRASES.closing(words) {
            words = &words[..start];
        }
        Self { words, asks }
    }
}

/// Whether a word, wherever it stands, neither asks the model for anything nor promises anything.
pub(super) fn is_function_word(word: &str) -> bool {
    PHRASES.function.contains(word)
}

impl Phrases {
    fn of(lists: Courtesy) -> Self {
        let phrases = |lines: Sequences| lines.lines().map(Phrase::of).collect();
        Self {
            greetings: phrases(lists.greetings),
            openings: phrases(lists.openings),
            asking: phrases(lists.asking),
            links: phrases(lists.links),
            topics: lists.topics,
            closings: phrases(lists.closings),
            function: lists.function,
        }
    }

    /// The length of the longest phrase that opens a clause.
    fn opening(&self, words: &[String]) -> Option<usize> {
        let asked = self.asking.iter().filter_map(|phrase| {
            let length = phrase.at(words)?;
            let (_, rest) = words.split_at(length);
            let topic = rest.first().filter(|word| self.topics.contains(word.as_str()));
            longest(&self.links, rest).or(topic.map(|_| 0)).map(|link| length + link)
        });
        asked.max().max(longest(&self.openings, words))
    }

    /// Where the longest phrase that ends a clause begins.
    fn closing(&self, words: &[String]) -> Option<usize> {
        (0..words.len()).find(|start| {
            let rest = &words[*start..];
            self.closings.iter().any(|phrase| phrase.at(rest) == Some(rest.len()))
        })
    }
}

impl Phrase {
    fn of(line: &'static str) -> Self {
        let choices = |place: &'static str| {
            place.split('|').map(|choice| choice.split('_').collect()).collect()
        };
        Self(line.split(' ').map(choices).collect())
    }

    /// How many of the first words it covers at most.
    fn at(&self, words: &[String]) -> Option<usize> {
        fn from(places: &[Vec<Vec<&str>>], words: &[String]) -> Option<usize> {
            let Some((place, later)) = places.split_first() else { return Some(0) };
            let fits = |choice: &&Vec<&str>| {
                choice.len() <= words.len() && choice.iter().zip(words).all(|(a, b)| a == b)
            };
            let lengths = place.iter().filter(fits).map(Vec::len);
            lengths
                .filter_map(|length| from(later, &words[length..]).map(|rest| length + rest))
                .max()
        }
        from(&self.0, words)
    }
}

fn longest(phrases: &[Phrase], words: &[String]) -> Option<usize> {
    phrases.iter().filter_map(|phrase| phrase.at(words)).max()
}

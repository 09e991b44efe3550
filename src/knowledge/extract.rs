//! Answers without a model: sentences from the shop's own documents, word for word.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::{
    domain::Citation,
    words::{Search, Words, all},
};

use super::{
    chunk::{Kind, is_list_line},
    search::Passage,
    sentence::sentences,
    synonyms::query_terms,
    terms::{Language, words},
};

/// Most sentences in one answer.
const MAX_SENTENCES: usize = 3;

/// An FAQ answer up to this length is given whole, as its author wrote it.
const WHOLE_ANSWER_CHARS: usize = 700;

/// Most list items that are quoted with the sentence that introduces them.
const MAX_ITEMS: usize = 12;

// Scores in addition to the words of the question, in units of an average word.
/// Each further sentence must add more than this.
const LENGTH_COST: f32 = 0.1;
/// The first sentence of a passage states its main point; later ones gain less.
const FIRST_GAIN: f32 = 0.15;
/// A question about an amount or a time should be answered with a number.
const NUMBER_GAIN: f32 = 0.5;

/// Words of questions that ask for a number, in all languages.
static ASKS_FOR_NUMBER: LazyLock<Words> = LazyLock::new(|| all::<Search>().asks_for_number);

/// An answer that consists of quotes.
#[derive(Clone, Debug, PartialEq)]
pub struct Extract {
    pub text: String,
    pub citations: Vec<Citation>,
    /// Confidence of the quoted passage. Below `turn.answer_confidence` the service answers that it
    /// does not know.
    pub confidence: f32,
}

/// The best one to three neighbouring sentences of the best passage. `passages` is sorted best
/// first. `None` without a passage.
pub fn extract(question: &str, passages: &[Passage]) -> Option<Extract> {
    let passage = passages.first()?;
    let text = match passage.kind {
        Kind::Faq if passage.text.chars().count() <= WHOLE_ANSWER_CHARS => &passage.text,
        Kind::Faq | Kind::Prose => quote(question, passage, passages),
    };
    let citation = Citation {
        id: "1".to_owned(),
        document_id: passage.document_id.clone(),
        title: passage.title.clone(),
        url: passage.url.clone(),
        quote: text.to_owned(),
    };
    Some(Extract {
        text: text.to_owned(),
        citations: vec![citation],
        confidence: passage.confidence,
    })
}

/// The part of the passage's text that best matches the question, cut at sentence ends.
fn quote<'a>(question: &str, passage: &'a Passage, passages: &[Passage]) -> &'a str {
    let sentences: Vec<&str> = sentences(&passage.text).collect();
    let weights = Weights::new(question, Language::of(passage.locale.as_deref()), passages);
    let (from, to) = if sentences.len() <= MAX_SENTENCES {
        (0, sentences.len())
    } else {
        with_items(best_run(&weights, &sentences), &sentences)
    };
    let start = sentences[..from].iter().fold(0, |at, s| after(&passage.text, at, s));
    let end = sentences[from..to].iter().fold(start, |at, s| after(&passage.text, at, s));
    passage.text[start..end].trim()
}

/// The offset after `sentence`, which follows in `text` at or after `at`.
fn after(text: &str, at: usize, sentence: &str) -> usize {
    text[at..].find(sentence).map_or(at, |offset| at + offset + sentence.len())
}

/// Start and end of the best run of neighbouring sentences.
fn best_run(weights: &Weights, sentences: &[&str]) -> (usize, usize) {
    let terms: Vec<Terms> = sentences.iter().map(|sentence| weights.read(sentence)).collect();
    let mut best = (0, 1);
    let mut most = f32::NEG_INFINITY;
    for from in 0..sentences.len() {
        for to in from + 1..=(from + MAX_SENTENCES).min(sentences.len()) {
            let score = weights.score(&terms[from..to], from);
            if score > most {
                (best, most) = ((from, to), score);
            }
        }
    }
    best
}

/// Extends a run that contains the introduction of a list by the rest of the list.
fn with_items((from, to): (usize, usize), sentences: &[&str]) -> (usize, usize) {
    let run = &sentences[from..to];
    let in_list = run.iter().rev().take_while(|s| is_list_line(s)).count();
    let leads = run[..run.len() - in_list].last().is_some_and(|s| s.ends_with(':'));
    let items = sentences[to..].iter().take_while(|s| leads && is_list_line(s)).count();
    (from, to + items.min(MAX_ITEMS))
}

struct Terms {
    stems: HashSet<String>,
    has_number: bool,
}

/// The weight of each term of the question. A term in fewer sentences of the found passages weighs
/// more.
struct Weights {
    language: Language,
    terms: Vec<(HashMap<String, f32>, f32)>,
    mean: f32,
    asks_for_number: bool,
}

impl Weights {
    fn new(question: &str, language: Language, passages: &[Passage]) -> Self {
        let words: Vec<String> = words(question).collect();
        let asks_for_number = words.iter().any(|word| ASKS_FOR_NUMBER.contains(word.as_str()));
        let all: Vec<HashSet<String>> = passages
            .iter()
            .flat_map(|passage| sentences(&passage.text))
            .map(|sentence| language.terms(sentence).into_iter().collect())
            .collect();
        let weigh = |alternatives: HashMap<String, f32>| {
            let has =
                |stems: &&HashSet<String>| alternatives.keys().any(|stem| stems.contains(stem));
            let count = all.iter().filter(has).count() as f32;
            let weight = (all.len() as f32 / (count + 0.5)).ln_1p();
            (alternatives, weight)
        };
        let terms: Vec<_> = query_terms(words, language)
            .into_iter()
            .map(|term| weigh(term.alternatives.into_iter().collect()))
            .collect();
        let mean = terms.iter().map(|(_, weight)| weight).sum::<f32>() / terms.len().max(1) as f32;
        Self { language, terms, mean, asks_for_number }
    }

    fn read(&self, sentence: &str) -> Terms {
        Terms {
            stems: self.language.terms(sentence).into_iter().collect(),
            has_number: sentence.contains(|c: char| c.is_ascii_digit()),
        }
    }

    /// How well the sentences from number `first` on match the question together.
    fn score(&self, sentences: &[Terms], first: usize) -> f32 {
        let in_one = |alternatives: &HashMap<String, f32>, sentence: &Terms| {
            let found = alternatives.iter().filter(|(stem, _)| sentence.stems.contains(*stem));
            found.map(|(_, weight)| *weight).fold(0.0, f32::max)
        };
        // One occurrence counts 1, two count 1.2: a sentence that stays on the subject adds a
        // little.
        let in_all = |alternatives: &HashMap<String, f32>| {
            let sum: f32 = sentences.iter().map(|sentence| in_one(alternatives, sentence)).sum();
            1.5 * sum / (sum + 0.5)
        };
        let said: f32 = self.terms.iter().map(|(term, weight)| weight * in_all(term)).sum();
        let number = self.asks_for_number && sentences.iter().any(|sentence| sentence.has_number);
        let beside = FIRST_GAIN / (1 + first) as f32 + if number { NUMBER_GAIN } else { 0.0 }
            - LENGTH_COST * sentences.len() as f32;
        said + beside * self.mean
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(kind: Kind, text: &str) -> Passage {
        Passage {
            document_id: "d".into(),
            title: "Title".into(),
            url: Some("https://shop.example/d".into()),
            locale: None,
            heading: "Heading".into(),
            text: text.into(),
            tags: Vec::new(),
            kind,
            ordinal: 0,
            score: 1.0,
            confidence: 0.7,
        }
    }

    fn answer(question: &str, text: &str) -> String {
        extract(question, &[passage(Kind::Prose, text)]).unwrap().text
    }

    const TEXT: &str = "We are a shop in Rostock. Our boots are sturdy and warm.\n\n\
        A return costs nothing in Germany. Bring the label with you. Gift cards are never taken back.";

    #[test]
    fn the_sentences_that_say_most_are_quoted_word_for_word() {
        assert_eq!(answer("what does a return cost?", TEXT), "A return costs nothing in Germany.");
        assert_eq!(answer("are gift cards taken back?", TEXT), "Gift cards are never taken back.");
    }

    #[test]
    fn the_citation_quotes_what_was_answered() {
        let extract = extract("what does a return cost?", &[passage(Kind::Prose, TEXT)]).unwrap();
        assert_eq!(extract.citations.len(), 1);
        assert_eq!(extract.citations[0].quote, extract.text);
        assert_eq!(extract.citations[0].url.as_deref(), Some("https://shop.example/d"));
        assert_eq!(extract.confidence, 0.7);
    }

    #[test]
    fn the_answer_of_a_question_is_given_whole() {
        let text = "One. Two. Three. Four. Five.";
        let extract = extract("anything", &[passage(Kind::Faq, text)]).unwrap();
        assert_eq!(extract.text, text);
    }

    #[test]
    fn a_sentence_that_leads_to_a_list_brings_the_list() {
        let text = "Hello there. More words here. You may pay with these cards:\n\n- Visa\n- Amex\n\nNothing else is taken. Good bye.";
        assert_eq!(
            answer("which cards may I pay with?", text),
            "You may pay with these cards:\n\n- Visa\n- Amex"
        );
    }

    #[test]
    fn a_question_for_a_number_prefers_the_sentence_with_one() {
        let text = "We like returns. Returns are fine with us. Returns take 5 days. Returns make work. So it is.";
        assert!(answer("how long do returns take?", text).contains("5 days"));
    }

    #[test]
    fn nothing_found_is_no_answer() {
        assert_eq!(extract("anything", &[]), None);
    }

    proptest! {
        #[test]
        fn an_answer_is_always_a_part_of_the_passage(
            text in "([a-z]{1,6} ?){1,6}[.!?]?( |\n|\n\n|\n- )([a-z]{1,6} ?){1,6}[.:]( |\n- )([a-z .:?\n]){0,80}",
            question in "[a-z ]{0,40}",
        ) {
            let answer = answer(&question, &text);
            prop_assert!(text.contains(&answer));
            prop_assert!(!answer.is_empty());
        }
    }
}

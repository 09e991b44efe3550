//! Finds the passages that answer a question, with a confidence for each.
//!
//! Terms and vectors are scored separately and joined by a convex combination. Bruch, Gai and
//! Ingber ("An Analysis of Fusion Functions for Hybrid Retrieval", 2023) found this better than
//! reciprocal rank fusion (Cormack et al., 2009), and so did we: a rank does not show by how much
//! the first result leads. Everything here is arithmetic over an index that is held during one
//! call; nothing waits.

use std::{cmp::Ordering, sync::Arc};

use super::{
    chunk::Kind,
    document::PUBLIC,
    index::{self, Entry, Index, inverse_frequency},
    mentions::Mentions,
    query::Query,
    spelling,
    synonyms::{QueryTerm, query_terms},
    terms::Language,
};

/// BM25's usual constants for passages, which have similar lengths.
const K1: f32 = 0.9;
const B: f32 = 0.4;

/// Share of the vectors in a passage's score, if there are vectors.
const VECTOR_SHARE: f32 = 0.5;

/// In the coverage of a question, a word that the shop has never used counts this many times its
/// rarity. Names of other companies and places are such words.
const STRANGE_WEIGHT: f32 = 1.5;

/// The gain of a passage whose title is mentioned in the conversation.
const CONTEXT_GAIN: f32 = 4.0;

/// A passage found for a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    pub document_id: String,
    pub title: String,
    pub url: Option<String>,
    /// Language of the text; `None` means English.
    pub locale: Option<String>,
    /// The headings above it, or the question that it answers.
    pub heading: String,
    pub text: String,
    pub tags: Vec<String>,
    pub kind: Kind,
    /// Position in its document, from 0.
    pub ordinal: u32,
    /// Orders the passages of one question; not comparable between questions.
    pub score: f32,
    /// Confidence from 0 to 1 that the passage is about the question. See [`confidence`].
    pub confidence: f32,
    /// The share of the question's words that it has, weighted by how rare they are at this shop.
    pub coverage: f32,
    /// Of the embeddings, if there are any.
    pub cosine: Option<f32>,
}

/// The best `k` passages of `index`, best first.
pub fn search(index: &Index, query: &Query<'_>, k: usize) -> Vec<Passage> {
    let english = query.in_english();
    let read = |language: &Language| {
        let english = english.as_deref().filter(|_| *language == Language::ENGLISH);
        Question::read(english.unwrap_or(query.text), *language, index)
    };
    let questions: Vec<Question> = index.languages().iter().map(read).collect();
    let vector = query.vector.and_then(index::unit);
    let mentions = Mentions::read(query, index);
    let mut found: Vec<Candidate> = Vec::new();
    for segment in index.segments() {
        let mut scores = Scores::new(segment.entries().len());
        for question in &questions {
            scores.add(question, segment, index.mean_length());
        }
        for (at, entry) in segment.entries().iter().enumerate() {
            if !segment.is_live(at) || !visible(entry, query) {
                continue;
            }
            let raw = vector.as_deref().and_then(|vector| entry.cosine(vector));
            let cosine = raw.map(|raw| query.meaning.scale.standard(raw));
            let lexical = scores.lexical[at];
            if lexical > 0.0 || cosine.is_some_and(|cosine| cosine > 0.0) {
                let best = questions.iter().find(|q| q.language == entry.head.language);
                let (most, whole) = best.map_or((1.0, 1.0), |q| (q.most, q.whole));
                let lexical = lexical / most;
                let coverage = scores.covered[at] / whole;
                let score =
                    fused(lexical, cosine) * (1.0 + CONTEXT_GAIN * mentions.share(&entry.head));
                let cosine = raw.and_then(|raw| query.likeness(raw, entry.head.locale.as_deref()));
                found.push(Candidate { entry, coverage, cosine, score });
            }
        }
    }
    best(found, k).into_iter().map(Candidate::into_passage).collect()
}

/// Confidence from 0 to 1 that a passage is about the question. It never falls when an argument
/// grows.
///
/// `coverage` is the share of the question's words that the passage has, weighted by how rare each
/// word is at this shop. A related word counts partly. A word that the shop has never used counts
/// `STRANGE_WEIGHT` times against the passage. `cosine` is that of the embeddings; it counts in
/// proportion from 0.3 (unrelated) to 0.7 (the same in other words). Without it, words alone never
/// give full confidence.
pub fn confidence(coverage: f32, cosine: Option<f32>) -> f32 {
    let words = coverage.clamp(0.0, 1.0);
    match cosine {
        None => 0.85 * words,
        Some(cosine) => {
            let meaning = ((cosine - 0.3) / 0.4).clamp(0.0, 1.0);
            0.4_f32.mul_add(words, 0.6 * meaning)
        }
    }
}

fn fused(lexical: f32, cosine: Option<f32>) -> f32 {
    match cosine {
        None => lexical,
        Some(cosine) => VECTOR_SHARE.mul_add(cosine.max(0.0), (1.0 - VECTOR_SHARE) * lexical),
    }
}

fn visible(entry: &Entry, query: &Query<'_>) -> bool {
    let head = &entry.head;
    let for_asker = head.audience == PUBLIC || head.audience == query.audience;
    let tagged = query.tags.is_empty() || query.tags.iter().any(|tag| head.tags.contains(tag));
    let understood = query.meaning.multilingual || query.speaks(head.locale.as_deref());
    for_asker && tagged && understood
}

struct Candidate<'a> {
    entry: &'a Arc<Entry>,
    coverage: f32,
    cosine: Option<f32>,
    score: f32,
}

impl Candidate<'_> {
    fn into_passage(self) -> Passage {
        let Entry { head, chunk, ordinal, .. } = &**self.entry;
        Passage {
            document_id: head.external_id.clone(),
            title: head.title.clone(),
            url: head.url.clone(),
            locale: head.locale.clone(),
            heading: chunk.heading.clone(),
            text: chunk.text.clone(),
            tags: head.tags.clone(),
            kind: chunk.kind,
            ordinal: *ordinal,
            score: self.score,
            confidence: confidence(self.coverage, self.cosine),
            coverage: self.coverage,
            cosine: self.cosine,
        }
    }

    /// Best first. For equal scores, the order does not depend on the history of the index.
    fn order(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then_with(|| self.entry.head.external_id.cmp(&other.entry.head.external_id))
            .then_with(|| self.entry.ordinal.cmp(&other.entry.ordinal))
    }
}

fn best(mut found: Vec<Candidate<'_>>, k: usize) -> Vec<Candidate<'_>> {
    if k == 0 {
        return Vec::new();
    }
    if found.len() > k {
        found.select_nth_unstable_by(k - 1, Candidate::order);
        found.truncate(k);
    }
    found.sort_unstable_by(Candidate::order);
    found
}

/// A question as terms of one language.
struct Question {
    language: Language,
    terms: Vec<Weighed>,
    /// The sum at full coverage.
    whole: f32,
    /// An upper bound for any passage's score.
    most: f32,
}

/// A term of a question and its rarity at this shop.
struct Weighed {
    term: QueryTerm,
    /// BM25's inverse document frequency of each alternative.
    rarities: Vec<f32>,
    /// Rarity of the word itself if the shop uses it, otherwise of its most common alternative.
    rarity: f32,
}

impl Question {
    fn read(text: &str, language: Language, index: &Index) -> Self {
        let mut terms = query_terms(spelling::joined_words(text, language, index), language);
        spelling::correct(&mut terms, index);
        let mut question = Self { language, terms: Vec::new(), whole: 0.0, most: 0.0 };
        for term in terms {
            question.add(term, index);
        }
        question.whole = question.whole.max(f32::MIN_POSITIVE);
        question.most = question.most.max(f32::MIN_POSITIVE);
        question
    }

    fn add(&mut self, term: QueryTerm, index: &Index) {
        let frequencies: Vec<usize> =
            term.alternatives.iter().map(|(stem, _)| index.document_frequency(stem)).collect();
        let inverse = |frequency| inverse_frequency(index.len(), frequency);
        let own = frequencies.first().copied().filter(|&frequency| frequency > 0);
        let stand_in = own.or_else(|| frequencies.iter().copied().max()).unwrap_or(0);
        if stand_in == 0 && term.has_digit() {
            // A number of an order or an article. It identifies one thing of many and says nothing
            // about the question.
            return;
        }
        let rarity = inverse(stand_in);
        self.whole += if stand_in == 0 { STRANGE_WEIGHT * rarity } else { rarity };
        self.most += rarity * (K1 + 1.0);
        let rarities = frequencies.into_iter().map(inverse).collect();
        self.terms.push(Weighed { term, rarities, rarity });
    }
}

/// The sums for the passages of one segment.
struct Scores {
    lexical: Vec<f32>,
    covered: Vec<f32>,
    /// The last term counted for a passage, and its weight. Of a term's alternatives only the best
    /// counts.
    last: Vec<(u32, f32)>,
}

impl Scores {
    fn new(entries: usize) -> Self {
        Self {
            lexical: vec![0.0; entries],
            covered: vec![0.0; entries],
            last: vec![(u32::MAX, 0.0); entries],
        }
    }

    fn add(&mut self, question: &Question, segment: &index::Segment, mean_length: f32) {
        for (number, Weighed { term, rarities, rarity: own }) in (0_u32..).zip(&question.terms) {
            for ((stem, weight), rarity) in term.alternatives.iter().zip(rarities) {
                for posting in segment.postings(stem) {
                    let at = posting.entry as usize;
                    let entry = &segment.entries()[at];
                    if entry.head.language != question.language {
                        continue;
                    }
                    let relative = 1.0 - B + B * entry.length() / mean_length;
                    let frequency =
                        posting.frequency * (K1 + 1.0) / (posting.frequency + K1 * relative);
                    let gain = weight * rarity * frequency;
                    let (counted, before) = self.last[at];
                    if counted != number {
                        self.covered[at] += weight * own;
                        self.lexical[at] += gain;
                        self.last[at] = (number, gain);
                    } else if gain > before {
                        self.lexical[at] += gain - before;
                        self.last[at].1 = gain;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        embedding::Scale,
        knowledge::{
            chunk::Chunk,
            index::{DocumentHead, Vectors},
            query::Meaning,
        },
    };

    fn entry(title: &str, heading: &str, text: &str, vectors: Option<Vectors>) -> Arc<Entry> {
        let head =
            DocumentHead::new(title.into(), title.into(), None, Vec::new(), PUBLIC.into(), None);
        let chunk = Chunk { kind: Kind::Prose, heading: heading.into(), text: text.into() };
        Arc::new(Entry::new(Arc::new(head), 0, chunk, vectors))
    }

    fn shop() -> Index {
        Index::of(vec![
            entry("Boots", "Size", "Our boots come in half sizes.", None),
            entry("Tents", "Size", "Our tents come in three sizes.", None),
            entry("Shipping", "Cost", "A parcel to Norway costs 5 EUR.", None),
        ])
    }

    fn first(query: &Query<'_>) -> Option<String> {
        search(&shop(), query, 1).pop().map(|passage| passage.document_id)
    }

    #[test]
    fn the_passage_that_has_the_words_is_first() {
        for (question, document) in [
            ("what does a parcel to Norway cost", "Shipping"),
            ("which tent sizes are there", "Tents"),
            ("delivery fee", "Shipping"),
            ("prcel to norwya", "Shipping"),
        ] {
            assert_eq!(first(&Query::new(question)).as_deref(), Some(document), "{question}");
        }
    }

    #[test]
    fn a_question_without_a_known_word_finds_nothing() {
        assert_eq!(first(&Query::new("how are you?")), None);
        assert_eq!(first(&Query::new("weather")), None);
        assert_eq!(first(&Query::new("")), None);
        assert!(search(&shop(), &Query::new("boots"), 0).is_empty());
        assert!(search(&Index::default(), &Query::new("boots"), 3).is_empty());
    }

    #[test]
    fn the_number_of_an_order_is_not_held_against_an_answer() {
        let sure = |text| search(&shop(), &Query::new(text), 1)[0].confidence;
        let plain = sure("what does a parcel to Norway cost?");
        assert_eq!(sure("what does parcel 100123 to Norway cost?"), plain);
        assert!(sure("what does parcel zorgle to Norway cost?") < plain);
    }

    #[test]
    fn the_conversation_tells_which_of_two_alike_is_meant() {
        let sizes =
            |context: &[&str]| first(&Query { context, ..Query::new("which sizes are there?") });
        assert_eq!(sizes(&["do you have boots?"]).as_deref(), Some("Boots"));
        assert_eq!(sizes(&["do you have boots?", "and tents?"]).as_deref(), Some("Tents"));
    }

    #[test]
    fn a_vector_finds_what_shares_no_word_and_one_of_another_size_is_passed_over() {
        let near = Vectors::new(&[1.0, 0.0, 0.0], &[0.0, 1.0, 0.0]);
        let index = Index::of(vec![entry("Returns", "", "Thirty days.", near)]);
        for vector in [&[1.0, 0.0, 0.0], &[0.0, 5.0, 0.0]] {
            let found = search(&index, &Query { vector: Some(vector), ..Query::new("zzz") }, 1);
            assert_eq!(found.len(), 1);
            assert!(found[0].confidence > 0.5);
        }
        for vector in [&[0.0, 0.0, 1.0][..], &[1.0, 0.0], &[0.0, 0.0, 0.0], &[f32::NAN, 0.0, 0.0]] {
            assert!(
                search(&index, &Query { vector: Some(vector), ..Query::new("zzz") }, 1).is_empty()
            );
        }
    }

    #[test]
    fn a_page_in_another_language_is_found_only_by_a_model_that_compares_languages() {
        let head = |id: &str, locale: Option<&str>| {
            let locale = locale.map(str::to_owned);
            let (id, title, audience) = (id.to_owned(), id.to_owned(), PUBLIC.to_owned());
            Arc::new(DocumentHead::new(id, title, None, Vec::new(), audience, locale))
        };
        let page = |id, locale, vector: [f32; 2]| {
            let text = "Thirty days.".to_owned();
            let chunk = Chunk { kind: Kind::Prose, heading: String::new(), text };
            let vectors = Vectors::new(&vector, &vector);
            Arc::new(Entry::new(head(id, locale), 0, chunk, vectors))
        };
        let index = Index::of(vec![
            page("plain", None, [1.0, 0.0]),
            page("german", Some("de-AT"), [0.95, 0.31]),
        ]);
        let scale = Scale { unrelated: 0.8, related: 0.9, same: 0.95, across: 0.05 };
        let found = |locale, meaning| {
            let vector: &[f32] = &[0.9, 0.44];
            let query = Query { vector: Some(vector), locale, meaning, ..Query::new("zzz") };
            let found = search(&index, &query, 5).into_iter();
            found.map(|passage| (passage.document_id, passage.confidence)).collect::<Vec<_>>()
        };
        let ids = |locale, meaning| -> Vec<String> {
            found(locale, meaning).into_iter().map(|(id, _)| id).collect()
        };
        let english = Meaning::STANDARD;
        assert_eq!(ids(Some("de"), english), ["german"]);
        assert_eq!(ids(Some("en-GB"), english), ["plain"]);
        assert_eq!(ids(Some("fr"), english), [""; 0]);
        assert_eq!(ids(None, english).len(), 2);
        let multilingual = Meaning { scale, multilingual: true };
        assert_eq!(ids(Some("de"), multilingual), ["german", "plain"]);
        assert_eq!(ids(Some("fr"), multilingual).len(), 2);
        // A page in the other language is as sure with less.
        let sure = |locale| {
            found(Some(locale), multilingual).into_iter().find(|(id, _)| id == "plain").unwrap().1
        };
        assert!(sure("fr") > sure("en"), "{} {}", sure("fr"), sure("en"));
        // What an English model says of a German page is no certainty.
        assert_eq!(found(Some("de"), english)[0].1, 0.0);
    }

    #[test]
    fn a_question_is_not_in_what_is_printed_of_it() {
        assert_eq!(format!("{:?}", Query::new("my card is 4111")), "Query([15 chars])");
    }

    proptest! {
        #[test]
        fn confidence_lies_between_0_and_1_and_never_falls(
            coverage in 0.0_f32..1.2, cosine in -1.0_f32..1.0, more in 0.0_f32..0.5,
        ) {
            for (low, high) in [
                (confidence(coverage, None), confidence(coverage + more, None)),
                (confidence(coverage, Some(cosine)), confidence(coverage + more, Some(cosine))),
                (confidence(coverage, Some(cosine)), confidence(coverage, Some(cosine + more))),
            ] {
                prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
                prop_assert!(low <= high);
            }
        }

        #[test]
        fn any_question_is_searched_without_a_panic(text in "\\PC{0,120}", k in 0..5_usize) {
            let context = [text.as_str()];
            let found = search(&shop(), &Query { context: &context, ..Query::new(&text) }, k);
            prop_assert!(found.len() <= k);
            prop_assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
}

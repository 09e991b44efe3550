//! Finds what the shop's knowledge contains about the questions of a message.

use std::sync::Arc;

use jiff::civil::Date;
use tokio::time::Instant;
use tracing::{Instrument as _, trace_span};

use super::{
    ask::Ask,
    ports::{EmbedPort, Ports},
    reply::{Reply, millis},
};
use crate::{
    assistant::Assistant,
    domain::{Language, SiteId, Stage},
    embedding::messages::{Embedding, embed as ask_embedder},
    knowledge::{Found, Knowledge, Passage, Query, Setting, questions},
};

/// How many passages of a question are asked whether they answer it. The model is shown fewer.
const CANDIDATES: usize = 12;
/// How many, if pages say the same in several languages.
const CANDIDATES_ACROSS: usize = 36;
/// Answers in other languages than English need this confidence: the weights are those of English
/// questions, and the standard model has no vectors for others.
const FOREIGN: f32 = 0.75;
/// The same with a model that compares languages.
const ACROSS: f32 = 0.55;
/// How many texts of one message are embedded at most.
const MOST_VECTORS: usize = 4;

/// The passages about a message.
#[derive(Default)]
pub struct Retrieved {
    /// For each question of the message and each of its readings.
    pub questions: Vec<Vec<Found>>,
    /// For the model, best first.
    pub passages: Vec<Passage>,
}

impl Retrieved {
    /// Every passage that an answer may come from, some of them repeatedly.
    pub fn all(&self) -> impl Iterator<Item = &Passage> {
        self.questions.iter().flatten().flat_map(|found| &found.passages)
    }
}

/// Fails open: without a vector, the search uses terms and nothing is cached by meaning.
pub async fn embed(ports: &Ports, ask: &Ask, reply: &mut Reply) -> Option<Embedding> {
    let port = ports.embedder.as_ref()?;
    let begun = Instant::now();
    let embedding = ask_embedder(&port.embed, first_text(ask), port.timeout);
    let embedding = embedding.instrument(trace_span!("embed")).await.ok();
    reply.timings.embed_ms = Some(millis(begun));
    embedding
}

/// What is searched and cached by: the message, or what it means in its conversation.
fn first_text(ask: &Ask) -> String {
    if ask.said.question().is_some() {
        return without_references(ask.said.text());
    }
    let read = questions(&earlier(ask), &without_references(ask.said.text()), ask.language.code());
    let first = read.into_iter().next().and_then(|readings| readings.into_iter().next());
    first.unwrap_or_default()
}

/// The passages about the questions of a message that `assistant` may use, best first. `embedding`
/// is what [`embed`] made.
pub async fn passages(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    embedding: Option<&Embedding>,
    assistant: &Assistant,
) -> Retrieved {
    reply.stage(Stage::Searching);
    let begun = Instant::now();
    let search = Search {
        knowledge: &ports.knowledge,
        embedder: ports.embedder.as_ref(),
        site: &ask.site,
        locale: ask.search_locale(),
        tags: &assistant.knowledge_tags,
        most: ports.turn.passages,
    };
    let known = embedding.map(|embedding| (first_text(ask), embedding.vector.clone()));
    let earlier = earlier(ask);
    let retrieved = search
        .read(&earlier, &without_references(ask.said.text()), ask.language.code(), known)
        .await;
    reply.timings.retrieve_ms = Some(millis(begun));
    retrieved
}

/// The day and the language of an answer from the pages.
pub fn setting(ports: &Ports, ask: &Ask) -> Setting<'static> {
    let least = ports.turn.answer_confidence;
    setting_of(ports.embedder.as_ref(), ask.day(), ask.language.code(), least)
}

/// As [`setting`], for turns and for their measure. `least` is that of the configuration.
pub fn setting_of<'a>(
    embedder: Option<&EmbedPort>,
    today: Date,
    language: &'a str,
    least: f32,
) -> Setting<'a> {
    let crosses = crosses(embedder);
    let least = match (language == Language::En.code(), crosses) {
        (true, _) => least,
        (false, true) => least.max(ACROSS),
        (false, false) => least.max(FOREIGN),
    };
    Setting { today, language, least, crosses }
}

/// Whether the vectors find a page in another language than the question.
fn crosses(embedder: Option<&EmbedPort>) -> bool {
    embedder.is_some_and(|port| port.id.contains("multilingual"))
}

/// Words that only lead to the number of an order.
const LEADS: [&str; 12] = [
    "my",
    "order",
    "number",
    "no",
    "nr",
    "id",
    "ref",
    "reference",
    "regarding",
    "about",
    "subject",
    "bestellung",
];
/// With fewer words left, the words that lead to a number are what the message says.
const FEWEST: usize = 5;

/// The text without numbers of orders and parcels, and without the words that lead to them: pages
/// speak of their form, and not of one order.
fn without_references(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut numberless: Vec<&str> = Vec::new();
    for word in words {
        if !is_reference(word) {
            kept.push(word);
            numberless.push(word);
            continue;
        }
        while kept.last().is_some_and(|last| leads(last)) {
            kept.pop();
        }
    }
    let best = if kept.len() >= FEWEST { kept } else { numberless };
    if best.is_empty() { text.to_owned() } else { best.join(" ") }
}

fn leads(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    word.is_empty() || LEADS.contains(&word.as_str())
}

/// "FJ-10234", "#10482", "123456"; not "2026", "140", "11.90" or "A4".
fn is_reference(word: &str) -> bool {
    const DIGITS: usize = 5;
    let word = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let of_a_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '#' | '/');
    digits >= DIGITS && word.chars().all(of_a_number)
}

/// What was said before, and before that what the shopper looked at.
fn earlier(ask: &Ask) -> Vec<&str> {
    let page = ask.page.iter().map(|page| page.words.as_str()).filter(|words| !words.is_empty());
    page.chain(ask.said.history().iter().map(|exchange| exchange.user.as_str())).collect()
}

/// Where a message is looked up, for turns and for their measure.
pub struct Search<'a> {
    pub knowledge: &'a Knowledge,
    pub embedder: Option<&'a EmbedPort>,
    pub site: &'a SiteId,
    pub locale: &'a str,
    /// Only documents with one of these tags; all, if there are none.
    pub tags: &'a [String],
    /// How many passages the model is shown.
    pub most: usize,
}

impl Search<'_> {
    /// `earlier` are the shopper's messages before, oldest first; `known` is a text whose vector is
    /// there already.
    pub async fn read(
        &self,
        earlier: &[&str],
        message: &str,
        language: &str,
        known: Option<(String, Arc<[f32]>)>,
    ) -> Retrieved {
        let mut vectors: Vec<(String, Arc<[f32]>)> = known.into_iter().collect();
        let mut retrieved = Retrieved::default();
        let most = if crosses(self.embedder) { CANDIDATES_ACROSS } else { CANDIDATES };
        for readings in questions(earlier, message, language) {
            let mut found = Vec::new();
            for question in readings {
                let vector = self.vector(&question, &mut vectors).await;
                let query = Query {
                    vector: vector.as_deref(),
                    context: earlier,
                    locale: Some(self.locale),
                    tags: self.tags,
                    ..Query::new(&question)
                };
                let passages = self.knowledge.search(self.site, &query, most.max(self.most));
                found.push(Found { question, passages });
            }
            retrieved.questions.push(found);
        }
        retrieved.passages = interleaved(&retrieved.questions, self.most);
        retrieved
    }

    async fn vector(
        &self,
        text: &str,
        known: &mut Vec<(String, Arc<[f32]>)>,
    ) -> Option<Arc<[f32]>> {
        if let Some((_, vector)) = known.iter().find(|(other, _)| other == text) {
            return Some(Arc::clone(vector));
        }
        let port = self.embedder.filter(|_| known.len() < MOST_VECTORS)?;
        let embedded = ask_embedder(&port.embed, text.to_owned(), port.timeout).await.ok()?;
        known.push((text.to_owned(), Arc::clone(&embedded.vector)));
        Some(embedded.vector)
    }
}

/// The best passages of all questions in turn, each once.
fn interleaved(questions: &[Vec<Found>], most: usize) -> Vec<Passage> {
    let lists: Vec<&Vec<Passage>> =
        questions.iter().flatten().map(|found| &found.passages).collect();
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or(0);
    let mut passages: Vec<Passage> = Vec::new();
    for rank in 0..longest {
        for passage in lists.iter().filter_map(|list| list.get(rank)) {
            let same = |other: &Passage| {
                (&other.document_id, other.ordinal) == (&passage.document_id, passage.ordinal)
            };
            if passages.len() < most && !passages.iter().any(same) {
                passages.push(passage.clone());
            }
        }
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_an_order_is_no_word_of_a_page() {
        for (text, kept) in [
            ("where is my order FJ-10234?", "where is my order"),
            ("Wo ist #10482, bitte", "Wo ist bitte"),
            (
                "My order number 202-5551212-9090909 is showing as delivered, but I have nothing",
                "is showing as delivered, but I have nothing",
            ),
            ("a tent for 140 EUR in 2026", "a tent for 140 EUR in 2026"),
            ("FJ123456789012", "FJ123456789012"),
            ("call +49 381 555 0140", "call +49 381 555 0140"),
        ] {
            assert_eq!(without_references(text), kept);
        }
    }
}

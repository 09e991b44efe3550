//! How well the right passage is found, on public questions in the data folder `RUSHDESK_DATA`.
//! Skipped without it.

use std::{env, fs, path::PathBuf, process::Command, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};

use super::model::{self, Vectors};
use crate::knowledge::{
    chunk::{Chunk, Kind},
    document::PUBLIC,
    index::{self, DocumentHead, Entry, Index},
    query::Query,
    search::search,
};

#[derive(Deserialize)]
struct PassageRow {
    passage_id: String,
    title: String,
    text: String,
    /// The subject of the passage, if many are alike.
    entity: Option<String>,
}

#[derive(Deserialize)]
struct QueryRow {
    query: String,
    relevant: Vec<String>,
    #[serde(default)]
    context: Vec<Message>,
    needs_knowledge: Option<bool>,
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

struct Set {
    name: &'static str,
    passages: Vec<PassageRow>,
    queries: Vec<QueryRow>,
}

impl Set {
    fn read(name: &'static str, passages: &str, queries: &str) -> Option<Self> {
        let Some(folder) = env::var_os("RUSHDESK_DATA") else {
            println!("RUSHDESK_DATA is not set: nothing is measured");
            return None;
        };
        let folder = PathBuf::from(folder).join("retrieval_eval");
        let text = if passages.ends_with(".gz") {
            let output =
                Command::new("gzip").arg("-dc").arg(folder.join(passages)).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        } else {
            fs::read_to_string(folder.join(passages)).unwrap()
        };
        let queries = fs::read_to_string(folder.join(queries)).unwrap();
        Some(Self { name, passages: rows(&text), queries: rows(&queries) })
    }

    fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> =
            self.passages.iter().flat_map(|row| [row.title.clone(), row.text.clone()]).collect();
        texts.extend(self.queries.iter().map(|row| row.query.clone()));
        texts.sort();
        texts.dedup();
        texts
    }

    fn index(&self, vectors: &Vectors) -> Index {
        let entries = self.passages.iter().map(|row| {
            let (title, heading) = match &row.entity {
                Some(entity) => (entity.clone(), row.title.clone()),
                None => (row.title.clone(), String::new()),
            };
            let id = row.passage_id.clone();
            let head = DocumentHead::new(id, title, None, Vec::new(), PUBLIC.into(), None);
            let chunk = Chunk { kind: Kind::Prose, heading, text: row.text.clone() };
            let pair = vectors.of(&row.title).zip(vectors.of(&row.text));
            let pair = pair.and_then(|(subject, text)| index::Vectors::new(subject, text));
            Arc::new(Entry::new(Arc::new(head), 0, chunk, pair))
        });
        Index::of(entries.collect())
    }

    /// Percentage of the questions with the right passage first, and with it among the first five.
    fn hits(&self, how: &str, vectors: &Vectors) -> (f64, f64) {
        let index = self.index(vectors);
        let mut hits = [0_usize; 2];
        for row in &self.queries {
            let context: Vec<&str> =
                row.context.iter().map(|message| message.text.as_str()).collect();
            let vector = vectors.of(&row.query);
            let found =
                search(&index, &Query { vector, context: &context, ..Query::new(&row.query) }, 5);
            let right =
                found.iter().position(|passage| row.relevant.contains(&passage.document_id));
            hits[0] += usize::from(right == Some(0));
            hits[1] += usize::from(right.is_some());
        }
        let count = self.queries.len();
        let [first, five] = hits.map(|hits| 100.0 * hits as f64 / count as f64);
        println!("{} {how}: {count} questions, hit@1 {first:.1} %, hit@5 {five:.1} %", self.name);
        (first, five)
    }

    /// Measures with terms only and, if there is a model, with vectors, too. Neither may fall below
    /// its limit.
    async fn measure(&self, terms: (f64, f64), both: (f64, f64)) {
        let reaches = |found: (f64, f64), floor: (f64, f64)| {
            assert!(found.0 >= floor.0 && found.1 >= floor.1, "{found:?} is below {floor:?}");
        };
        reaches(self.hits("terms only", &Vectors::default()), terms);
        if let Some(embedder) = model::start() {
            let vectors = model::vectors(&embedder, self.texts()).await;
            reaches(self.hits("terms and vectors", &vectors), both);
            embedder.stop().await;
        }
    }
}

fn rows<Row: DeserializeOwned>(text: &str) -> Vec<Row> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix::test]
async fn questions_to_a_shop_find_their_answer() {
    let (passages, queries) = ("bitext_faq.passages.dev.jsonl", "bitext_faq.queries.dev.jsonl");
    let Some(set) = Set::read("bitext_faq", passages, queries) else { return };
    set.measure((74.0, 94.0), (84.0, 98.0)).await;
}

/// The words come from a speech recogniser, and only the conversation shows which of 668 places is
/// meant.
#[actix::test]
async fn spoken_questions_find_the_answer_of_the_place_they_talk_about() {
    let (passages, queries) = ("dstc10_faq.passages.jsonl.gz", "dstc10_faq.queries.dev.jsonl");
    let Some(mut set) = Set::read("dstc10_faq", passages, queries) else { return };
    set.queries.retain(|query| query.needs_knowledge == Some(true));
    set.measure((28.0, 51.0), (48.0, 68.0)).await;
}

//! The demo shop's documents answer what shoppers ask, and give no answer to unknown questions.

use std::{env, fmt::Write as _, fs, path::Path, sync::Arc};

use serde::Deserialize;

use super::model::{self, Vectors};
use crate::{
    config::{Config, Sources},
    knowledge::{
        chunk::Chunk,
        document::{Body, NewDocument},
        extract::{Extract, Found, Setting, extract},
        import::{Bounds, read_folder},
        index::{self, DocumentHead, Entry, Index},
        query::Query,
        search::search,
        stored,
    },
};

/// A question, the documents that answer it, and a text that the answer must contain.
const ASKED: [(&str, &[&str], &str); 44] = [
    ("how long do I have to send something back?", &["returns", "frequent-questions"], "30 days"),
    ("what does shipping to France cost?", &["shipping-costs"], "7.90 EUR"),
    ("is shipping free above some amount in Germany?", &["shipping-costs"], "60 EUR"),
    (
        "do you ship to Switzerland and who pays customs?",
        &["shipping-costs", "shipping-countries"],
        "Switzerland",
    ),
    (
        "do you deliver to the United States?",
        &["shipping-countries"],
        "do not deliver to the United States",
    ),
    (
        "until what time must I order for next day delivery?",
        &["express-shipping", "frequent-questions"],
        "13:00",
    ),
    (
        "where can I see where my parcel is right now?",
        &["order-tracking", "frequent-questions"],
        "tracking",
    ),
    ("my package never arrived", &["lost-or-damaged-parcel"], "lost"),
    ("the box was crushed and the jacket inside is torn", &["lost-or-damaged-parcel"], "photo"),
    ("tracking says delivered but there is nothing here", &["lost-or-damaged-parcel"], "14 days"),
    ("who pays for the return label?", &["returns"], "free"),
    (
        "can I swap my boots for a bigger size?",
        &["exchanges", "boot-sizes", "frequent-questions"],
        "xchange",
    ),
    ("when do I get my money back after a return?", &["refunds"], "5 working days"),
    ("what size of hiking boots do I need for a 255 mm foot?", &["boot-sizes"], "41"),
    ("which jacket size fits a chest of 98 cm?", &["clothing-sizes"], "Chest"),
    ("what size should I take for a six year old child?", &["childrens-sizes"], "116"),
    ("do you take American Express?", &["payment-methods"], "American Express"),
    ("can I pay in instalments?", &["payment-methods", "frequent-questions"], "instalments"),
    ("I need an invoice with our VAT number", &["invoices"], "VAT number"),
    ("how long is a gift card valid?", &["gift-cards", "frequent-questions"], "3 years"),
    (
        "can I combine two coupon codes?",
        &["discount-codes", "frequent-questions"],
        "one discount code",
    ),
    ("is there a discount for students?", &["discount-codes", "frequent-questions"], "8 percent"),
    ("when does the winter sale start?", &["sale-terms"], "2 January"),
    (
        "another shop sells the same tent cheaper, do you match the price?",
        &["price-guarantee"],
        "14 days",
    ),
    ("how many years of guarantee do I get on a Fjellheim backpack?", &["warranty"], "5 years"),
    ("what does it cost to replace a broken zip?", &["repairs"], "24 EUR"),
    ("how do I wash a down jacket?", &["down-care"], "30 degrees"),
    ("my rain jacket does not repel water any more", &["waterproof-care"], "coating"),
    ("how often should I wax leather boots?", &["leather-care"], "4 to 6 tours"),
    ("how do I create an account?", &["account-create"], "Create an account"),
    ("I forgot my password", &["account-password"], "Forgot your password"),
    ("please delete my account and all my data", &["account-delete"], "Delete account"),
    (
        "can I change the delivery address after I ordered?",
        &["order-changes", "frequent-questions"],
        "received",
    ),
    ("how can I cancel my order?", &["cancellation"], "Cancel order"),
    ("can I pick up my order in a store?", &["click-and-collect"], "ollect"),
    (
        "what time does the Munich store open on Saturday?",
        &["stores", "frequent-questions"],
        "10:00 to 18:00",
    ),
    ("how do I unsubscribe from the newsletter?", &["newsletter"], "Unsubscribe"),
    ("is your Hamburg store accessible by wheelchair?", &["accessibility"], "step-free"),
    (
        "can you send gas cartridges to Denmark?",
        &["stoves-and-fuel", "shipping-countries"],
        "other countries",
    ),
    ("what does it cost to rent snowshoes?", &["rental"], "12 EUR"),
    ("I want to make a complaint", &["complaints"], "complaints@fjellheim.example"),
    ("how can I talk to a real person?", &["contact", "frequent-questions"], "agent"),
    ("do you give a discount for 30 jackets for our club?", &["bulk-orders"], "10 percent"),
    ("are you hiring?", &["jobs"], "jobs"),
];

/// Questions that this shop cannot answer.
const UNKNOWN: [&str; 24] = [
    "what will the weather be like in Oslo tomorrow?",
    "who won the election in France?",
    "does Decathlon have this tent in stock?",
    "what is the share price of Amazon?",
    "can you write a poem about the sea?",
    "how do I bake sourdough bread?",
    "what is the capital of Australia?",
    "which football team won the champions league?",
    "translate good morning into Japanese",
    "what medicine helps against a headache?",
    "how do I install Python on Windows?",
    "when was the Eiffel Tower built?",
    "should I invest in bitcoin?",
    "what is the meaning of life?",
    "recommend me a good restaurant in Berlin",
    "is my flight to Lisbon delayed?",
    "how tall is Mount Everest?",
    "tell me a joke",
    "who is the president of the United States?",
    "how do I change the oil of my car?",
    "what are the symptoms of the flu?",
    "can you book a hotel room for me?",
    "how old is the universe?",
    "what did Zalando charge my neighbour for his shoes?",
];

pub(super) struct Shop {
    documents: Vec<(NewDocument, Vec<Chunk>)>,
    pub threshold: f32,
}

impl Shop {
    pub fn read() -> Self {
        let config = Config::load(&Sources::default()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/knowledge");
        let bounds = Bounds {
            max_document_bytes: config.knowledge.max_document_bytes,
            max_documents: config.knowledge.max_documents,
        };
        let found = read_folder(&folder, bounds).unwrap();
        assert!(found.faults.is_empty(), "{:?}", found.faults);
        let read = |document: NewDocument| {
            let max_chars = config.knowledge.passage_chars;
            let chunks = document.passages(bounds.max_document_bytes, max_chars).unwrap();
            (document, chunks)
        };
        let documents = found.documents.into_iter().map(read).collect();
        Self { documents, threshold: config.turn.answer_confidence }
    }

    pub fn keep(&mut self, wanted: impl Fn(&NewDocument) -> bool) {
        self.documents.retain(|(document, _)| wanted(document));
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.documents.iter().map(|(document, _)| document.external_id.as_str())
    }

    fn document(&self, id: &str) -> Option<&NewDocument> {
        self.documents.iter().map(|(document, _)| document).find(|known| known.external_id == id)
    }

    pub fn text(&self, id: &str) -> Option<String> {
        match &self.document(id)?.body {
            Body::Text(text) => Some(text.clone()),
            Body::Faq(_) => None,
        }
    }

    pub fn locale(&self, id: &str) -> Option<&str> {
        self.document(id)?.locale.as_deref()
    }

    /// What the passages need vectors of.
    pub fn passages(&self) -> impl Iterator<Item = String> {
        self.documents.iter().flat_map(|(document, chunks)| {
            chunks
                .iter()
                .flat_map(|chunk| [stored::subject(&document.title, chunk), chunk.text.clone()])
        })
    }

    /// Every text that needs a vector.
    fn texts(&self) -> Vec<String> {
        let passages = self.passages();
        let questions = ASKED.iter().map(|(question, ..)| *question).chain(UNKNOWN);
        passages.chain(questions.map(str::to_owned)).collect()
    }

    pub fn index(&self, vectors: &Vectors) -> Index {
        let mut entries = Vec::new();
        for (document, chunks) in &self.documents {
            let document = document.clone();
            let head = Arc::new(DocumentHead::new(
                document.external_id,
                document.title,
                document.url,
                document.tags,
                document.audience,
                document.locale,
            ));
            for (ordinal, chunk) in (0..).zip(chunks) {
                let pair =
                    vectors.of(&stored::subject(&head.title, chunk)).zip(vectors.of(&chunk.text));
                let pair = pair.and_then(|(subject, text)| index::Vectors::new(subject, text));
                entries.push(Arc::new(Entry::new(head.clone(), ordinal, chunk.clone(), pair)));
            }
        }
        Index::of(entries)
    }

    fn answer(&self, index: &Index, vectors: &Vectors, question: &str) -> Option<Extract> {
        let query = english(question, vectors);
        let found = Found { question: question.to_owned(), passages: search(index, &query, 12) };
        let setting = Setting {
            today: jiff::civil::date(2026, 6, 15),
            language: "en",
            least: self.threshold,
            crosses: false,
        };
        extract(&[vec![found]], &setting)
    }

    /// Asks all questions and checks each answer; `floor` is the least number of right ones.
    fn check(&self, vectors: &Vectors, floor: usize) {
        let index = self.index(vectors);
        let mut faults = String::new();
        let mut right = 0;
        for (question, documents, phrase) in ASKED {
            let answer = self.answer(&index, vectors, question);
            let cited = |answer: &Extract| {
                answer.citations.iter().any(|c| documents.contains(&c.document_id.as_str()))
            };
            let fault = match &answer {
                None => "nothing was found",
                Some(answer) if !cited(answer) => "another document",
                Some(answer) if !answer.text.contains(phrase) => "other sentences",
                Some(_) => {
                    right += 1;
                    continue;
                }
            };
            writeln!(faults, "{fault}: {question} {:?}", answer.map(|a| a.text)).unwrap();
        }
        println!("{right} of {} questions are answered right\n{faults}", ASKED.len());
        let mut loud = String::new();
        for question in UNKNOWN {
            if let Some(answer) = self.answer(&index, vectors, question) {
                writeln!(loud, "{:.2}: {question} {:?}", answer.confidence, answer.text).unwrap();
            }
        }
        assert!(loud.is_empty(), "confident about what cannot be known:\n{loud}");
        assert!(right >= floor, "{right} right answers are fewer than {floor}:\n{faults}");
    }
}

fn english<'a>(text: &'a str, vectors: &'a Vectors) -> Query<'a> {
    Query { vector: vectors.of(text), locale: Some("en"), ..Query::new(text) }
}

#[test]
fn shoppers_are_answered_from_the_documents_by_terms_alone() {
    Shop::read().check(&Vectors::default(), 20);
}

#[actix::test]
async fn shoppers_are_answered_from_the_documents_with_vectors() {
    let Some(embedder) = model::start() else { return };
    let shop = Shop::read();
    let vectors = model::vectors(&embedder, shop.texts()).await;
    embedder.stop().await;
    shop.check(&vectors, 37);
}

#[derive(Deserialize)]
struct Row {
    text: String,
    coarse: String,
}

/// Requests to a general assistant (weather, alarms, travel, banking) that a shop knows nothing
/// about.
#[actix::test]
async fn requests_to_another_assistant_are_rarely_answered() {
    let Some(folder) = env::var_os("RUSHDESK_DATA") else {
        println!("RUSHDESK_DATA is not set: nothing is measured");
        return;
    };
    let file = Path::new(&folder).join("routing_eval/routing.dev.jsonl");
    let text = fs::read_to_string(file).unwrap();
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let foreign: Vec<String> =
        rows.into_iter().filter(|row| row.coarse == "out_of_scope").map(|row| row.text).collect();
    let shop = Shop::read();
    let confident = |vectors: &Vectors| {
        let index = shop.index(vectors);
        let is_confident = |text: &&String| {
            let query = english(text, vectors);
            search(&index, &query, 1)
                .first()
                .is_some_and(|passage| passage.confidence >= shop.threshold)
        };
        let share =
            100.0 * foreign.iter().filter(is_confident).count() as f64 / foreign.len() as f64;
        println!("confident on {share:.1} % of {} requests out of scope", foreign.len());
        share
    };
    let terms = confident(&Vectors::default());
    assert!(terms <= 15.0, "{terms}");
    if let Some(embedder) = model::start() {
        let texts = shop.texts().into_iter().chain(foreign.iter().cloned());
        let both = confident(&model::vectors(&embedder, texts).await);
        embedder.stop().await;
        assert!(both <= 6.0, "{both}");
    }
}

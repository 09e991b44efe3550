//! Finds what the shop's knowledge contains about a question.

use tokio::time::Instant;
use tracing::{Instrument as _, trace_span};

use super::{
    ask::Ask,
    ports::Ports,
    reply::{Reply, millis},
};
use crate::{
    domain::Stage,
    embedding::messages::{Embedding, embed as ask_embedder},
    knowledge::{Passage, Query},
};

/// Fails open: without a vector, the search uses terms and nothing is cached by meaning.
pub async fn embed(ports: &Ports, ask: &Ask, reply: &mut Reply) -> Option<Embedding> {
    let port = ports.embedder.as_ref()?;
    let begun = Instant::now();
    let embedding = ask_embedder(&port.embed, search_text(ask), port.timeout);
    let embedding = embedding.instrument(trace_span!("embed")).await.ok();
    reply.timings.embed_ms = Some(millis(begun));
    embedding
}

/// The passages about the question, best first.
pub fn passages(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    embedding: Option<&Embedding>,
) -> Vec<Passage> {
    reply.stage(Stage::Searching);
    let begun = Instant::now();
    let history = ask.said.history();
    let context: Vec<&str> = history.iter().map(|exchange| exchange.user.as_str()).collect();
    let text = search_text(ask);
    let query = Query {
        vector: embedding.map(|embedding| &*embedding.vector),
        context: &context,
        locale: Some(&ask.locale),
        ..Query::new(&text)
    };
    let passages = ports.knowledge.search(&ask.site, &query, ports.turn.passages);
    reply.timings.retrieve_ms = Some(millis(begun));
    passages
}

/// A follow-up question is searched together with the question before it.
fn search_text(ask: &Ask) -> String {
    match (ask.said.question(), ask.said.history().last()) {
        (None, Some(earlier)) => format!("{} {}", earlier.user, ask.said.text()),
        _ => ask.said.text().to_owned(),
    }
}

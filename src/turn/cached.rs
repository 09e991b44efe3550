//! How a turn uses the cache: what it reads, and what it stores.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{
    ask::Ask,
    ports::Ports,
    reply::{Reply, millis},
};
use crate::{
    cache::{self, CachedAnswer, Hit, Made, may_store},
    clock,
    domain::{Answer, Route, ServiceLevel},
    embedding::messages::Embedding,
    knowledge::Passage,
};

/// The answer to a question that means the same.
pub fn by_meaning(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    embedding: Option<&Embedding>,
) -> Option<Hit> {
    let (cache, question) = (ports.cache.as_ref()?, ask.question.as_ref()?);
    let embedding = embedding.filter(|embedding| !embedding.truncated)?;
    let begun = Instant::now();
    let vector = &embedding.vector;
    let hit = cache.semantic(&ask.partition, question, vector, ask.freshness(), clock::now());
    let before = reply.timings.cache_ms.unwrap_or(0);
    reply.timings.cache_ms = Some(before + millis(begun));
    hit
}

/// An answer and its origin.
pub struct Given {
    pub answer: Answer,
    /// The service level of the answer. Only answers at the full level are shared.
    pub at: ServiceLevel,
}

/// Stores a complete answer from the model or the knowledge, for other shoppers.
pub fn remember(
    ports: &Ports,
    ask: &Ask,
    reply: &Reply,
    Given { answer, at }: &Given,
    passages: &[Passage],
    embedding: Option<&Embedding>,
) {
    let (Some(cache), Some(question)) = (&ports.cache, &ask.question) else { return };
    if !ask.may_be_shared() {
        return;
    }
    let made = Made {
        route: answer.route,
        finish_reason: Some(answer.finish_reason),
        service_level: *at,
        used_tools: false,
        truncated: embedding.is_some_and(|embedding| embedding.truncated),
        text: &answer.text,
    };
    if let Err(why) = may_store(&made) {
        cache::metrics::refused(why);
        return;
    }
    // For a similar question, searching the knowledge again is as fast as the cache and more
    // reliable.
    let by_meaning = answer.route == Route::Model;
    let vector = embedding.filter(|_| by_meaning).map(|e| Arc::clone(&e.vector));
    let documents: Vec<String> =
        answer.citations.iter().map(|citation| citation.document_id.clone()).collect();
    let cited = passages.iter().filter(|passage| documents.contains(&passage.document_id));
    let tags: BTreeSet<&String> = cited.flat_map(|passage| &passage.tags).collect();
    let cached = CachedAnswer {
        message_id: reply.message_id,
        made_for: Some(ask.visitor),
        text: answer.text.clone(),
        citations: answer.citations.clone(),
        usage: answer.usage,
        tags: tags.into_iter().cloned().collect(),
        documents,
        made_at: ask.began_at,
    };
    cache.put(&ask.partition, question, vector, cached, clock::now());
}

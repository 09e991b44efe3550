//! How a turn uses the cache: what it reads, and what it stores.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{
    ask::Ask,
    assistants::Given,
    exact::satisfies,
    ports::Ports,
    reply::{Reply, millis},
};
use crate::{
    cache::{self, CachedAnswer, Hit, Likeness, Made, Origin, Vote, compare, may_store},
    clock,
    domain::Route,
    embedding::messages::{Embedding, embed},
    vector::dot,
};

/// The answer to a question that means the same.
pub fn by_meaning(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    embedding: Option<&Embedding>,
) -> Option<Hit> {
    let (cache, question) = (ports.cache.as_ref()?, ask.said.question()?);
    let embedding = embedding.filter(|embedding| !embedding.truncated)?;
    let begun = Instant::now();
    let vector = &embedding.vector;
    let hit = cache
        .semantic(&ask.partition, question, vector, ask.freshness(), clock::now())
        .filter(|hit| satisfies(cache, &ask.said, ask.witness, hit));
    let before = reply.timings.cache_ms.unwrap_or(0);
    reply.timings.cache_ms = Some(before + millis(begun));
    hit
}

/// Stores a complete answer, for other shoppers. One that quotes the shop's documents serves them
/// at once. One of the model is a vote: if an earlier visitor got an equivalent answer, it confirms
/// that one, else it waits for others.
pub async fn remember(
    ports: &Ports,
    ask: &Ask,
    reply: &Reply,
    Given { answer, drafts, at, is_supported, for_all, retrieved, .. }: &Given,
    embedding: Option<&Embedding>,
) {
    let (Some(cache), Some(shareable)) = (&ports.cache, ask.said.shareable()) else { return };
    if !for_all {
        return;
    }
    let made = Made {
        route: answer.route,
        finish_reason: Some(answer.finish_reason),
        service_level: *at,
        used_tools: !drafts.is_empty() || !answer.cards.is_empty(),
        is_supported: *is_supported,
        truncated: embedding.is_some_and(|embedding| embedding.truncated),
        text: &answer.text,
    };
    if let Err(why) = may_store(&made) {
        cache::metrics::refused(why);
        return;
    }
    let question = shareable.question();
    let vote = Vote { by: ask.witness, message: reply.message_id };
    // For a similar question, searching the knowledge again is as fast as the cache and more
    // reliable.
    let is_written = answer.route == Route::Model;
    let vector = embedding.filter(|_| is_written).map(|e| Arc::clone(&e.vector));
    if is_written {
        let known = cache.unconfirmed(&ask.partition, question, vector.as_deref(), clock::now());
        if let Some(known) = known
            && is_equivalent(ports, &known.text, &answer.text).await
            && cache.confirm(known.message_id, vote, clock::now())
        {
            return;
        }
    }
    let documents: Vec<String> =
        answer.citations.iter().map(|citation| citation.document_id.clone()).collect();
    let cited = retrieved.all().filter(|passage| documents.contains(&passage.document_id));
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
    let origin = if is_written { Origin::Written(vote) } else { Origin::Quoted(vote) };
    cache.put(&ask.partition, question, vector, cached, origin, clock::now());
}

/// Whether two answers of the model to one question say the same. Fails closed: without the
/// embedder only equal texts do.
async fn is_equivalent(ports: &Ports, one: &str, other: &str) -> bool {
    match compare(one, other) {
        Likeness::Same => true,
        Likeness::Different => false,
        Likeness::SameFacts => {
            let (Some(port), Some(cache)) = (&ports.embedder, &ports.cache) else { return false };
            let vector = |text: &str| embed(&port.embed, text.to_owned(), port.timeout);
            match tokio::join!(vector(one), vector(other)) {
                (Ok(one), Ok(other)) => dot(&one.vector, &other.vector) >= cache.threshold(),
                _ => false,
            }
        }
    }
}

//! The cached answer to exactly this question.

use std::sync::Arc;

use tokio::time::Instant;

use super::{ports::Ports, said::Said};
use crate::{
    assistant::Catalog,
    cache::{Cache, Freshness, Hit, Partition, Witness},
    clock,
    domain::SiteId,
};

/// Everything that two shoppers must have in common to share an answer.
pub fn partition(ports: &Ports, site: &SiteId, catalog: &Catalog, locale: &str) -> Partition {
    let embedder = ports.embedder.as_ref().map_or_else(|| "none".into(), |e| Arc::clone(&e.id));
    let fingerprint =
        ports.model.as_ref().map_or_else(|| "knowledge".into(), |m| Arc::clone(&m.fingerprint));
    Partition {
        site: site.clone(),
        locale: locale.into(),
        audience: "public".into(),
        knowledge_version: ports.knowledge.version(site),
        assistant: catalog.fingerprint.as_ref().into(),
        fingerprint,
        embedder,
    }
}

/// The answer to exactly this question, and how many milliseconds the look-up took; `None` without
/// a cache, and for a message that needs its conversation.
pub fn look_up(
    ports: &Ports,
    partition: &Partition,
    said: &Said,
    witness: Witness,
    freshness: Freshness,
) -> Option<(Option<Hit>, u64)> {
    let (cache, question) = (ports.cache.as_ref()?, said.question()?);
    let begun = Instant::now();
    let hit = cache
        .exact(partition, question, freshness, clock::now())
        .filter(|hit| satisfies(cache, said, witness, hit));
    Some((hit, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)))
}

/// Whether the shopper may get a cached answer: not one that they rated down, and not again the one
/// that made them repeat the question. A repetition costs the answer trust.
pub fn satisfies(cache: &Cache, said: &Said, witness: Witness, hit: &Hit) -> bool {
    if said.is_repeated() {
        cache.doubt(hit.answer.message_id, witness, clock::now());
        return false;
    }
    !hit.is_doubted_by(witness)
}

//! The cached answer to exactly this question.

use std::sync::Arc;

use tokio::time::Instant;

use super::ports::Ports;
use crate::{
    assistant::prompt::ASSISTANT,
    cache::{Freshness, Hit, Partition, Question},
    clock,
    domain::SiteId,
};

/// Everything that two shoppers must have in common to share an answer.
pub fn partition(ports: &Ports, site: &SiteId, locale: &str) -> Partition {
    let embedder = ports.embedder.as_ref().map_or_else(|| "none".into(), |e| Arc::clone(&e.id));
    let fingerprint =
        ports.model.as_ref().map_or_else(|| "knowledge".into(), |m| Arc::clone(&m.fingerprint));
    Partition {
        site: site.clone(),
        locale: locale.into(),
        audience: "public".into(),
        knowledge_version: ports.knowledge.version(site),
        assistant: ASSISTANT.into(),
        fingerprint,
        embedder,
    }
}

/// The answer to exactly this question, and how many milliseconds the look-up took; `None` without
/// a cache.
pub fn look_up(
    ports: &Ports,
    partition: &Partition,
    question: &Question,
    freshness: Freshness,
) -> Option<(Option<Hit>, u64)> {
    let cache = ports.cache.as_ref()?;
    let begun = Instant::now();
    let hit = cache.exact(partition, question, freshness, clock::now());
    Some((hit, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)))
}

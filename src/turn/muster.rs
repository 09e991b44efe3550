//! Makes assistants ready for turns: their catalogue, and the vectors of their examples.

use std::sync::Arc;

use futures_util::future::join_all;
use tracing::warn;

use super::{
    ports::Ports,
    roster::{Active, Duty},
};
use crate::{
    archive::{Archive, ArchiveError},
    assistant::{Catalog, document::Document},
    domain::SiteId,
    embedding::messages::embed,
    triage::Example,
};

/// Without the embedder, examples are left out.
pub async fn muster(ports: &Ports, site: &SiteId, document: &Document, version: u64) -> Arc<Duty> {
    let configured = ports.shop(site).configured.catalog.confidence;
    let catalog = Catalog::written(document, document.topic_confidence.unwrap_or(configured));
    let examples = examples(ports, document).await;
    if examples.len() < document.examples.len() {
        let missing = document.examples.len() - examples.len();
        warn!(%site, version, missing, "examples of assistants have no vector and are not used");
    }
    Arc::new(Duty { version, catalog, examples })
}

async fn examples(ports: &Ports, document: &Document) -> Vec<Example> {
    let Some(port) = &ports.embedder else { return Vec::new() };
    let embedded = document.examples.iter().map(async |example| {
        let vector = embed(&port.embed, example.text.clone(), port.timeout).await.ok()?.vector;
        Some(Example { topic: example.topic, vector })
    });
    join_all(embedded).await.into_iter().flatten().collect()
}

/// Takes in what the archive says is active. Unchanged versions keep their vectors. A document that
/// cannot be read, since a newer build wrote it, changes nothing.
///
/// # Errors
/// If the archive does not answer. Then nothing changes.
pub async fn follow(ports: &Ports, archive: &Archive) -> Result<(), ArchiveError> {
    let mut next = Active::new();
    for row in archive.all_active_assistants().await? {
        let known = ports.roster.of(&row.site);
        let duty = match known {
            Some(known) if known.version == row.version => known,
            known => match serde_json::from_value::<Document>(row.document) {
                Ok(document) => muster(ports, &row.site, &document, row.version).await,
                Err(error) => {
                    let (site, version) = (&row.site, row.version);
                    warn!(%error, %site, version, "a version of assistants cannot be read");
                    let Some(known) = known else { continue };
                    known
                }
            },
        };
        next.insert(row.site, duty);
    }
    ports.roster.set(next);
    Ok(())
}

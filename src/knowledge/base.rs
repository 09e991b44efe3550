//! The knowledge of all sites in this process, kept in sync with the archive.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use serde::Serialize;
use tracing::{info, warn};

use super::{
    chunk::Chunk,
    document::NewDocument,
    metrics,
    phrase::says,
    query::Query,
    screen::{self, LeftOut, Screened},
    search::{Passage, search},
    site::{Change, Site},
    stored::{self, Embedder, Head},
};
use crate::{
    archive::{self, Archive, ArchiveError, Document, DocumentSummary},
    config,
    domain::{FieldError, SiteId},
    embedding::{Card, messages::EmbedPort},
};

/// Cheap to clone; all clones share one knowledge.
#[derive(Clone)]
pub struct Knowledge {
    shared: Arc<Shared>,
}

struct Shared {
    archive: Archive,
    /// Absent without a model: the search then uses words only.
    embedder: Option<Embedder>,
    config: config::Knowledge,
    /// The language of documents without a locale, for each site that has one.
    languages: HashMap<SiteId, String>,
    sites: ArcSwap<HashMap<SiteId, Arc<Site>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Created,
    Updated,
    Unchanged,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upserted {
    pub version: u64,
    pub chunks: usize,
    pub status: Status,
    /// Sentences that read like instructions and are not in the passages.
    pub left_out: Vec<LeftOut>,
    /// SHA-256 of the content, in hex.
    pub etag: String,
    /// Version of the site after this change.
    pub knowledge_version: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    #[error("the document is not valid")]
    Invalid(Vec<FieldError>),
    /// `If-Match` named different content.
    #[error("the document has changed")]
    Changed,
    #[error("the site already has {max_documents} documents")]
    Full { max_documents: usize },
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl KnowledgeError {
    /// Whether the archive is unreachable. Passages in memory stay searchable.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Archive(error) if error.is_away())
    }
}

impl Knowledge {
    /// Reads the passages of every site. Passages from another embedder are embedded again and
    /// stored.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub async fn load(
        archive: Archive,
        embedder: Option<(EmbedPort, Arc<str>, Arc<Card>)>,
        config: &config::Knowledge,
        shops: &[config::Site],
    ) -> Result<Self, KnowledgeError> {
        let shared = Shared {
            archive,
            embedder: embedder.map(|(port, id, card)| Embedder::new(port, &id, &card)),
            config: config.clone(),
            languages: shops
                .iter()
                .filter_map(|shop| Some((shop.id.clone(), shop.language.clone()?)))
                .collect(),
            sites: ArcSwap::default(),
        };
        let knowledge = Self { shared: Arc::new(shared) };
        for site in knowledge.shared.archive.sites().await? {
            knowledge.embed_again(&site.id).await?;
            knowledge.refresh(&site.id).await?;
        }
        Ok(knowledge)
    }

    /// Stores a document and makes it searchable. Identical content changes nothing. `if_match` is
    /// the `etag` of the version to replace, or `*` for any.
    ///
    /// # Errors
    /// [`KnowledgeError::Invalid`] names every faulty field. [`KnowledgeError::Changed`] if
    /// `if_match` does not match. [`KnowledgeError::Full`] if the site has no room for a new
    /// document.
    pub async fn upsert(
        &self,
        site: &SiteId,
        document: NewDocument,
        if_match: Option<&str>,
    ) -> Result<Upserted, KnowledgeError> {
        let Read { row, chunks, left_out } = self.read(site, document).await?;
        let known = self.shared.archive.document(site, &row.external_id).await?;
        let matches =
            |tag: &str| known.as_ref().is_some_and(|known| tag == "*" || known.content_hash == tag);
        if if_match.is_some_and(|tag| !matches(tag)) {
            return Err(KnowledgeError::Changed);
        }
        let etag = row.content_hash.clone();
        if let Some(known) = known.as_ref().filter(|known| known.content_hash == etag) {
            metrics::changed("unchanged");
            return Ok(Upserted {
                version: known.version,
                chunks: chunks.len(),
                status: Status::Unchanged,
                left_out,
                etag,
                knowledge_version: self.version(site),
            });
        }
        let expected = if_match.and(known.as_ref()).map(|known| known.version);
        let stored = self.store(site, &row, &chunks, expected, known.is_none()).await?;
        let status = if stored.version == 1 { Status::Created } else { Status::Updated };
        metrics::changed(if status == Status::Created { "created" } else { "updated" });
        Ok(Upserted {
            version: stored.version,
            chunks: chunks.len(),
            status,
            left_out,
            etag,
            knowledge_version: stored.knowledge_version,
        })
    }

    /// Deletes a document; `None` if there is none.
    ///
    /// # Errors
    /// If the archive rejected it.
    pub async fn delete(
        &self,
        site: &SiteId,
        external_id: &str,
    ) -> Result<Option<archive::DocumentDeletion>, KnowledgeError> {
        let loaded = self.site(site);
        let mut change = self.change(&loaded, site).await;
        let Some(deleted) = self.shared.archive.delete_document(site, external_id).await? else {
            return Ok(None);
        };
        let shown =
            change.show(external_id.to_owned(), Vec::new(), None, deleted.knowledge_version).await;
        self.after(site, shown);
        metrics::changed("deleted");
        Ok(Some(deleted))
    }

    /// A document with its body.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub async fn get(
        &self,
        site: &SiteId,
        external_id: &str,
    ) -> Result<Option<Document>, KnowledgeError> {
        Ok(self.shared.archive.document(site, external_id).await?)
    }

    /// At most `limit` documents after `after`, without their bodies, ordered by `external_id`.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub async fn list(
        &self,
        site: &SiteId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DocumentSummary>, KnowledgeError> {
        Ok(self.shared.archive.documents(site, after, limit).await?)
    }

    /// The number of documents of a site.
    ///
    /// # Errors
    /// If the archive cannot be read.
    pub async fn documents(&self, site: &SiteId) -> Result<usize, KnowledgeError> {
        let loaded = self.site(site);
        let mut change = self.change(&loaded, site).await;
        change.catch_up().await?;
        Ok(change.documents())
    }

    /// Whether the site has anything that an answer could rest on.
    pub fn has_passages(&self, site: &SiteId) -> bool {
        self.shared.sites.load().get(site).is_some_and(|site| site.shown().index.len() > 0)
    }

    /// Increases with every change of a site's documents; 0 before the first.
    pub fn version(&self, site: &SiteId) -> u64 {
        self.shared.sites.load().get(site).map_or(0, |site| site.shown().version)
    }

    /// The best `k` passages of a site for a question, best first. Takes well under a millisecond
    /// for a thousand passages and a few milliseconds for a hundred thousand. It never waits.
    pub fn search(&self, site: &SiteId, query: &Query<'_>, k: usize) -> Vec<Passage> {
        let sites = self.shared.sites.load();
        let Some(site) = sites.get(site) else { return Vec::new() };
        let meaning = self.shared.embedder.as_ref().map(|embedder| embedder.meaning);
        let query = Query { meaning: meaning.unwrap_or(query.meaning), ..*query };
        let found = search(&site.shown().index, &query, k);
        metrics::searched(!found.is_empty());
        found
    }

    /// Whether the pages of a site have these words one after another, as
    /// [`crate::guard::plain_words`] spells them. It never waits.
    pub fn says(&self, site: &SiteId, phrase: &str) -> bool {
        self.shared.sites.load().get(site).is_some_and(|site| says(&site.shown().index, phrase))
    }

    /// Loads changes made by another replica.
    ///
    /// # Errors
    /// If the archive cannot be read; the site then keeps its previous passages.
    pub async fn refresh(&self, site: &SiteId) -> Result<(), KnowledgeError> {
        let version = self.shared.archive.knowledge_version(site).await?.unwrap_or(0);
        if version != self.version(site) {
            let loaded = self.site(site);
            self.change(&loaded, site).await.catch_up().await?;
            self.count();
        }
        Ok(())
    }

    /// Reads and splits a document on a thread that may block.
    async fn read(&self, site: &SiteId, document: NewDocument) -> Result<Read, KnowledgeError> {
        let (site, config) = (site.clone(), self.shared.config.clone());
        let read = move || {
            let chunks = document
                .passages(config.max_document_bytes, config.passage_chars)
                .map_err(KnowledgeError::Invalid)?;
            let row = stored::row(&site, &document, document.content_hash())
                .map_err(|_| ArchiveError::Rejected("stored questions are not JSON".to_owned()))?;
            let screened =
                if document.trusted { Screened::whole(chunks) } else { screen::by_rules(chunks) };
            Ok((row, screened))
        };
        let read = tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| {
            Err(KnowledgeError::from(ArchiveError::Unavailable("reading was stopped".to_owned())))
        });
        let (mut row, mut screened) = read?;
        if let Some(embedder) = &self.shared.embedder {
            screened.judge(embedder).await;
        }
        let Screened { chunks, left_out, .. } = screened;
        if !left_out.is_empty() {
            stored::PARTIAL.clone_into(&mut row.status);
        }
        Ok(Read { row, chunks, left_out })
    }

    async fn store(
        &self,
        site: &SiteId,
        row: &Document,
        chunks: &[Chunk],
        expected: Option<u64>,
        is_new: bool,
    ) -> Result<archive::DocumentChange, KnowledgeError> {
        // Done before the lock is taken: a long document takes seconds, and other changes must not
        // wait for it.
        let rows = self.embedded(row, chunks).await;
        let loaded = self.site(site);
        let mut change = self.change(&loaded, site).await;
        self.check_room(&loaded, &change, chunks.len(), is_new)?;
        let stored = match self.shared.archive.put_document(row, &rows, expected).await {
            Err(ArchiveError::Conflict) => return Err(KnowledgeError::Changed),
            other => other?,
        };
        let head = Head::of_row(row, loaded.home());
        let entries =
            rows.iter().map(|row| head.entry(row, self.shared.embedder.as_ref())).collect();
        let id = row.external_id.clone();
        let shown = change.show(id, entries, Some(stored.version), stored.knowledge_version).await;
        self.after(site, shown);
        Ok(stored)
    }

    /// Passages with their vectors. Without vectors they are found by words until the next start.
    async fn embedded(&self, row: &Document, chunks: &[Chunk]) -> Vec<archive::Chunk> {
        let embedder = self.shared.embedder.as_ref();
        let vectors = match embedder {
            Some(embedder) => embedder.vectors(&row.title, chunks).await.unwrap_or_else(|error| {
                warn!(%error, site_id = %row.site_id, "a document was stored without vectors");
                HashMap::new()
            }),
            None => HashMap::new(),
        };
        stored::rows(row, chunks, embedder, &vectors)
    }

    fn check_room(
        &self,
        site: &Site,
        change: &Change<'_>,
        chunks: usize,
        is_new: bool,
    ) -> Result<(), KnowledgeError> {
        let config::Knowledge { max_documents, max_passages, .. } = self.shared.config;
        if is_new && change.documents() >= max_documents {
            return Err(KnowledgeError::Full { max_documents });
        }
        if site.shown().index.len() + chunks > max_passages {
            return Err(KnowledgeError::Invalid(vec![FieldError {
                field: "text".to_owned(),
                detail: format!("the site would have more than {max_passages} passages"),
            }]));
        }
        Ok(())
    }

    /// Vectors of another embedder cannot be compared with this one's.
    async fn embed_again(&self, site: &SiteId) -> Result<(), KnowledgeError> {
        let loaded = self.site(site);
        let stale = self.change(&loaded, site).await.stale().await?;
        for external_id in &stale {
            let Some(row) = self.shared.archive.document(site, external_id).await? else {
                continue;
            };
            let Some(document) = stored::document(&row) else { continue };
            let Read { chunks, .. } = match self.read(site, document).await {
                // It was stored under other rules or limits, and stays findable by words.
                Err(KnowledgeError::Invalid(fields)) => {
                    warn!(site_id = %site, external_id, ?fields, "a document was not embedded again");
                    continue;
                }
                other => other?,
            };
            let rows = self.embedded(&row, &chunks).await;
            if rows.iter().any(|row| row.vector.is_empty()) {
                continue;
            }
            match self.shared.archive.put_document(&row, &rows, Some(row.version)).await {
                // Another replica was faster.
                Err(ArchiveError::Conflict) => {}
                other => drop(other?),
            }
        }
        if !stale.is_empty() {
            info!(site_id = %site, documents = stale.len(), "documents embedded again");
        }
        Ok(())
    }

    /// Logs a failure. The document is stored all the same; the next refresh makes it searchable.
    fn after(&self, site: &SiteId, shown: Result<(), ArchiveError>) {
        if let Err(error) = shown {
            warn!(%error, site_id = %site, "a document was stored and is not searchable yet");
        }
        self.count();
    }

    fn count(&self) {
        let sites = self.shared.sites.load();
        metrics::passages(sites.values().map(|site| site.shown().index.len()).sum());
    }

    async fn change<'a>(&'a self, loaded: &'a Site, site: &'a SiteId) -> Change<'a> {
        loaded.change(site, &self.shared.archive, self.shared.embedder.as_ref()).await
    }

    fn site(&self, id: &SiteId) -> Arc<Site> {
        if let Some(site) = self.shared.sites.load().get(id) {
            return Arc::clone(site);
        }
        let fresh = Arc::new(Site::new(self.shared.languages.get(id).cloned()));
        self.shared.sites.rcu(|sites| {
            let mut sites = HashMap::clone(sites);
            sites.entry(id.clone()).or_insert_with(|| Arc::clone(&fresh));
            sites
        });
        self.shared.sites.load().get(id).map_or(fresh, Arc::clone)
    }
}

/// A valid document and its passages.
struct Read {
    row: Document,
    chunks: Vec<Chunk>,
    left_out: Vec<LeftOut>,
}

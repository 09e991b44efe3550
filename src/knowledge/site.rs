//! The knowledge of one site in this process, and how it follows the archive.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, MutexGuard};

use super::{
    index::{Entry, Index},
    stored::{Embedder, Head},
};
use crate::{
    archive::{self, Archive, ArchiveError, DocumentSummary},
    domain::SiteId,
};

/// How many rows are read from the archive at once.
const PAGE: u32 = 500;

/// If more documents than this changed, they are not read one by one.
const MAX_SINGLE: usize = 64;

/// Readers load the current index and never wait; changes run one after the other.
#[derive(Default)]
pub(super) struct Site {
    /// The language of documents without a locale.
    home: Option<String>,
    shown: ArcSwap<Shown>,
    known: Mutex<Known>,
}

/// The searchable content at one knowledge version.
#[derive(Clone, Default)]
pub(super) struct Shown {
    pub version: u64,
    pub index: Index,
}

/// The version of each document in the index.
type Known = BTreeMap<String, u64>;

impl Site {
    pub fn new(home: Option<String>) -> Self {
        Self { home, ..Self::default() }
    }

    pub fn home(&self) -> Option<&str> {
        self.home.as_deref()
    }

    pub fn shown(&self) -> arc_swap::Guard<Arc<Shown>> {
        self.shown.load()
    }

    /// Waits until no other change of this site is running.
    pub async fn change<'a>(
        &'a self,
        id: &'a SiteId,
        archive: &'a Archive,
        embedder: Option<&'a Embedder>,
    ) -> Change<'a> {
        Change { id, site: self, known: self.known.lock().await, archive, embedder }
    }
}

/// The right to change the shown content of a site.
pub(super) struct Change<'a> {
    id: &'a SiteId,
    site: &'a Site,
    known: MutexGuard<'a, Known>,
    archive: &'a Archive,
    embedder: Option<&'a Embedder>,
}

impl Change<'_> {
    /// The number of documents that the site shows.
    pub fn documents(&self) -> usize {
        self.known.len()
    }

    /// Shows a document's passages at `version`, or none, after the archive stored the change and
    /// set the site to `knowledge_version`.
    pub async fn show(
        &mut self,
        external_id: String,
        entries: Vec<Arc<Entry>>,
        version: Option<u64>,
        knowledge_version: u64,
    ) -> Result<(), ArchiveError> {
        let shown = self.site.shown.load_full();
        let in_step = shown.version + 1 == knowledge_version;
        let id = external_id.clone();
        let index = off_thread(move || shown.index.with_document(&id, entries)).await?;
        match version {
            Some(version) => self.known.insert(external_id, version),
            None => self.known.remove(&external_id),
        };
        let version = if in_step { knowledge_version } else { self.site.shown.load().version };
        self.site.shown.store(Arc::new(Shown { version, index }));
        // Another replica made a change in between.
        if in_step { Ok(()) } else { self.catch_up().await }
    }

    /// Loads what the archive has and the site does not show.
    pub async fn catch_up(&mut self) -> Result<(), ArchiveError> {
        // Read first: later changes are then read again by the next call.
        let version = self.archive.knowledge_version(self.id).await?.unwrap_or(0);
        if version == self.site.shown.load().version {
            return Ok(());
        }
        let summaries = self.summaries().await?;
        let changed =
            summaries.iter().filter(|s| self.known.get(&s.external_id) != Some(&s.version)).count();
        let index = if changed > MAX_SINGLE {
            self.read_all(&summaries).await?
        } else {
            self.read_changed(&summaries).await?
        };
        *self.known = summaries.into_iter().map(|s| (s.external_id, s.version)).collect();
        self.site.shown.store(Arc::new(Shown { version, index }));
        Ok(())
    }

    async fn read_all(&self, summaries: &[DocumentSummary]) -> Result<Index, ArchiveError> {
        let home = self.site.home();
        let heads: HashMap<String, Head> = summaries
            .iter()
            .map(|s| (s.external_id.clone(), Head::of_summary(s.clone(), home)))
            .collect();
        let mut entries = Vec::new();
        let mut after: Option<(String, u32)> = None;
        loop {
            let page = self.page(after.as_ref()).await?;
            // A document that was deleted meanwhile has no head.
            let known = page.iter().filter_map(|row| Some((heads.get(&row.external_id)?, row)));
            entries.extend(known.map(|(head, row)| head.entry(row, self.embedder)));
            match next_page(&page) {
                Some(next) => after = Some(next),
                None => return off_thread(|| Index::of(entries)).await,
            }
        }
    }

    async fn read_changed(&self, summaries: &[DocumentSummary]) -> Result<Index, ArchiveError> {
        let mut index = self.site.shown.load().index.clone();
        let mut changes: Vec<(String, Vec<Arc<Entry>>)> = Vec::new();
        let there: BTreeMap<&str, u64> =
            summaries.iter().map(|s| (s.external_id.as_str(), s.version)).collect();
        for gone in self.known.keys().filter(|id| !there.contains_key(id.as_str())) {
            changes.push((gone.clone(), Vec::new()));
        }
        for (at, summary) in summaries.iter().enumerate() {
            if self.known.get(&summary.external_id) != Some(&summary.version) {
                let before = at.checked_sub(1).map(|before| summaries[before].external_id.clone());
                let rows = self.passages(before, &summary.external_id).await?;
                let head = Head::of_summary(summary.clone(), self.site.home());
                let entries = rows.iter().map(|row| head.entry(row, self.embedder)).collect();
                changes.push((summary.external_id.clone(), entries));
            }
        }
        off_thread(move || {
            for (external_id, entries) in changes {
                index = index.with_document(&external_id, entries);
            }
            index
        })
        .await
    }

    /// The passages of the document that follows `before`.
    async fn passages(
        &self,
        before: Option<String>,
        external_id: &str,
    ) -> Result<Vec<archive::Chunk>, ArchiveError> {
        let mut found = Vec::new();
        let mut after = before.map(|before| (before, u32::MAX));
        loop {
            let page = self.page(after.as_ref()).await?;
            let next = next_page(&page);
            let ends_elsewhere = page.last().is_some_and(|row| row.external_id != external_id);
            // A document that was added meanwhile is skipped.
            found.extend(page.into_iter().filter(|row| row.external_id == external_id));
            match next {
                Some(next) if found.is_empty() || !ends_elsewhere => after = Some(next),
                _ => return Ok(found),
            }
        }
    }

    async fn page(
        &self,
        after: Option<&(String, u32)>,
    ) -> Result<Vec<archive::Chunk>, ArchiveError> {
        let after = after.map(|(external_id, ordinal)| (external_id.as_str(), *ordinal));
        self.archive.chunks(self.id, after, PAGE).await
    }

    async fn summaries(&self) -> Result<Vec<DocumentSummary>, ArchiveError> {
        let mut all: Vec<DocumentSummary> = Vec::new();
        loop {
            let after = all.last().map(|last| last.external_id.clone());
            let page = self.archive.documents(self.id, after.as_deref(), PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// If there is an embedder: the documents with a passage that it did not embed.
    pub async fn stale(&self) -> Result<Vec<String>, ArchiveError> {
        let Some(embedder) = self.embedder else { return Ok(Vec::new()) };
        let mut stale: Vec<String> = Vec::new();
        let mut after: Option<(String, u32)> = None;
        loop {
            let page = self.page(after.as_ref()).await?;
            let foreign = page.iter().filter(|row| !embedder.made(row));
            stale.extend(foreign.map(|row| row.external_id.clone()));
            stale.dedup();
            match next_page(&page) {
                Some(next) => after = Some(next),
                None => return Ok(stale),
            }
        }
    }
}

/// The start of the next page after a full one.
fn next_page(page: &[archive::Chunk]) -> Option<(String, u32)> {
    let last = page.last().filter(|_| page.len() >= PAGE as usize)?;
    Some((last.external_id.clone(), last.ordinal))
}

/// Runs on a blocking thread, because indexing a large site takes too long for an async thread.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ArchiveError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| ArchiveError::Unavailable("indexing was stopped".to_owned()))
}

//! The cache's interface for the rest of the service: look up, store, remove.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use super::{
    metrics,
    outbox::{Change, Outbox},
    partition::Partition,
    question::Question,
    store::{CachedAnswer, Entry, Freshness, Hit, Listed, Page, Scope, Store},
};
use crate::{
    config,
    domain::{CacheTier, MessageId, PrincipalId, SiteId, Timestamp},
};

/// The cache of one process. Cheap to clone; all clones share one cache.
#[derive(Clone)]
pub struct Cache {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    enabled: bool,
    ttl: Duration,
    /// How long an entry is kept after its lifetime.
    stale: Duration,
    threshold: f32,
    pub(super) max_entries: usize,
    store: RwLock<Store>,
    pub(super) outbox: Outbox,
}

impl Cache {
    pub fn new(config: &config::Cache) -> Self {
        Self {
            shared: Arc::new(Shared {
                enabled: config.enabled,
                ttl: config.ttl,
                stale: config.stale,
                threshold: config.threshold,
                max_entries: config.max_entries,
                store: RwLock::new(Store::new(
                    config.max_entries,
                    config.max_bytes,
                    config.ttl,
                    config.stale,
                )),
                outbox: Outbox::default(),
            }),
        }
    }

    /// The answer to the same question in the same words.
    pub fn exact(
        &self,
        partition: &Partition,
        question: &Question,
        freshness: Freshness,
        now: Timestamp,
    ) -> Option<Hit> {
        if !self.shared.enabled {
            return None;
        }
        let hit = self.read().exact(partition.key(), question.key(), freshness, now);
        metrics::looked_up(CacheTier::Exact, hit.is_some());
        hit
    }

    /// The answer to the nearest question that the guards allow. With 20,000 entries of 384
    /// dimensions in one partition, a look-up reads some 10 MB and takes about a millisecond, so it
    /// may run on an async thread.
    pub fn semantic(
        &self,
        partition: &Partition,
        question: &Question,
        vector: &[f32],
        freshness: Freshness,
        now: Timestamp,
    ) -> Option<Hit> {
        if !self.shared.enabled {
            return None;
        }
        let threshold = self.shared.threshold;
        let hit =
            self.read().semantic(partition.key(), question, vector, threshold, freshness, now);
        metrics::looked_up(CacheTier::Semantic, hit.is_some());
        hit
    }

    /// Stores an answer until `answer.made_at` plus the configured lifetime. Without a vector, only
    /// the exact words find it. An answer is dropped if it was made before a purge that covers it.
    pub fn put(
        &self,
        partition: &Partition,
        question: &Question,
        vector: Option<Arc<[f32]>>,
        answer: CachedAnswer,
        now: Timestamp,
    ) {
        let life = i64::try_from(self.shared.ttl.as_millis()).unwrap_or(i64::MAX);
        let expires_at = Timestamp::from_millis(answer.made_at.as_millis().saturating_add(life));
        let entry = Entry::new(partition.clone(), question.clone(), vector, answer, expires_at);
        let entry = Arc::new(entry);
        if self.shared.enabled && self.insert(&entry, now) {
            self.shared.outbox.push(Change::Put(entry));
        }
    }

    /// Removes the entry that came from a message on all replicas, for example after a negative
    /// rating. It cannot come back.
    pub fn distrust(&self, entry: MessageId, now: Timestamp) {
        self.purge(Scope::Entry(entry), now);
    }

    /// Removes the answers that were made for a person who was erased, and takes no more of them.
    /// True once Redis knows it, from where every replica hears of it within a second; call it again
    /// until then.
    pub fn forget(&self, person: PrincipalId, now: Timestamp) -> bool {
        let scope = Scope::Person(person);
        if !self.read().has_purged(&scope) {
            self.purge(scope.clone(), now);
        }
        !self.shared.outbox.holds(&scope)
    }

    /// At most `limit` answers that were made for a person.
    pub fn made_for(&self, person: PrincipalId, limit: usize, now: Timestamp) -> Vec<Listed> {
        self.read().made_for(person, limit, now)
    }

    /// Removes all entries of a site: here at once, on every replica within a second. Answers made
    /// before `now` can no longer be stored. Returns how many entries were removed here.
    pub fn purge_all(&self, site: &SiteId, now: Timestamp) -> usize {
        self.purge(Scope::Site(site.clone()), now)
    }

    /// Like [`Cache::purge_all`], for the answers with this tag.
    pub fn purge_tag(&self, site: &SiteId, tag: &str, now: Timestamp) -> usize {
        self.purge(Scope::Tag(site.clone(), tag.into()), now)
    }

    /// Like [`Cache::purge_all`], for the answers based on this document.
    pub fn purge_document(&self, site: &SiteId, document_id: &str, now: Timestamp) -> usize {
        self.purge(Scope::Document(site.clone(), document_id.into()), now)
    }

    /// The entries of a site after `cursor`, oldest first.
    pub fn list(
        &self,
        site: &SiteId,
        cursor: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Page {
        self.read().list(site, cursor, limit, now)
    }

    /// How long an answer can be served at most; purges are remembered for as long.
    pub(super) fn longest_life(&self) -> Duration {
        self.shared.ttl + self.shared.stale
    }

    fn purge(&self, scope: Scope, now: Timestamp) -> usize {
        let gone = self.write().purge(&scope, now);
        let addresses = gone.iter().map(|entry| entry.address()).collect();
        self.shared.outbox.push(Change::Purge { scope, at: now, addresses });
        gone.len()
    }

    pub(super) fn insert(&self, entry: &Arc<Entry>, now: Timestamp) -> bool {
        self.write().insert(entry, now)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.shared.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.shared.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}

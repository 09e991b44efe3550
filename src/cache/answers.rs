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
    store::{
        Bounds, CachedAnswer, Entry, Freshness, Hit, Listed, Origin, Page, Scope, Settled, Store,
        Trust, Vote, Witness,
    },
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
    confirmations: usize,
    entries_per_visitor: usize,
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
                confirmations: config.confirmations,
                entries_per_visitor: config.entries_per_visitor,
                max_entries: config.max_entries,
                store: RwLock::new(Store::new(&Bounds {
                    max_entries: config.max_entries,
                    max_bytes: config.max_bytes,
                    life: config.ttl,
                    stale: config.stale,
                    confirmations: config.confirmations,
                })),
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

    /// The lowest similarity of two texts with the same meaning.
    pub fn threshold(&self) -> f32 {
        self.shared.threshold
    }

    /// The answer of the model that waits for confirmation, to this question or to one that means
    /// the same. The caller finds out whether a new answer is equivalent.
    pub fn unconfirmed(
        &self,
        partition: &Partition,
        question: &Question,
        vector: Option<&[f32]>,
        now: Timestamp,
    ) -> Option<Arc<CachedAnswer>> {
        if !self.shared.enabled {
            return None;
        }
        let threshold = self.shared.threshold;
        let entry = self.read().unconfirmed(partition.key(), question, vector, threshold, now)?;
        Some(entry.answer.clone())
    }

    /// Counts a vote for an answer that another visitor got. With the last vote that it needs, it
    /// serves strangers. `false` if the entry is gone.
    pub fn confirm(&self, entry: MessageId, vote: Vote, now: Timestamp) -> bool {
        let full = self.is_full(vote.by);
        let mut store = self.write();
        let Some(known) = store.get(entry) else { return false };
        if full {
            metrics::voted("quota");
            return true;
        }
        let trust = known.trust.confirmed(vote, self.shared.confirmations);
        metrics::voted(if trust == known.trust {
            "repeated"
        } else if trust.shared {
            "shared"
        } else {
            "confirmed"
        });
        self.update(&mut store, &known, trust, now);
        true
    }

    /// Stores an answer until `answer.made_at` plus the configured lifetime. Without a vector, only
    /// the exact words find it. An answer is dropped if it was made before a purge that covers it,
    /// or if its visitor has brought in as many as one may.
    pub fn put(
        &self,
        partition: &Partition,
        question: &Question,
        vector: Option<Arc<[f32]>>,
        answer: CachedAnswer,
        origin: Origin,
        now: Timestamp,
    ) {
        if !self.shared.enabled {
            return;
        }
        let (Origin::Quoted(vote) | Origin::Written(vote)) = origin;
        if self.is_full(vote.by) {
            metrics::voted("quota");
            return;
        }
        let life = i64::try_from(self.shared.ttl.as_millis()).unwrap_or(i64::MAX);
        let expires_at = Timestamp::from_millis(answer.made_at.as_millis().saturating_add(life));
        let trust = Trust::new(origin, self.shared.confirmations);
        let (partition, question) = (partition.clone(), question.clone());
        let entry = Arc::new(Entry::new(partition, question, vector, answer, expires_at, trust));
        let settled = self.write().insert(&entry, now);
        if let Some(Settled { entry, changed: true }) = settled {
            metrics::voted(if entry.trust.shared { "shared" } else { "first" });
            self.shared.outbox.push(Change::Put(entry));
        }
    }

    /// Takes an entry that another replica sent. Sends back what stands here for its question, if
    /// that is more.
    pub(super) fn receive(&self, entry: &Arc<Entry>, now: Timestamp) -> bool {
        let Some(Settled { entry: stands, changed }) = self.write().insert(entry, now) else {
            return false;
        };
        if stands.trust.is_lost(self.shared.confirmations) {
            self.purge(Scope::Entry(stands.id), now);
            return false;
        }
        if stands.id != entry.id || stands.trust != entry.trust {
            self.shared.outbox.push(Change::Put(stands));
        }
        changed
    }

    /// Notes that a visitor was not content with the answer in a message, for example by a negative
    /// rating. They do not get it again; after as many visitors as must confirm an answer it is
    /// removed on all replicas, and cannot come back.
    pub fn doubt(&self, message: MessageId, by: Witness, now: Timestamp) {
        let mut store = self.write();
        let Some(known) = store.of_message(message) else { return };
        metrics::doubted();
        let trust = known.trust.doubted(by, self.shared.confirmations);
        if trust.is_lost(self.shared.confirmations) {
            drop(store);
            self.purge(Scope::Entry(known.id), now);
        } else {
            self.update(&mut store, &known, trust, now);
        }
    }

    /// Removes the answer in a message on all replicas, because the shop's staff says that it is
    /// wrong. It cannot come back.
    pub fn distrust(&self, message: MessageId, now: Timestamp) {
        let known = self.read().of_message(message).map_or(message, |known| known.id);
        self.purge(Scope::Entry(known), now);
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

    /// Gives an entry another trust, here and on the other replicas.
    fn update(&self, store: &mut Store, known: &Arc<Entry>, trust: Trust, now: Timestamp) {
        if trust == known.trust {
            return;
        }
        let entry = Arc::new(known.with(trust));
        if let Some(Settled { entry, changed: true }) = store.insert(&entry, now) {
            self.shared.outbox.push(Change::Put(entry));
        }
    }

    /// Whether a visitor has brought in as many entries as one may.
    fn is_full(&self, visitor: Witness) -> bool {
        self.read().votes_of(visitor) >= self.shared.entries_per_visitor
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.shared.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.shared.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}

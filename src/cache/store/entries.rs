//! The entries of this process, found by address, vector, id or age. Bounded by count and by bytes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque, btree_map},
    ops::Bound,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use uuid::Uuid;

use super::{
    entry::{Address, Entry, Hit, Listed, Page},
    index::Index,
    purge::{Scope, Watermarks},
};
use crate::{
    cache::{
        metrics::{self, Gone},
        question::{Question, agree},
    },
    domain::{CacheTier, MessageId, PrincipalId, SiteId, Timestamp},
};

/// How many neighbours the guards check before a look-up gives up.
const CANDIDATES: usize = 16;

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Within its lifetime.
    Fresh,
    /// Up to the configured time after its lifetime, for reduced service. Purges and changed
    /// documents still apply.
    Stale,
}

pub(in crate::cache) struct Store {
    max_entries: usize,
    max_bytes: usize,
    /// Milliseconds that an entry is kept after its lifetime.
    stale: i64,
    bytes: usize,
    by_address: HashMap<Address, Arc<Entry>>,
    by_id: HashMap<MessageId, Arc<Entry>>,
    by_site: BTreeMap<(SiteId, MessageId), Arc<Entry>>,
    by_expiry: BTreeSet<(Timestamp, MessageId)>,
    partitions: HashMap<[u8; 16], Index>,
    /// The order in which entries are considered for eviction; some ids may already be gone.
    queue: VecDeque<MessageId>,
    watermarks: Watermarks,
}

impl Store {
    /// `life` of an answer, and how long it is kept after that. Purges are remembered for the sum
    /// of both.
    pub(in crate::cache) fn new(
        max_entries: usize,
        max_bytes: usize,
        life: Duration,
        stale: Duration,
    ) -> Self {
        Self {
            max_entries,
            max_bytes,
            stale: i64::try_from(stale.as_millis()).unwrap_or(i64::MAX),
            bytes: 0,
            by_address: HashMap::new(),
            by_id: HashMap::new(),
            by_site: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            partitions: HashMap::new(),
            queue: VecDeque::new(),
            watermarks: Watermarks::new(life + stale),
        }
    }

    pub(in crate::cache) fn exact(
        &self,
        partition: [u8; 16],
        question: [u8; 32],
        freshness: Freshness,
        now: Timestamp,
    ) -> Option<Hit> {
        let entry = self.by_address.get(&Address { partition, question })?;
        let alive = entry.expires_at > self.oldest_expiry(freshness, now);
        alive.then(|| entry.hit(CacheTier::Exact, None, now))
    }

    /// Entries that expired at or before this time are not served.
    fn oldest_expiry(&self, freshness: Freshness, now: Timestamp) -> Timestamp {
        match freshness {
            Freshness::Fresh => now,
            Freshness::Stale => Timestamp::from_millis(now.as_millis().saturating_sub(self.stale)),
        }
    }

    pub(in crate::cache) fn semantic(
        &self,
        partition: [u8; 16],
        question: &Question,
        vector: &[f32],
        threshold: f32,
        freshness: Freshness,
        now: Timestamp,
    ) -> Option<Hit> {
        let index = self.partitions.get(&partition)?;
        let near = index.nearest(vector, threshold, CANDIDATES);
        let oldest = self.oldest_expiry(freshness, now);
        near.into_iter().filter(|(_, entry)| entry.expires_at > oldest).find_map(
            |(similarity, entry)| match agree(question, &entry.question) {
                Ok(()) => Some(entry.hit(CacheTier::Semantic, Some(similarity), now)),
                Err(why) => {
                    metrics::guarded(why);
                    None
                }
            },
        )
    }

    /// `false` if the entry is expired, older than a purge, older than the stored one, or larger
    /// than the whole cache.
    pub(in crate::cache) fn insert(&mut self, entry: &Arc<Entry>, now: Timestamp) -> bool {
        self.drop_expired(now);
        let known = self.by_address.get(&entry.address());
        let newer_known = known.is_some_and(|known| {
            (known.answer.made_at, known.id) > (entry.answer.made_at, entry.id)
                || known.id == entry.id
        });
        let refused = entry.expires_at <= now
            || newer_known
            || self.watermarks.cover(entry)
            || entry.bytes() > self.max_bytes
            || self.max_entries == 0;
        if refused {
            return false;
        }
        if let Some(id) = known.map(|known| known.id) {
            self.remove(id, Gone::Replaced);
        }
        self.bytes += entry.bytes();
        self.by_address.insert(entry.address(), entry.clone());
        self.by_id.insert(entry.id, entry.clone());
        self.by_site.insert((entry.partition.site.clone(), entry.id), entry.clone());
        self.by_expiry.insert((entry.expires_at, entry.id));
        if let Some(vector) = &entry.vector {
            let index = self
                .partitions
                .entry(entry.partition_key)
                .or_insert_with(|| Index::new(vector.len()));
            if !index.insert(entry) {
                metrics::foreign_vector();
            }
        }
        self.queue.push_back(entry.id);
        self.make_room(entry.id);
        metrics::size(self.by_id.len(), self.bytes);
        true
    }

    /// Second chance: an entry used since the last check keeps its place once.
    fn make_room(&mut self, newest: MessageId) {
        while self.by_id.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(id) = self.queue.pop_front() else { break };
            let Some(entry) = self.by_id.get(&id) else { continue };
            if id == newest || entry.used.swap(false, Ordering::Relaxed) {
                self.queue.push_back(id);
            } else {
                self.remove(id, Gone::Evicted);
            }
        }
        // Ids of entries that were removed otherwise must not pile up.
        if self.queue.len() > 2 * self.by_id.len() + 64 {
            self.queue.retain(|id| self.by_id.contains_key(id));
        }
    }

    /// Removes what the purge covers, however young, and keeps older answers out from now on.
    pub(in crate::cache) fn purge(&mut self, scope: &Scope, at: Timestamp) -> Vec<Arc<Entry>> {
        self.watermarks.note(scope.clone(), at);
        let reached: Vec<MessageId> = match scope {
            Scope::Everything => self.by_id.keys().copied().collect(),
            Scope::Entry(id) => vec![*id],
            Scope::Person(_) => {
                let all = self.by_id.values().filter(|entry| scope.reaches(entry));
                all.map(|entry| entry.id).collect()
            }
            Scope::Site(site) | Scope::Tag(site, _) | Scope::Document(site, _) => self
                .of_site(site, None)
                .filter(|(_, entry)| scope.reaches(entry))
                .map(|(k, _)| k.1)
                .collect(),
        };
        let why = if matches!(scope, Scope::Entry(_)) { Gone::Distrusted } else { Gone::Purged };
        let gone = reached.into_iter().filter_map(|id| self.remove(id, why)).collect();
        metrics::size(self.by_id.len(), self.bytes);
        gone
    }

    pub(in crate::cache) fn list(
        &self,
        site: &SiteId,
        cursor: Option<MessageId>,
        limit: usize,
        now: Timestamp,
    ) -> Page {
        let mut live = self.of_site(site, cursor).filter(|(_, entry)| entry.expires_at > now);
        let items: Vec<_> = live.by_ref().take(limit).map(|(_, entry)| entry.listed(now)).collect();
        let next_cursor = live.next().and_then(|_| items.last()).map(|last| last.id);
        Page { items, next_cursor }
    }

    /// Removes entries older than an earlier purge, and keeps such answers out. Younger entries
    /// stay.
    pub(in crate::cache) fn forbid(&mut self, scope: Scope, at: Timestamp) {
        self.watermarks.note(scope, at);
        let covered = self.by_id.values().filter(|entry| self.watermarks.cover(entry));
        for id in covered.map(|entry| entry.id).collect::<Vec<_>>() {
            self.remove(id, Gone::Purged);
        }
    }

    pub(in crate::cache) fn has_purged(&self, scope: &Scope) -> bool {
        self.watermarks.has(scope)
    }

    /// The entries that were made for a person, at most `limit`.
    pub(in crate::cache) fn made_for(
        &self,
        person: PrincipalId,
        limit: usize,
        now: Timestamp,
    ) -> Vec<Listed> {
        let scope = Scope::Person(person);
        let found = self.by_id.values().filter(|entry| scope.reaches(entry));
        found.take(limit).map(|entry| entry.listed(now)).collect()
    }

    pub(in crate::cache) fn purges(&self) -> Vec<(Scope, Timestamp)> {
        self.watermarks.all()
    }

    /// Removes all entries but keeps the purges.
    pub(in crate::cache) fn clear(&mut self) {
        for id in self.by_id.keys().copied().collect::<Vec<_>>() {
            self.remove(id, Gone::Reloaded);
        }
        self.queue.clear();
    }

    fn of_site(
        &self,
        site: &SiteId,
        after: Option<MessageId>,
    ) -> btree_map::Range<'_, (SiteId, MessageId), Arc<Entry>> {
        let start = match after {
            Some(id) => Bound::Excluded((site.clone(), id)),
            None => Bound::Included((site.clone(), MessageId(Uuid::nil()))),
        };
        self.by_site.range((start, Bound::Included((site.clone(), MessageId(Uuid::max())))))
    }

    fn drop_expired(&mut self, now: Timestamp) {
        let oldest = self.oldest_expiry(Freshness::Stale, now);
        while let Some((expires_at, id)) = self.by_expiry.first().copied() {
            if expires_at > oldest {
                break;
            }
            self.by_expiry.pop_first();
            self.remove(id, Gone::Expired);
        }
    }

    fn remove(&mut self, id: MessageId, why: Gone) -> Option<Arc<Entry>> {
        let entry = self.by_id.remove(&id)?;
        self.bytes -= entry.bytes();
        self.by_address.remove(&entry.address());
        self.by_site.remove(&(entry.partition.site.clone(), id));
        self.by_expiry.remove(&(entry.expires_at, id));
        if let Some(index) = self.partitions.get_mut(&entry.partition_key) {
            index.remove(id);
            if index.is_empty() {
                self.partitions.remove(&entry.partition_key);
            }
        }
        metrics::gone(why);
        Some(entry)
    }
}

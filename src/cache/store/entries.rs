//! The entries of this process, found by address, vector, id or age. Bounded by count and by bytes.
//!
//! An entry whose answer waits for confirmation is stored like any other, so bounds, purges and
//! replication hold for it, too. Only look-ups for shoppers pass it over.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque, btree_map, hash_map},
    ops::Bound,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use uuid::Uuid;

use super::{
    entry::{Address, Entry, Hit, Listed, Page},
    index::Index,
    purge::{Scope, Watermarks},
    trust::Witness,
};
use crate::{
    cache::{
        metrics::{self, Gone},
        question::{Question, serves},
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

/// What a store may hold, and for how long.
pub(in crate::cache) struct Bounds {
    pub(in crate::cache) max_entries: usize,
    pub(in crate::cache) max_bytes: usize,
    /// The lifetime of an answer.
    pub(in crate::cache) life: Duration,
    /// How long it is kept after that.
    pub(in crate::cache) stale: Duration,
    /// How many visitors must confirm an answer, and how many must doubt one that goes.
    pub(in crate::cache) confirmations: usize,
}

/// What stands after an entry came.
pub(in crate::cache) struct Settled {
    pub(in crate::cache) entry: Arc<Entry>,
    /// Whether this store did not have it so before.
    pub(in crate::cache) changed: bool,
}

pub(in crate::cache) struct Store {
    max_entries: usize,
    max_bytes: usize,
    /// Milliseconds that an entry is kept after its lifetime.
    stale: i64,
    confirmations: usize,
    bytes: usize,
    by_address: HashMap<Address, Arc<Entry>>,
    by_id: HashMap<MessageId, Arc<Entry>>,
    by_site: BTreeMap<(SiteId, MessageId), Arc<Entry>>,
    by_expiry: BTreeSet<(Timestamp, MessageId)>,
    /// By partition, and whether the entries serve shoppers.
    partitions: HashMap<([u8; 16], bool), Index>,
    /// How many entries each visitor has a vote in.
    votes: HashMap<u64, usize>,
    /// Entries that wait for confirmation.
    waiting: usize,
    /// The order in which entries are considered for eviction: those that wait for confirmation,
    /// and those that serve. Some ids may already be gone, or have moved to the other one.
    queues: [VecDeque<MessageId>; 2],
    watermarks: Watermarks,
}

impl Store {
    pub(in crate::cache) fn new(bounds: &Bounds) -> Self {
        Self {
            max_entries: bounds.max_entries,
            max_bytes: bounds.max_bytes,
            stale: i64::try_from(bounds.stale.as_millis()).unwrap_or(i64::MAX),
            confirmations: bounds.confirmations,
            bytes: 0,
            by_address: HashMap::new(),
            by_id: HashMap::new(),
            by_site: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            partitions: HashMap::new(),
            votes: HashMap::new(),
            waiting: 0,
            queues: Default::default(),
            // Purges are remembered for as long as an older answer could live.
            watermarks: Watermarks::new(bounds.life + bounds.stale),
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
        (alive && entry.trust.shared).then(|| entry.hit(CacheTier::Exact, None, now))
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
        let index = self.partitions.get(&(partition, true))?;
        let near = index.nearest(vector, threshold, CANDIDATES);
        let oldest = self.oldest_expiry(freshness, now);
        near.into_iter().filter(|(_, entry)| entry.expires_at > oldest).find_map(
            |(similarity, entry)| match serves(&entry.question, question) {
                Ok(()) => Some(entry.hit(CacheTier::Semantic, Some(similarity), now)),
                Err(why) => {
                    metrics::guarded(why);
                    None
                }
            },
        )
    }

    /// The answer that another one to this question may confirm: to the same words, or else to the
    /// nearest question that it would serve. So a question that says more confirms nothing.
    pub(in crate::cache) fn unconfirmed(
        &self,
        partition: [u8; 16],
        question: &Question,
        vector: Option<&[f32]>,
        threshold: f32,
        now: Timestamp,
    ) -> Option<Arc<Entry>> {
        let waits = |entry: &Entry| !entry.trust.shared && entry.expires_at > now;
        let same = self.by_address.get(&Address { partition, question: question.key() });
        if let Some(entry) = same {
            return waits(entry).then(|| Arc::clone(entry));
        }
        let index = self.partitions.get(&(partition, false))?;
        let near = index.nearest(vector?, threshold, CANDIDATES).into_iter();
        near.map(|(_, entry)| entry)
            .find(|entry| waits(entry) && serves(question, &entry.question).is_ok())
    }

    pub(in crate::cache) fn get(&self, id: MessageId) -> Option<Arc<Entry>> {
        self.by_id.get(&id).cloned()
    }

    /// The entry of the answer in this message, or of the one that it confirmed.
    pub(in crate::cache) fn of_message(&self, message: MessageId) -> Option<Arc<Entry>> {
        let of = || self.by_id.values().find(|entry| entry.is_known_by(message));
        self.by_id.get(&message).or_else(of).cloned()
    }

    /// How many entries this visitor has a vote in.
    pub(in crate::cache) fn votes_of(&self, visitor: Witness) -> usize {
        self.votes.get(&visitor.visitor()).copied().unwrap_or(0)
    }

    /// What stands then for the question. `None` if the entry is refused: it is expired, covered by
    /// a purge, or larger than the whole cache.
    pub(in crate::cache) fn insert(&mut self, new: &Arc<Entry>, now: Timestamp) -> Option<Settled> {
        self.drop_expired(now);
        let refused = new.expires_at <= now
            || self.watermarks.cover(new)
            || new.bytes() > self.max_bytes
            || self.max_entries == 0;
        if refused {
            return None;
        }
        let known = self.by_address.get(&new.address()).cloned();
        let entry = match &known {
            Some(known) => Entry::settled(known, new, self.confirmations, now),
            None => Arc::clone(new),
        };
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &entry)) {
            return Some(Settled { entry, changed: false });
        }
        if let Some(known) = known.filter(|known| known.id != entry.id) {
            self.remove(known.id, Gone::Replaced);
        }
        self.place(&entry);
        Some(Settled { entry, changed: true })
    }

    /// Adds an entry, or puts it in the place of the one with its id.
    fn place(&mut self, entry: &Arc<Entry>) {
        let before = self.detach(entry.id).map(|known| known.trust.shared);
        if before != Some(entry.trust.shared) {
            self.queues[usize::from(entry.trust.shared)].push_back(entry.id);
        }
        self.bytes += entry.bytes();
        self.waiting += usize::from(!entry.trust.shared);
        for vote in entry.trust.votes() {
            *self.votes.entry(vote.by.visitor()).or_default() += 1;
        }
        self.by_address.insert(entry.address(), entry.clone());
        self.by_id.insert(entry.id, entry.clone());
        self.by_site.insert((entry.partition.site.clone(), entry.id), entry.clone());
        self.by_expiry.insert((entry.expires_at, entry.id));
        if let Some(vector) = &entry.vector {
            let index = self
                .partitions
                .entry((entry.partition_key, entry.trust.shared))
                .or_insert_with(|| Index::new(vector.len()));
            if !index.insert(entry) {
                metrics::foreign_vector();
            }
        }
        self.make_room(entry.id);
        metrics::size(self.by_id.len(), self.waiting, self.bytes);
    }

    /// Second chance: an entry used since the last check keeps its place once. As long as more than
    /// a quarter of the entries wait for confirmation, one of those goes, so a flood of questions
    /// does not drive out what serves shoppers.
    fn make_room(&mut self, newest: MessageId) {
        while self.by_id.len() > self.max_entries || self.bytes > self.max_bytes {
            let serves = self.waiting < 2 || 4 * self.waiting <= self.by_id.len();
            let Some(id) = self.queues[usize::from(serves)].pop_front() else { break };
            let Some(entry) = self.by_id.get(&id) else { continue };
            if entry.trust.shared != serves {
                continue;
            }
            if id == newest || entry.used.swap(false, Ordering::Relaxed) {
                self.queues[usize::from(serves)].push_back(id);
            } else {
                self.remove(id, Gone::Evicted);
            }
        }
        // Ids of entries that were removed otherwise must not pile up.
        for (queue, serves) in self.queues.iter_mut().zip([false, true]) {
            if queue.len() > 2 * self.by_id.len() + 64 {
                let is_there = |entry: &Arc<Entry>| entry.trust.shared == serves;
                queue.retain(|id| self.by_id.get(id).is_some_and(is_there));
            }
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
        metrics::size(self.by_id.len(), self.waiting, self.bytes);
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
        self.queues = Default::default();
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
        let entry = self.detach(id)?;
        metrics::gone(why);
        Some(entry)
    }

    fn detach(&mut self, id: MessageId) -> Option<Arc<Entry>> {
        let entry = self.by_id.remove(&id)?;
        self.bytes -= entry.bytes();
        self.waiting -= usize::from(!entry.trust.shared);
        for vote in entry.trust.votes() {
            if let hash_map::Entry::Occupied(mut votes) = self.votes.entry(vote.by.visitor()) {
                *votes.get_mut() -= 1;
                if *votes.get() == 0 {
                    votes.remove();
                }
            }
        }
        self.by_address.remove(&entry.address());
        self.by_site.remove(&(entry.partition.site.clone(), id));
        self.by_expiry.remove(&(entry.expires_at, id));
        let place = (entry.partition_key, entry.trust.shared);
        if let Some(index) = self.partitions.get_mut(&place) {
            index.remove(id);
            if index.is_empty() {
                self.partitions.remove(&place);
            }
        }
        Some(entry)
    }
}

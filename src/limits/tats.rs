//! The store of the in-process limiter. It holds one number for each key: governor's "theoretical
//! arrival time", in nanoseconds.
//!
//! governor's own stores grow without bound between sweeps and cannot take a request back. This
//! store is bounded and can.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{nanos::Nanos, state::StateStore};

const SHARDS: usize = 16;

pub struct Tats<K> {
    shards: Arc<[Mutex<HashMap<K, u64>>]>,
    hasher: RandomState,
    max_per_shard: usize,
    interval: u64,
}

// Not derived, because a derived one would require `K: Clone`.
impl<K> Clone for Tats<K> {
    fn clone(&self) -> Self {
        Self { shards: self.shards.clone(), hasher: self.hasher.clone(), ..*self }
    }
}

impl<K: Eq + Hash + Clone> Tats<K> {
    /// `interval` is that of the limiter with this store.
    pub fn new(interval: Duration, max_keys: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            max_per_shard: max_keys.div_ceil(SHARDS).max(2),
            interval: Nanos::from(interval).as_u64(),
        }
    }

    /// Takes back one request that was just counted.
    pub fn refund(&self, key: &K) {
        self.with_shard(key, |tats| {
            if let Some(tat) = tats.get_mut(key) {
                *tat = tat.saturating_sub(self.interval);
            }
        });
    }

    /// Makes room like governor's `retain_recent`: keys in the same state as new ones are removed
    /// first. If all keys are recent, the half that has used the least is removed, so that a full
    /// store is not searched at every call.
    fn make_room(&self, tats: &mut HashMap<K, u64>, now: u64) {
        tats.retain(|_, tat| *tat > now);
        if tats.len() >= self.max_per_shard {
            let mut all: Vec<u64> = tats.values().copied().collect();
            let middle = all.len() / 2;
            let (_, median, _) = all.select_nth_unstable(middle);
            let median = *median;
            let mut surplus = middle;
            tats.retain(|_, tat| {
                let goes = *tat <= median && surplus > 0;
                surplus -= usize::from(goes);
                !goes
            });
        }
    }

    fn with_shard<T>(&self, key: &K, work: impl FnOnce(&mut HashMap<K, u64>) -> T) -> T {
        let index = self.hasher.hash_one(key) as usize % SHARDS;
        work(&mut self.shards[index].lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }
}

impl<K: Eq + Hash + Clone> StateStore for Tats<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.with_shard(key, |tats| {
            let before = tats.get(key).copied();
            let (outcome, after) = f(before.map(Nanos::new))?;
            let after = after.as_u64();
            if before.is_none() && tats.len() >= self.max_per_shard {
                // The first request of a key sets it to now plus one interval.
                self.make_room(tats, after.saturating_sub(self.interval));
            }
            tats.insert(key.clone(), after);
            Ok(outcome)
        })
    }
}

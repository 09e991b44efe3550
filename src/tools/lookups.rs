//! Results of reads, for seconds and for their owners alone. Equal reads at the same time are one.

use std::{sync::Arc, time::Duration};

use moka::{Expiry, future::Cache};

use super::{answer::Output, prepared::Hash};

/// In bytes, of one process.
const MOST: u64 = 16 * 1024 * 1024;
/// Of an entry without its output, about.
const ENTRY: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub owner: Hash,
    pub what: Hash,
}

#[derive(Clone)]
struct Kept {
    output: Output,
    lives: Duration,
}

struct Lives;

#[expect(clippy::disallowed_types, reason = "the cache keeps its own time")]
impl Expiry<Key, Kept> for Lives {
    fn expire_after_create(&self, _: &Key, kept: &Kept, _: std::time::Instant) -> Option<Duration> {
        Some(kept.lives)
    }
}

pub(super) struct Lookups(Cache<Key, Kept>);

impl Lookups {
    pub(super) fn new() -> Self {
        let size = |_: &Key, kept: &Kept| {
            let output = match &kept.output {
                Output::Found(value) => value.to_string().len(),
                Output::NotFound => 0,
                Output::Refused { reason } => reason.len(),
            };
            u32::try_from(ENTRY + output).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder().max_capacity(MOST).weigher(size).expire_after(Lives);
        Self(cache.support_invalidation_closures().build())
    }

    /// The result of `read`, which is not run if there is one, or if an equal read is under way.
    /// Errors are shared with those who wait, and are not kept. Also says whether `read` ran.
    pub(super) async fn get<E: Clone + Send + Sync + 'static>(
        &self,
        key: Key,
        lives: Duration,
        read: impl Future<Output = Result<Output, E>>,
    ) -> Result<(Output, bool), E> {
        let read = async { read.await.map(|output| Kept { output, lives }) };
        let entry = self.0.entry(key).or_try_insert_with(read).await;
        let entry = entry.map_err(|error: Arc<E>| E::clone(&error))?;
        let ran = entry.is_fresh();
        Ok((entry.into_value().output, ran))
    }

    /// Something of this owner has changed.
    pub(super) fn forget(&self, owner: Hash) {
        // Fails only without support for closures.
        let _ = self.0.invalidate_entries_if(move |key, _| key.owner == owner);
    }
}

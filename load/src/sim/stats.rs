//! The counts of a simulator, shown at `/stats` and, in vLLM's format, at `/metrics`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use serde::Serialize;

#[derive(Default)]
pub struct Stats {
    requests: AtomicU64,
    waiting: AtomicU64,
    active: AtomicU64,
    peak: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    tokens: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// Chat requests since the start, including refused ones.
    pub requests: u64,
    /// Requests without a slot yet.
    pub waiting: u64,
    /// Requests that hold a slot.
    pub active: u64,
    /// Largest `active` so far.
    pub peak: u64,
    /// Answers that ran to the end of their script, including faults.
    pub completed: u64,
    /// Requests whose client left before the end.
    pub cancelled: u64,
    /// Tokens sent, including reasoning.
    pub tokens: u64,
}

impl Stats {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            requests: self.requests.load(Relaxed),
            waiting: self.waiting.load(Relaxed),
            active: self.active.load(Relaxed),
            peak: self.peak.load(Relaxed),
            completed: self.completed.load(Relaxed),
            cancelled: self.cancelled.load(Relaxed),
            tokens: self.tokens.load(Relaxed),
        }
    }

    pub fn count_request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }
}

/// One counted request, from its acceptance to its end. If it is dropped early, it counts as
/// cancelled.
#[must_use]
pub struct Account {
    stats: Arc<Stats>,
    has_slot: bool,
    is_done: bool,
}

impl Account {
    pub fn open(stats: Arc<Stats>) -> Self {
        stats.waiting.fetch_add(1, Relaxed);
        Self { stats, has_slot: false, is_done: false }
    }

    pub fn got_slot(&mut self) {
        self.has_slot = true;
        self.stats.waiting.fetch_sub(1, Relaxed);
        let active = self.stats.active.fetch_add(1, Relaxed) + 1;
        self.stats.peak.fetch_max(active, Relaxed);
    }

    pub fn sent_tokens(&self, count: usize) {
        self.stats.tokens.fetch_add(count as u64, Relaxed);
    }

    pub fn done(&mut self) {
        self.is_done = true;
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let held = if self.has_slot { &self.stats.active } else { &self.stats.waiting };
        held.fetch_sub(1, Relaxed);
        let outcome = if self.is_done { &self.stats.completed } else { &self.stats.cancelled };
        outcome.fetch_add(1, Relaxed);
    }
}

//! What the pool feels now, readable by anybody without a message.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// Kept fresh by the pool's actor: at every dispatch, and ten times a second while somebody waits.
#[derive(Debug, Default)]
pub struct PressureGauge {
    queued: AtomicUsize,
    predicted_wait_ms: AtomicU64,
    oldest_wait_ms: AtomicU64,
    free_slots: AtomicUsize,
    has_backend: AtomicBool,
}

/// One reading of the whole gauge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub queued: usize,
    pub predicted_wait: Duration,
    pub oldest_wait: Duration,
    pub free_slots: usize,
    pub has_backend: bool,
}

impl PressureGauge {
    /// Requests that wait for a slot.
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// The wait that a newcomer of [`Lane::Browse`](super::Lane::Browse) is told; zero while a slot is free.
    pub fn predicted_wait(&self) -> Duration {
        Duration::from_millis(self.predicted_wait_ms.load(Relaxed))
    }

    /// How long the one that has waited longest has; zero while nobody waits. Background work does not count: it
    /// waits because others do not have to.
    pub fn oldest_wait(&self) -> Duration {
        Duration::from_millis(self.oldest_wait_ms.load(Relaxed))
    }

    /// Slots that could be taken now, as learned, over all backends in service.
    pub fn free_slots(&self) -> usize {
        self.free_slots.load(Relaxed)
    }

    /// Whether any backend is in service.
    pub fn has_backend(&self) -> bool {
        self.has_backend.load(Relaxed)
    }

    pub(super) fn set(&self, reading: Reading) {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.queued.store(reading.queued, Relaxed);
        self.predicted_wait_ms.store(millis(reading.predicted_wait), Relaxed);
        self.oldest_wait_ms.store(millis(reading.oldest_wait), Relaxed);
        self.free_slots.store(reading.free_slots, Relaxed);
        self.has_backend.store(reading.has_backend, Relaxed);
    }
}

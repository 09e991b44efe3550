//! The pool's current load, readable without a message.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use crate::brownout::Pressure;

/// Kept up to date by the pool's actor: at every dispatch, and ten times a second while requests
/// wait.
#[derive(Debug, Default)]
pub struct PressureGauge {
    queued: AtomicUsize,
    predicted_wait_ms: AtomicU64,
    oldest_wait_ms: AtomicU64,
    somebody_waits: AtomicBool,
    /// Set since [`PressureGauge::pressure`] was last called.
    turned_away: AtomicBool,
    free_slots: AtomicUsize,
    has_backend: AtomicBool,
}

/// One reading of the whole gauge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub queued: usize,
    pub predicted_wait: Duration,
    pub oldest_wait: Duration,
    /// Not counting background work.
    pub somebody_waits: bool,
    pub free_slots: usize,
    pub has_backend: bool,
}

impl PressureGauge {
    /// Requests that wait for a slot.
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// The wait predicted for a new request in [`Lane::Browse`](super::Lane::Browse); zero while a
    /// slot is free.
    pub fn predicted_wait(&self) -> Duration {
        Duration::from_millis(self.predicted_wait_ms.load(Relaxed))
    }

    /// How long a block of addresses, or a visitor whose address is not known, has waited for its
    /// next turn at most; zero while none waits. Background work does not count: it waits so that
    /// others do not have to.
    pub fn oldest_wait(&self) -> Duration {
        Duration::from_millis(self.oldest_wait_ms.load(Relaxed))
    }

    /// The input of the brownout ladder: how long turns have to wait, or nothing if none had to
    /// since the last call. If all slots are in use but no request waits, that is no pressure,
    /// however long the next one would wait. Having no backend in service is pressure.
    pub fn pressure(&self) -> Pressure {
        let turned_away = self.turned_away.swap(false, Relaxed);
        if turned_away || self.somebody_waits.load(Relaxed) || !self.has_backend() {
            let (oldest_wait, predicted_wait) = (self.oldest_wait(), self.predicted_wait());
            return Pressure { oldest_wait, predicted_wait };
        }
        Pressure::default()
    }

    /// Slots that could be taken now, as learned, over all backends in service.
    pub fn free_slots(&self) -> usize {
        self.free_slots.load(Relaxed)
    }

    /// Whether any backend is in service.
    pub fn has_backend(&self) -> bool {
        self.has_backend.load(Relaxed)
    }

    /// A request was refused because the wait was too long for it.
    pub(super) fn turned_away(&self) {
        self.turned_away.store(true, Relaxed);
    }

    pub(super) fn set(&self, reading: Reading) {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.queued.store(reading.queued, Relaxed);
        self.predicted_wait_ms.store(millis(reading.predicted_wait), Relaxed);
        self.oldest_wait_ms.store(millis(reading.oldest_wait), Relaxed);
        self.somebody_waits.store(reading.somebody_waits, Relaxed);
        self.free_slots.store(reading.free_slots, Relaxed);
        self.has_backend.store(reading.has_backend, Relaxed);
    }
}

//! What the pool feels now, readable by anybody without a message.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use crate::brownout::Pressure;

/// Kept fresh by the pool's actor: at every dispatch, and ten times a second while somebody waits.
#[derive(Debug, Default)]
pub struct PressureGauge {
    queued: AtomicUsize,
    predicted_wait_ms: AtomicU64,
    oldest_wait_ms: AtomicU64,
    somebody_waits: AtomicBool,
    /// Since [`PressureGauge::pressure`] was read last.
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
    /// Background work aside.
    pub somebody_waits: bool,
    pub free_slots: usize,
    pub has_backend: bool,
}

impl PressureGauge {
    /// Requests that wait for a slot.
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// The wait that a newcomer of [`Lane::Browse`](super::Lane::Browse) is told; zero while a slot
    /// is free.
    pub fn predicted_wait(&self) -> Duration {
        Duration::from_millis(self.predicted_wait_ms.load(Relaxed))
    }

    /// How long the one that has waited longest has; zero while nobody waits. Background work does
    /// not count: it waits because others do not have to.
    pub fn oldest_wait(&self) -> Duration {
        Duration::from_millis(self.oldest_wait_ms.load(Relaxed))
    }

    /// What the brownout ladder is to follow: how long turns have to wait, and nothing where none
    /// had to since the last call. Slots that are all in use with nobody behind them are no
    /// pressure, however long the next one would wait; no backend is.
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

    /// Somebody came who could not wait as long as it takes.
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

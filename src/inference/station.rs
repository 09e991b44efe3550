//! A backend with everything that guards it: slots, breaker, limiter, health.
//!
//! Stations outlive the pool's actor, so that a rebuilt pool can never admit more than the slots.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use super::{
    backend::{Backend, BackendId, StartError},
    breaker::Breaker,
    limiter::Limiter,
    metrics,
};
use crate::config;

/// All stations of a process, in the order of the configuration.
pub type Stations = Arc<[Arc<Station>]>;

pub struct Station {
    pub backend: Arc<Backend>,
    pub breaker: Breaker,
    pub limiter: Limiter,
    /// Requests in flight there, never more.
    pub slots: usize,
    in_flight: AtomicUsize,
    healthy: AtomicBool,
    /// Signs of life in answers, counted; see [`super::health`].
    progress: AtomicU64,
}

impl Station {
    pub fn all(
        config: &config::Inference,
        backends: Vec<config::Backend>,
    ) -> Result<Stations, StartError> {
        let stations = backends.into_iter().enumerate().map(|(index, backend)| {
            let (slots, per_second) = (backend.slots, backend.requests_per_second);
            let backend = Backend::new(BackendId(index), backend, config.connect_timeout)?;
            let breaker = Breaker::new(
                backend.name.clone(),
                config.breaker_failures,
                config.breaker_min,
                config.breaker_max,
            );
            metrics::breaker(&backend.name, breaker.state());
            Ok(Arc::new(Self {
                backend: Arc::new(backend),
                breaker,
                limiter: Limiter::new(per_second),
                slots,
                in_flight: AtomicUsize::new(0),
                // Until the first poll the first requests may try.
                healthy: AtomicBool::new(true),
                progress: AtomicU64::new(0),
            }))
        });
        stations.collect()
    }

    /// Takes one slot, if one is free.
    pub fn take_slot(&self) -> bool {
        let taken = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < self.slots).then_some(taken + 1)
        });
        if let Ok(before) = taken {
            metrics::in_flight(&self.backend.name, before + 1);
        }
        taken.is_ok()
    }

    /// Gives back a slot that [`Self::take_slot`] took.
    pub fn give_slot_back(&self) {
        let before = self.in_flight.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(before > 0, "a slot was given back twice");
        metrics::in_flight(&self.backend.name, before.saturating_sub(1));
    }

    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    pub fn set_healthy(&self, healthy: bool) {
        if self.healthy.swap(healthy, Ordering::Relaxed) != healthy {
            let backend = &*self.backend.name;
            if healthy {
                tracing::info!(backend, "backend is healthy");
            } else {
                tracing::warn!(backend, "backend is unhealthy");
            }
        }
        metrics::healthy(&self.backend.name, healthy);
    }

    /// A token came from it.
    pub fn progressed(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Whether requests may be sent there, now or as soon as a slot is free.
    pub fn is_in_service(&self) -> bool {
        self.is_healthy() && self.breaker.refuses_for().is_none()
    }
}

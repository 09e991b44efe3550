//! A machine that tools call, with its breaker.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::{sync::Semaphore, time::Instant};
use tracing::{info, warn};

use super::metrics;
use crate::{
    circuit::{Change, Circuit},
    config,
    domain::SiteId,
};

/// Scheme, host and port that tools of one site call.
pub(super) struct Target {
    site: SiteId,
    pub(super) origin: String,
    circuit: Mutex<Circuit>,
    /// One for each call at the same time.
    pub(super) permits: Semaphore,
}

impl Target {
    pub(super) fn new(site: SiteId, origin: String, bounds: &config::Tools) -> Self {
        metrics::breaker(&origin, false);
        let circuit = Mutex::new(Circuit::new(bounds.breaker_failures));
        Self { site, origin, circuit, permits: Semaphore::new(bounds.calls_per_target) }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_open(&self) -> bool {
        self.circuit().is_open()
    }

    /// Whether a call may go. While the breaker is open, one a second finds out.
    pub(super) fn admits(&self) -> bool {
        self.circuit().admits(Instant::now())
    }

    pub(super) fn note(&self, failed: bool) {
        let change = match failed {
            true => self.circuit().failed(Instant::now()),
            false => self.circuit().succeeded(),
        };
        let (site, target) = (&self.site, &self.origin);
        match change {
            Some(Change::Opened) => {
                warn!(%site, target, "the target of tools fails; it is asked once a second");
            }
            Some(Change::Closed) => info!(%site, target, "the target of tools answers again"),
            None => return,
        }
        metrics::breaker(target, change == Some(Change::Opened));
    }
}

//! A machine that tools call, with its breaker.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU16, Ordering},
};

use reqwest::StatusCode;
use tokio::{sync::Semaphore, time::Instant};
use tracing::{info, warn};

use super::metrics;
use crate::{
    circuit::{Change, Circuit},
    config,
    domain::SiteId,
    net::Outbound,
};

/// Scheme, host and port that tools of one site call.
pub(super) struct Target {
    pub(super) site: SiteId,
    pub(super) origin: String,
    pub(super) client: Outbound,
    /// Labels of metrics are names of the configuration.
    is_measured: bool,
    /// Of the last answer; 0 if there was none.
    status: AtomicU16,
    circuit: Mutex<Circuit>,
    /// One for each call at the same time.
    pub(super) permits: Semaphore,
}

impl Target {
    pub(super) fn new(
        site: SiteId,
        origin: String,
        client: Outbound,
        is_measured: bool,
        bounds: &config::Tools,
    ) -> Self {
        if is_measured {
            metrics::breaker(&origin, false);
        }
        let circuit = Mutex::new(Circuit::new(bounds.breaker_failures));
        let permits = Semaphore::new(bounds.calls_per_target);
        Self { site, origin, client, is_measured, status: AtomicU16::new(0), circuit, permits }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    /// Of the last answer, for people.
    pub(super) fn last_status(&self) -> Option<StatusCode> {
        StatusCode::from_u16(self.status.load(Ordering::Relaxed)).ok()
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
        if self.is_measured {
            metrics::breaker(target, change == Some(Change::Opened));
        }
    }
}

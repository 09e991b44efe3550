//! A backend with everything that limits its use: slots, breaker, limiter, health.
//!
//! The factory of the pool's actor holds the stations, so a rebuilt pool can never admit more
//! requests than there are slots.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    backend::{Backend, BackendId, Look, StartError},
    breaker::Breaker,
    first_token::FirstTokens,
    forecast::Occupancy,
    learned::Learned,
    limiter::Limiter,
    metrics,
    source::{Source, Terms},
};
use crate::config::{self, Tier};

/// All stations of a process, in the order of the configuration.
pub type Stations = Arc<[Arc<Station>]>;

/// Weight of a new sample in the average time that a slot is held.
const HOLD: f64 = 0.1;

pub struct Station {
    pub backend: Arc<Backend>,
    pub breaker: Breaker,
    pub limiter: Limiter,
    pub tier: Tier,
    /// The configured maximum of requests in flight there.
    pub cap: usize,
    per_second: u32,
    use_of: Mutex<Use>,
    healthy: AtomicBool,
    /// Counts tokens in answers; health is judged by this count.
    progress: AtomicU64,
}

/// How its slots are used.
struct Use {
    learned: Learned,
    first_tokens: FirstTokens,
    taken: Vec<(Ticket, Instant)>,
    tickets: u64,
    /// Average time in seconds that a slot is held.
    hold: Option<f64>,
}

/// One slot in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

impl Station {
    pub fn all(config: &config::Inference, sources: Vec<Source>) -> Result<Stations, StartError> {
        let stations = sources.into_iter().enumerate().map(|(index, source)| {
            let (backend, terms) = source.open(BackendId(index), config.connect_timeout)?;
            let Terms { slots, requests_per_second, tier, gpus, gpu_hour_cost } = terms;
            let breaker = Breaker::new(
                backend.name().clone(),
                config.breaker_failures,
                config.breaker_min,
                config.breaker_max,
            );
            metrics::breaker(backend.name(), breaker.state());
            metrics::slots(backend.name(), slots);
            metrics::backend(backend.name(), slots, gpus, gpu_hour_cost);
            Ok(Arc::new(Self {
                backend: Arc::new(backend),
                breaker,
                limiter: Limiter::new(requests_per_second),
                tier,
                cap: slots,
                per_second: requests_per_second,
                use_of: Mutex::new(Use {
                    learned: Learned::new(slots),
                    first_tokens: FirstTokens::default(),
                    taken: Vec::new(),
                    tickets: 0,
                    hold: None,
                }),
                // Before the first poll, requests may try the backend.
                healthy: AtomicBool::new(true),
                progress: AtomicU64::new(0),
            }))
        });
        stations.collect()
    }

    fn use_of(&self) -> MutexGuard<'_, Use> {
        // Every method below leaves the state consistent, even if it panics.
        self.use_of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one slot, if one is free.
    pub fn take_slot(&self) -> Option<Ticket> {
        let mut used = self.use_of();
        if used.taken.len() >= used.learned.slots() {
            return None;
        }
        used.tickets += 1;
        let ticket = Ticket(used.tickets);
        used.taken.push((ticket, Instant::now()));
        metrics::in_flight(self.backend.name(), used.taken.len());
        Some(ticket)
    }

    /// Gives back a slot that [`Self::take_slot`] took. `ran`: the request held it for a typical
    /// time.
    pub fn give_slot_back(&self, ticket: Ticket, ran: bool) {
        let mut used = self.use_of();
        let Some(place) = used.taken.iter().position(|(taken, _)| *taken == ticket) else { return };
        let (_, since) = used.taken.swap_remove(place);
        let held = since.elapsed();
        metrics::held(self.backend.name(), held);
        if ran {
            let held = held.as_secs_f64();
            let average = used.hold.unwrap_or(held);
            used.hold = Some(average + HOLD * (held - average));
        }
        metrics::in_flight(self.backend.name(), used.taken.len());
    }

    /// The first token of a request came `after` this long.
    pub fn first_token(&self, after: Duration) {
        let used = &mut *self.use_of();
        used.first_tokens.record(after);
        used.learned.first_token(&used.first_tokens, used.taken.len(), Instant::now());
        metrics::slots(self.backend.name(), used.learned.slots());
    }

    /// A first token later than this is an outlier, if that is known.
    pub fn late_first_token(&self) -> Option<Duration> {
        self.use_of().first_tokens.outlier()
    }

    /// The backend refused a request because it has too many.
    pub fn overloaded(&self) {
        let mut used = self.use_of();
        used.learned.overloaded(Instant::now());
        metrics::slots(self.backend.name(), used.learned.slots());
    }

    /// The backend's metrics were read.
    pub fn looked(&self, look: Look) {
        let mut used = self.use_of();
        let in_flight = used.taken.len();
        used.learned.looked(look, in_flight);
        metrics::slots(self.backend.name(), used.learned.slots());
    }

    /// It went out of service and will restart with one slot.
    pub fn ejected(&self) {
        metrics::ejected(self.backend.name());
        let mut used = self.use_of();
        used.learned.ejected();
        metrics::slots(self.backend.name(), used.learned.slots());
    }

    pub fn in_flight(&self) -> usize {
        self.use_of().taken.len()
    }

    /// Slots that may be in use now, as learned.
    pub fn slots(&self) -> usize {
        self.use_of().learned.slots()
    }

    /// Slots that could be taken now.
    pub fn free(&self) -> usize {
        let used = self.use_of();
        used.learned.slots().saturating_sub(used.taken.len())
    }

    pub fn occupancy(&self) -> Occupancy {
        let used = self.use_of();
        Occupancy {
            slots: used.learned.slots(),
            taken: used.taken.iter().map(|(_, since)| *since).collect(),
            hold: used.hold.map(Duration::from_secs_f64),
            per_second: self.per_second,
        }
    }

    pub fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    pub fn set_healthy(&self, healthy: bool) {
        if self.healthy.swap(healthy, Ordering::Relaxed) != healthy {
            let backend = &**self.backend.name();
            if healthy {
                tracing::info!(backend, "backend is healthy");
            } else {
                tracing::warn!(backend, "backend is unhealthy");
                self.ejected();
            }
        }
        metrics::healthy(self.backend.name(), healthy);
    }

    /// A token came from it.
    pub fn progressed(&self) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub fn progress(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }

    /// Whether requests may be sent there, now or once a slot is free.
    pub fn is_in_service(&self) -> bool {
        self.is_healthy() && self.breaker.refuses_for().is_none()
    }
}

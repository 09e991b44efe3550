//! The breaker of one backend: `failsafe` counts failures, and a gate with one permit lets probes
//! through.
//!
//! `failsafe` alone lets every request through once it is half open. Here its callbacks switch a
//! gate:
//!
//! 1. *Passing*: every request passes. Enough failures in a row switch it to
//! 2. *Refusing*: no request passes. The delay doubles with each refusal in a row. After it comes
//! 3. *Probing*: one request at a time passes. Its success switches the breaker to passing, its
//!    failure to refusing. An outcome that says nothing lets the next probe in.
//!
//! Requests that began while the breaker was passing and end later decide nothing; only the probe
//! does.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use failsafe::{
    Instrument, StateMachine,
    failure_policy::{ConsecutiveFailures, consecutive_failures},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use super::{metrics, outcome::Class, status::BreakerState};

/// The right to send one request. Its holder returns it together with the class of the outcome.
#[derive(Debug)]
pub enum Admission {
    Ordinary,
    /// The only request in flight while the breaker is probing.
    Probe {
        _permit: OwnedSemaphorePermit,
    },
}

pub struct Breaker {
    machine: StateMachine<ConsecutiveFailures<Doubling>, Switch>,
    gate: Arc<Gate>,
    probes: Arc<Semaphore>,
}

impl Breaker {
    /// Refuses after `failures` in a row, for `min` the first time and at most for `max`.
    pub fn new(backend: Arc<str>, failures: u32, min: Duration, max: Duration) -> Self {
        let gate = Arc::new(Gate::new(backend));
        let backoff = Doubling { next: min, max, gate: gate.clone() };
        let policy = consecutive_failures(failures.max(1), backoff);
        Self {
            machine: StateMachine::new(policy, Switch(gate.clone())),
            gate,
            probes: Arc::new(Semaphore::new(1)),
        }
    }

    /// The right to send one request, if the breaker grants one now.
    pub fn admit(&self) -> Option<Admission> {
        // This call also switches to probing when the delay is over.
        if !self.machine.is_call_permitted() {
            return None;
        }
        match self.gate.state() {
            BreakerState::Passing => Some(Admission::Ordinary),
            BreakerState::Refusing => None,
            BreakerState::Probing => {
                let permit = self.probes.clone().try_acquire_owned().ok()?;
                Some(Admission::Probe { _permit: permit })
            }
        }
    }

    /// Records how the admitted request ended.
    pub fn report(&self, admission: Admission, class: Class) {
        let decides = match admission {
            Admission::Ordinary => self.gate.state() == BreakerState::Passing,
            Admission::Probe { .. } => true,
        };
        match class {
            Class::Healthy if decides => self.machine.on_success(),
            Class::Unhealthy if decides => self.machine.on_error(),
            Class::Healthy | Class::Unhealthy | Class::Neutral => {}
        }
        // Dropped last: the next probe must see what this one decided.
        drop(admission);
    }

    pub fn state(&self) -> BreakerState {
        self.gate.state()
    }

    /// How long it will refuse; `None` when it may let a request through now.
    pub fn refuses_for(&self) -> Option<Duration> {
        self.gate.refuses_for()
    }
}

/// What the callbacks of `failsafe` have switched to.
struct Gate {
    backend: Arc<str>,
    position: Mutex<(BreakerState, Instant)>,
    /// The delay that the policy returned last, in milliseconds; `failsafe` does not pass it to its
    /// callbacks.
    delay_ms: AtomicU64,
}

impl Gate {
    fn new(backend: Arc<str>) -> Self {
        Self {
            backend,
            position: Mutex::new((BreakerState::Passing, Instant::now())),
            delay_ms: AtomicU64::new(0),
        }
    }

    fn state(&self) -> BreakerState {
        self.position.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn refuses_for(&self) -> Option<Duration> {
        let (state, until) = *self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        (state == BreakerState::Refusing && !left.is_zero()).then_some(left)
    }

    fn switch(&self, to: BreakerState) {
        let delay = Duration::from_millis(self.delay_ms.load(Ordering::Relaxed));
        let position = (to, Instant::now() + delay);
        let before = {
            let mut current = self.position.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, position).0
        };
        if before == to {
            return;
        }
        metrics::breaker(&self.backend, to);
        let backend = &*self.backend;
        match to {
            BreakerState::Passing => tracing::info!(backend, "breaker closed"),
            BreakerState::Probing => tracing::info!(backend, "breaker probes the backend"),
            BreakerState::Refusing => {
                tracing::warn!(backend, for_ms = delay.as_millis() as u64, "breaker opened");
            }
        }
    }
}

struct Switch(Arc<Gate>);

impl Instrument for Switch {
    fn on_call_rejected(&self) {}

    fn on_open(&self) {
        self.0.switch(BreakerState::Refusing);
    }

    fn on_half_open(&self) {
        self.0.switch(BreakerState::Probing);
    }

    fn on_closed(&self) {
        self.0.switch(BreakerState::Passing);
    }
}

/// Doubles from the configured minimum to the maximum. `failsafe`'s own policy panics below one
/// second.
#[derive(Clone)]
struct Doubling {
    next: Duration,
    max: Duration,
    gate: Arc<Gate>,
}

impl Iterator for Doubling {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = self.next.min(self.max);
        self.next = delay.saturating_mul(2);
        self.gate.delay_ms.store(delay.as_millis() as u64, Ordering::Relaxed);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use failsafe::clock::freeze;

    use super::*;

    fn breaker() -> Breaker {
        Breaker::new("gpu-1".into(), 3, Duration::from_secs(1), Duration::from_secs(4))
    }

    fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            breaker.report(breaker.admit().expect("admitted"), Class::Unhealthy);
        }
    }

    #[test]
    fn it_refuses_after_failures_in_a_row_and_a_success_between_them_resets_the_count() {
        freeze(|_| {
            let breaker = breaker();
            fail(&breaker, 2);
            breaker.report(breaker.admit().unwrap(), Class::Healthy);
            fail(&breaker, 2);
            assert_eq!(breaker.state(), BreakerState::Passing);
            fail(&breaker, 1);
            assert_eq!(breaker.state(), BreakerState::Refusing);
            assert!(breaker.admit().is_none());
            assert!(breaker.refuses_for().is_some());
        });
    }

    #[test]
    fn outcomes_that_say_nothing_never_open_it() {
        freeze(|_| {
            let breaker = breaker();
            for _ in 0..100 {
                breaker.report(breaker.admit().unwrap(), Class::Neutral);
            }
            assert_eq!(breaker.state(), BreakerState::Passing);
        });
    }

    #[test]
    fn of_a_hundred_requests_one_probes() {
        freeze(|time| {
            let breaker = breaker();
            fail(&breaker, 3);
            time.advance(Duration::from_millis(1001));
            let probes: Vec<_> = (0..100).filter_map(|_| breaker.admit()).collect();
            assert_eq!(probes.len(), 1);
            assert_eq!(breaker.state(), BreakerState::Probing);
        });
    }

    #[test]
    fn the_probe_decides_and_a_silent_one_makes_way_for_the_next() {
        freeze(|time| {
            let breaker = breaker();
            fail(&breaker, 3);
            time.advance(Duration::from_millis(1001));
            breaker.report(breaker.admit().unwrap(), Class::Neutral);
            assert_eq!(breaker.state(), BreakerState::Probing);
            breaker.report(breaker.admit().unwrap(), Class::Unhealthy);
            assert_eq!(breaker.state(), BreakerState::Refusing);
            time.advance(Duration::from_millis(1500));
            assert!(breaker.admit().is_none(), "the second refusal lasts twice as long");
            time.advance(Duration::from_millis(501));
            breaker.report(breaker.admit().unwrap(), Class::Healthy);
            assert_eq!(breaker.state(), BreakerState::Passing);
        });
    }

    #[test]
    fn a_request_from_before_the_failure_decides_nothing() {
        freeze(|time| {
            let breaker = breaker();
            let old = breaker.admit().unwrap();
            let older = breaker.admit().unwrap();
            fail(&breaker, 3);
            time.advance(Duration::from_millis(1001));
            let probe = breaker.admit().unwrap();
            breaker.report(old, Class::Healthy);
            breaker.report(older, Class::Unhealthy);
            assert_eq!(breaker.state(), BreakerState::Probing);
            breaker.report(probe, Class::Healthy);
            assert_eq!(breaker.state(), BreakerState::Passing);
        });
    }

    #[test]
    fn a_dropped_probe_frees_the_gate() {
        freeze(|time| {
            let breaker = breaker();
            fail(&breaker, 3);
            time.advance(Duration::from_millis(1001));
            drop(breaker.admit().unwrap());
            assert!(breaker.admit().is_some());
        });
    }
}

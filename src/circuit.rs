//! The circuit breaker of a store. While a store is unreachable, calls fail at once, and one call
//! per second tries it.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open a circuit.
const FAILURES: u32 = 3;
/// While open, one call in this time tries the store.
const PROBE: Duration = Duration::from_secs(1);

/// Closed while calls succeed; open after several failures in a row. Any success closes it.
#[derive(Debug)]
pub struct Circuit {
    /// Failures in a row that open it.
    limit: u32,
    failures: u32,
    /// When the next probe may go; `None` while closed.
    open: Option<Instant>,
}

/// A change of state, which is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Opened,
    Closed,
}

impl Default for Circuit {
    fn default() -> Self {
        Self::new(FAILURES)
    }
}

impl Circuit {
    pub fn new(limit: u32) -> Self {
        Self { limit, failures: 0, open: None }
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether a call may be made. While the circuit is open, one probe per second is admitted.
    pub fn admits(&mut self, now: Instant) -> bool {
        match self.open {
            None => true,
            Some(at) if at <= now => {
                self.open = Some(now + PROBE);
                true
            }
            Some(_) => false,
        }
    }

    pub fn succeeded(&mut self) -> Option<Change> {
        self.failures = 0;
        self.open.take().map(|_| Change::Closed)
    }

    pub fn failed(&mut self, now: Instant) -> Option<Change> {
        self.failures = self.failures.saturating_add(1);
        if self.failures < self.limit {
            return None;
        }
        self.open.replace(now + PROBE).is_none().then_some(Change::Opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_says_so_once() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        assert_eq!(circuit.failed(now), None);
        assert_eq!(circuit.failed(now), None);
        assert_eq!(circuit.succeeded(), None, "a success in between starts the count anew");
        assert_eq!([circuit.failed(now), circuit.failed(now)], [None, None]);
        assert_eq!(circuit.failed(now), Some(Change::Opened));
        assert_eq!(circuit.failed(now), None);
        assert!(circuit.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn while_open_one_call_a_second_finds_out_and_a_success_closes_it() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        assert!(circuit.admits(now));
        (0..FAILURES).for_each(|_| {
            let _ = circuit.failed(now);
        });
        assert!(!circuit.admits(now));
        let later = now + PROBE;
        assert!(circuit.admits(later));
        assert!(!circuit.admits(later), "the others do not wait for the probe");
        assert_eq!(circuit.failed(later), None);
        assert!(circuit.admits(later + PROBE));
        assert_eq!(circuit.succeeded(), Some(Change::Closed));
        assert!(circuit.admits(later) && !circuit.is_open());
    }
}

//! How fast the queue drains: the measure behind every `Retry-After` and every ETA.

use std::time::Duration;

use tokio::time::Instant;

/// Weight of the newest interval; about the last ten departures count.
const WEIGHT: f64 = 0.2;
/// Assumed seconds between two departures until one was measured.
const UNMEASURED: f64 = 1.0;
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// Moving average of the time between two departures of a queue that has entries waiting.
#[derive(Debug, Default)]
pub struct DrainRate {
    interval: Option<f64>,
    last: Option<Instant>,
}

impl DrainRate {
    /// An entry left for a backend. Idle time is not slowness: the clock runs only while others wait.
    pub fn departed(&mut self, others_wait: bool, now: Instant) {
        if let Some(last) = self.last {
            let seconds = now.saturating_duration_since(last).as_secs_f64();
            let average = self.interval.unwrap_or(seconds);
            self.interval = Some(average + WEIGHT * (seconds - average));
        }
        self.last = others_wait.then_some(now);
    }

    /// Whether [`Self::time_for`] rests on a measurement.
    pub fn is_measured(&self) -> bool {
        self.interval.is_some()
    }

    /// The time in which `entries` leave.
    pub fn time_for(&self, entries: usize) -> Duration {
        let seconds = self.interval.unwrap_or(UNMEASURED) * entries as f64;
        Duration::from_secs_f64(seconds.min(3600.0))
    }

    /// When somebody who is turned away behind `entries` should come back, in whole bounds.
    pub fn retry_after(&self, entries: usize) -> Duration {
        self.time_for(entries).clamp(SHORTEST_RETRY, LONGEST_RETRY)
    }
}

/// Spreads `span` by ±20 %, so that those who were turned away together do not come back together.
/// `unit` is a random number from 0 to 1.
pub fn jittered(span: Duration, unit: f64) -> Duration {
    span.mul_f64(0.8 + 0.4 * unit.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_measured_only_while_others_wait() {
        let mut rate = DrainRate::default();
        let start = Instant::now();
        rate.departed(true, start);
        rate.departed(true, start + Duration::from_millis(100));
        assert_eq!(rate.time_for(10), Duration::from_secs(1));
        rate.departed(false, start + Duration::from_millis(200));
        rate.departed(true, start + Duration::from_secs(900));
        assert_eq!(rate.time_for(10), Duration::from_secs(1), "idle time is not slowness");
    }

    #[test]
    fn a_retry_is_bounded_and_spread_by_a_fifth() {
        let rate = DrainRate::default();
        assert_eq!(rate.retry_after(0), SHORTEST_RETRY);
        assert_eq!(rate.retry_after(100_000), LONGEST_RETRY);
        let span = Duration::from_secs(10);
        assert_eq!(jittered(span, 0.0), Duration::from_secs(8));
        assert_eq!(jittered(span, 1.0), Duration::from_secs(12));
    }
}

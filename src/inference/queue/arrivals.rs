//! How fast requests arrive in a lane: a count that decays.

use std::time::Duration;

use tokio::time::Instant;

/// A request that arrived this long ago counts e times less than one that arrives now.
const MEMORY: Duration = Duration::from_secs(5);

/// A stream is assumed to be at least this old, so that its first requests do not look like a
/// flood.
const YOUNGEST: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
pub struct Arrivals {
    count: f64,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Arrivals {
    pub fn arrived(&mut self, now: Instant) {
        self.count = self.count * Self::left(self.last, now) + 1.0;
        self.last = Some(now);
        self.first.get_or_insert(now);
    }

    pub fn per_second(&self, now: Instant) -> f64 {
        let seen = MEMORY.as_secs_f64() * (1.0 - Self::left(self.first, now));
        self.count * Self::left(self.last, now) / seen.max(YOUNGEST.as_secs_f64())
    }

    /// The part of a count of `then` that is left.
    fn left(then: Option<Instant>, now: Instant) -> f64 {
        let ago = then.map_or(Duration::ZERO, |then| now.saturating_duration_since(then));
        (-ago.as_secs_f64() / MEMORY.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_measured_and_forgotten_when_it_ends() {
        let start = Instant::now();
        let mut arrivals = Arrivals::default();
        for n in 0..300 {
            let now = start + Duration::from_millis(100 * n);
            arrivals.arrived(now);
            assert!(n < 20 || (8.0..12.0).contains(&arrivals.per_second(now)));
        }
        let end = start + Duration::from_secs(30);
        assert!((arrivals.per_second(end) - 10.0).abs() < 0.5);
        assert!(arrivals.per_second(end + Duration::from_secs(30)) < 0.1);
    }
}

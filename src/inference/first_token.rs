//! How long a backend takes to its first token: what is usual, what is an outlier, and whether the
//! backend is slowing down.

use std::time::Duration;

/// Weights of a new sample in mean and mean deviation, as in TCP's round-trip estimate (RFC 6298).
const MEAN: f64 = 1.0 / 8.0;
const DEVIATION: f64 = 1.0 / 4.0;
/// How many deviations beyond the mean make an outlier.
const FAR: f64 = 4.0;
/// Weight of a new sample in the long-term average.
const USUAL: f64 = 1.0 / 100.0;
/// How many samples are needed before anything is reported.
const SAMPLES: u32 = 16;

#[derive(Clone, Copy, Debug, Default)]
pub struct FirstTokens {
    samples: u32,
    mean: f64,
    deviation: f64,
    usual: f64,
}

impl FirstTokens {
    pub fn record(&mut self, after: Duration) {
        let seconds = after.as_secs_f64();
        self.samples = self.samples.saturating_add(1);
        if self.samples == 1 {
            (self.mean, self.usual) = (seconds, seconds);
            return;
        }
        self.deviation += DEVIATION * ((seconds - self.mean).abs() - self.deviation);
        self.mean += MEAN * (seconds - self.mean);
        self.usual += USUAL * (seconds - self.usual);
    }

    /// The time after which a first token is an outlier; at least twice the mean.
    pub fn outlier(&self) -> Option<Duration> {
        let after = (self.mean + FAR * self.deviation).max(2.0 * self.mean);
        (self.samples >= SAMPLES).then(|| Duration::from_secs_f64(after.min(3600.0)))
    }

    /// How many times slower than usual the first token comes now.
    pub fn slowdown(&self) -> f64 {
        if self.samples < SAMPLES || self.usual <= 0.0 { 1.0 } else { self.mean / self.usual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_is_far_from_what_is_usual() {
        let mut tokens = FirstTokens::default();
        (0..15).for_each(|_| tokens.record(Duration::from_millis(200)));
        assert_eq!(tokens.outlier(), None, "too little is known");
        (0..50).for_each(|n| tokens.record(Duration::from_millis(180 + 40 * (n % 2))));
        let outlier = tokens.outlier().unwrap();
        assert!(outlier >= Duration::from_millis(280) && outlier <= Duration::from_millis(440));
    }

    #[test]
    fn a_backend_that_slows_down_shows_it_within_few_requests() {
        let mut tokens = FirstTokens::default();
        (0..100).for_each(|_| tokens.record(Duration::from_millis(200)));
        assert!(tokens.slowdown() < 1.1);
        (0..16).for_each(|_| tokens.record(Duration::from_secs(2)));
        assert!(tokens.slowdown() > 3.0);
    }
}

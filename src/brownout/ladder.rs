//! The rules that raise and lower the service level. Pure; the caller passes the time.
//!
//! The level rises fast, one step at a time, when the wait has been long enough for `dwell`. It
//! falls slowly, one step when the wait has been below half of the raising value for `calm`, and
//! the first step down comes at least a minute after the level began to rise. So the level does not
//! change direction more than once a minute.

use std::time::Duration;

use tokio::time::Instant;

use crate::{config, domain::ServiceLevel};

const RUNGS: usize = 4;
/// Shortest time from the first step up to the first step down after it.
const HOLD: Duration = Duration::from_mins(1);

/// How long turns wait for a model. Zero if none waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Wait so far of the party that has waited longest for its next turn.
    pub oldest_wait: Duration,
    /// Estimated wait of somebody new.
    pub predicted_wait: Duration,
}

impl Pressure {
    fn wait(self) -> Duration {
        self.oldest_wait.max(self.predicted_wait)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub from: ServiceLevel,
    pub to: ServiceLevel,
}

pub struct Ladder {
    climb: [Duration; RUNGS],
    dwell: Duration,
    calm: Duration,
    level: usize,
    /// For each level: since when the wait has been long enough for it.
    long_since: [Option<Instant>; RUNGS],
    /// Since when the wait has been short enough to lower the level.
    short_since: Option<Instant>,
    /// When the level began to rise. Cleared when it falls.
    climbing_since: Option<Instant>,
}

impl Ladder {
    pub fn new(config: &config::Brownout) -> Self {
        Self {
            climb: config.climb,
            dwell: config.dwell,
            calm: config.calm,
            level: 0,
            long_since: [None; RUNGS],
            short_since: None,
            climbing_since: None,
        }
    }

    pub fn level(&self) -> ServiceLevel {
        ServiceLevel(u8::try_from(self.level).unwrap_or(u8::MAX))
    }

    /// Applies the current pressure. Changes the level by at most one step.
    pub fn step(&mut self, pressure: Pressure, now: Instant) -> Option<Change> {
        let wait = pressure.wait();
        for (since, threshold) in self.long_since.iter_mut().zip(self.climb) {
            *since = (wait >= threshold).then(|| since.unwrap_or(now));
        }
        let threshold = self.level.checked_sub(1).map(|rung| self.climb[rung] / 2);
        let short = threshold.is_some_and(|threshold| wait < threshold);
        self.short_since = short.then(|| self.short_since.unwrap_or(now));

        let from = self.level();
        if self.may_climb(now) {
            self.level += 1;
            self.climbing_since.get_or_insert(now);
        } else if self.may_descend(now) {
            self.level -= 1;
            self.climbing_since = None;
        } else {
            return None;
        }
        self.short_since = None;
        Some(Change { from, to: self.level() })
    }

    fn may_climb(&self, now: Instant) -> bool {
        let since = self.long_since.get(self.level).copied().flatten();
        since.is_some_and(|since| now.duration_since(since) >= self.dwell)
    }

    fn may_descend(&self, now: Instant) -> bool {
        let calm = self.short_since.is_some_and(|since| now.duration_since(since) >= self.calm);
        calm && self.climbing_since.is_none_or(|since| now.duration_since(since) >= HOLD)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Sources};

    const STEP: Duration = Duration::from_millis(250);

    fn ladder() -> Ladder {
        Ladder::new(&Config::load(&Sources::default()).unwrap().brownout)
    }

    fn waiting(millis: u64) -> Pressure {
        Pressure { oldest_wait: Duration::ZERO, predicted_wait: Duration::from_millis(millis) }
    }

    /// Steps through `waits` and returns the time and the level of each change.
    fn changes(ladder: &mut Ladder, waits: impl IntoIterator<Item = u64>) -> Vec<(Duration, u8)> {
        let begun = Instant::now();
        let steps = waits.into_iter().enumerate();
        let times = steps.map(|(n, wait)| (STEP * u32::try_from(n).unwrap(), wait));
        times
            .filter_map(|(at, wait)| {
                ladder.step(waiting(wait), begun + at).map(|change| (at, change.to.0))
            })
            .collect()
    }

    #[test]
    fn a_long_queue_climbs_all_rungs_within_two_seconds() {
        let changes = changes(&mut ladder(), [30_000; 8]);
        let millis: Vec<_> = changes.iter().map(|(at, level)| (at.as_millis(), *level)).collect();
        assert_eq!(millis, [(500, 1), (750, 2), (1_000, 3), (1_250, 4)]);
    }

    #[test]
    fn a_short_peak_changes_nothing() {
        let waits = [0, 9_000, 9_000, 0].repeat(50);
        assert!(changes(&mut ladder(), waits).is_empty());
    }

    #[test]
    fn it_descends_one_rung_at_a_time_after_the_calm_and_a_minute() {
        let waits = [30_000; 6].into_iter().chain([0; 400]);
        let changes = changes(&mut ladder(), waits);
        let down: Vec<_> = changes.iter().skip(4).map(|(at, to)| (at.as_secs(), *to)).collect();
        // The level began to rise after half a second; each step down needs its own calm period.
        assert_eq!(down, [(60, 3), (65, 2), (71, 1), (76, 0)]);
    }

    #[test]
    fn between_half_the_threshold_and_the_threshold_the_level_stays() {
        let waits = [1_500; 4].into_iter().chain([600; 1_000]);
        assert_eq!(changes(&mut ladder(), waits).last().map(|(_, to)| *to), Some(1));
    }

    proptest! {
        #[test]
        fn it_never_flaps_more_than_once_a_minute(
            spells in proptest::collection::vec((0u64..20_000, 1usize..120), 1..80),
        ) {
            let waits = spells.into_iter().flat_map(|(wait, steps)| std::iter::repeat_n(wait, steps));
            let changes = changes(&mut ladder(), waits);
            let (mut level, mut descended) = (0, None::<Duration>);
            let mut was_up = true;
            for (at, to) in changes {
                prop_assert_eq!(to.abs_diff(level), 1);
                let up = to > level;
                if was_up && !up {
                    if let Some(before) = descended {
                        prop_assert!(at - before >= HOLD, "{:?} after {:?}", at, before);
                    }
                    descended = Some(at);
                }
                (level, was_up) = (to, up);
            }
        }
    }
}

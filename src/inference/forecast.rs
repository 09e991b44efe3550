//! When slots will come free: the measure behind every ETA, every refusal and every `Retry-After`.
//!
//! A slot in use is expected to come free once its request has run as long as requests there run on
//! average. After that it comes free again and again at the same interval. This gives the drain
//! rate of the queue (slots divided by the average hold time, Little's law). It is known from the
//! first moment of a rush, before any queue was seen draining.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Tier;

const SHORTEST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// Reported if no slot will come free.
const NEVER: Duration = Duration::from_secs(3600);
/// Assumed time that a request holds its slot, until one is measured.
const UNMEASURED: Duration = Duration::from_secs(2);
/// A request that already runs longer than expected is assumed to need this much more, as a share
/// of its time so far.
const OVERDUE: f64 = 0.2;
/// How many idle slots are counted; with more, a new request does not wait anyway. This bounds the
/// cost of a forecast.
const MOST_IDLE: usize = 1024;
/// No wait is shorter, since a forecast is only made when no slot is free.
const SHORTEST: Duration = Duration::from_millis(1);

/// What a station knows about its slots.
#[derive(Clone, Debug, Default)]
pub struct Occupancy {
    /// Slots that may be in use, as learned.
    pub slots: usize,
    /// When each slot in use was taken.
    pub taken: Vec<Instant>,
    /// How long a slot is held, on average.
    pub hold: Option<Duration>,
    /// Requests per second that may be sent; 0 means no limit.
    pub per_second: u32,
}

/// When slots come free for requests of one tier.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// When each slot comes free next, soonest first.
    frees: Vec<Instant>,
    /// Time between two releases of the same slot.
    period: Duration,
    measured: bool,
}

impl Forecast {
    pub fn of(occupancies: impl IntoIterator<Item = Occupancy>, now: Instant) -> Self {
        let mut frees = Vec::new();
        // Departures per second.
        let mut rate = 0.0;
        let (mut stations, mut known) = (0_usize, 0_usize);
        for occupancy in occupancies {
            let longest = occupancy.taken.iter().map(|at| now.saturating_duration_since(*at)).max();
            let guess = longest.unwrap_or_default().max(UNMEASURED);
            stations += 1;
            known += usize::from(occupancy.hold.is_some());
            let hold = occupancy.hold.unwrap_or(guess).max(Duration::from_millis(1));
            let by_slots = occupancy.slots as f64 / hold.as_secs_f64();
            let limited = occupancy.per_second > 0;
            rate += if limited { by_slots.min(occupancy.per_second.into()) } else { by_slots };
            frees.extend(occupancy.frees(hold, now));
        }
        frees.sort_unstable();
        let period = if rate > 0.0 { frees.len() as f64 / rate } else { 0.0 };
        Self {
            frees,
            period: Duration::from_secs_f64(period.min(3600.0)),
            measured: known > 0 || stations == 0,
        }
    }

    /// Whether the forecast rests on a measurement, or nothing exists that could be measured.
    pub fn is_measured(&self) -> bool {
        self.measured
    }

    /// The time until the `nth` slot comes free, counted from 1.
    pub fn wait_for(&self, nth: usize, now: Instant) -> Duration {
        let Some(place) = nth.saturating_sub(1).checked_rem(self.frees.len()) else { return NEVER };
        let rounds = nth.saturating_sub(1) / self.frees.len();
        let first = self.frees.get(place).map_or(NEVER, |at| at.saturating_duration_since(now));
        let rest = self.period.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        first.saturating_add(rest).clamp(SHORTEST, NEVER)
    }
}

impl Occupancy {
    /// When each slot may take a request. If more slots are in use than allowed, the first ones to
    /// come free are not reused.
    fn frees(&self, hold: Duration, now: Instant) -> impl Iterator<Item = Instant> {
        let free = |taken: &Instant| match now.saturating_duration_since(*taken) {
            age if age > hold => now + age.mul_f64(OVERDUE),
            _ => *taken + hold,
        };
        let mut busy: Vec<Instant> = self.taken.iter().map(free).collect();
        busy.sort_unstable();
        let too_many = busy.len().saturating_sub(self.slots);
        let idle = self.slots.saturating_sub(busy.len()).min(MOST_IDLE);
        let idle = std::iter::repeat_n(now, idle);
        let apart = match self.per_second {
            0 => Duration::ZERO,
            limit => Duration::from_secs(1) / limit,
        };
        idle.chain(busy.into_iter().skip(too_many))
            .zip(1_u32..)
            .map(move |(free, nth)| free.max(now + apart * nth))
    }
}

/// The forecast for each tier.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    pub full: Forecast,
    pub small: Forecast,
}

impl Forecasts {
    pub fn of(&self, tier: Tier) -> &Forecast {
        match tier {
            Tier::Full => &self.full,
            Tier::Small => &self.small,
        }
    }
}

/// When to come back if the wait is `span` too long: after 1 s at the soonest and 60 s at the
/// latest.
pub fn retry_after(span: Duration) -> Duration {
    span.clamp(SHORTEST_RETRY, LONGEST_RETRY)
}

/// Spreads `span` by ±20 %, so that clients refused at the same time do not return at the same
/// time. `unit` is a random number from 0 to 1.
pub fn jittered(span: Duration, unit: f64) -> Duration {
    span.mul_f64(0.8 + 0.4 * unit.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn slots_come_free_when_their_requests_have_run_their_time_and_again_after_that() {
        let now = Instant::now() + seconds(100);
        let taken = vec![now - seconds(3), now - seconds(1)];
        let occupancy = Occupancy { slots: 2, taken, hold: Some(seconds(4)), per_second: 0 };
        let forecast = Forecast::of([occupancy], now);
        let waits: Vec<_> = (1..=5).map(|nth| forecast.wait_for(nth, now).as_secs()).collect();
        assert_eq!(waits, [1, 3, 5, 7, 9]);
    }

    #[test]
    fn more_in_use_than_may_be_come_free_for_nobody() {
        let now = Instant::now() + seconds(100);
        let taken = (1..=4).map(|ago| now - seconds(ago)).collect();
        let occupancy = Occupancy { slots: 1, taken, hold: Some(seconds(5)), per_second: 0 };
        let forecast = Forecast::of([occupancy], now);
        assert_eq!(forecast.wait_for(1, now), seconds(4));
        assert_eq!(forecast.wait_for(2, now), seconds(9));
    }

    #[test]
    fn a_limit_on_requests_slows_the_forecast() {
        let now = Instant::now();
        let occupancy =
            Occupancy { slots: 100, taken: Vec::new(), hold: Some(seconds(1)), per_second: 10 };
        let forecast = Forecast::of([occupancy], now);
        assert_eq!(forecast.wait_for(50, now), seconds(5));
        assert_eq!(forecast.wait_for(150, now), seconds(15));
    }

    #[test]
    fn the_longer_a_request_is_overdue_the_longer_it_is_expected_to_need() {
        let now = Instant::now() + seconds(100);
        let late = |ago| {
            let taken = vec![now - seconds(ago)];
            let occupancy = Occupancy { slots: 1, taken, hold: Some(seconds(1)), per_second: 0 };
            Forecast::of([occupancy], now).wait_for(1, now)
        };
        assert_eq!((late(5), late(50)), (seconds(1), seconds(10)));
    }

    #[test]
    fn a_backend_with_many_slots_costs_no_more_than_one_with_some() {
        let now = Instant::now();
        let occupancy = |slots| Occupancy { slots, hold: Some(seconds(1)), ..Default::default() };
        let (many, some) =
            (Forecast::of([occupancy(1_000_000)], now), Forecast::of([occupancy(1_024)], now));
        assert_eq!(many.frees.len(), some.frees.len());
        assert!(many.wait_for(2_000, now) < some.wait_for(2_000, now), "the rate is that of all");
    }

    #[test]
    fn with_no_station_nothing_ever_comes_free() {
        let now = Instant::now();
        let forecast = Forecast::of([], now);
        assert_eq!(forecast.wait_for(1, now), NEVER);
        assert!(forecast.is_measured());
    }

    #[test]
    fn a_retry_is_bounded_and_spread_by_a_fifth() {
        assert_eq!(retry_after(Duration::ZERO), SHORTEST_RETRY);
        assert_eq!(retry_after(NEVER), LONGEST_RETRY);
        assert_eq!(jittered(seconds(10), 0.0), seconds(8));
        assert_eq!(jittered(seconds(10), 1.0), seconds(12));
    }
}

//! How many requests a backend really handles at once, learned below the configured cap.
//!
//! Additive increase, multiplicative decrease, with slow start (RFC 5681). While the slots are in
//! use, each first token earns a whole slot below the threshold and a fraction of one above it.
//! Slots are taken away, one cut at a time, for:
//!
//! - 429 and 503: half of them;
//! - requests waiting inside a vLLM in two reads of its metrics in a row: as many slots as requests
//!   wait, because its queue does not follow our order;
//! - metrics that existed and are missing now (stale counts as saturated): three tenths with each
//!   miss;
//! - without metrics, a first token that takes several times as long as usual (after Netflix's
//!   Gradient2).
//!
//! An ejection takes all but one, so that a backend that comes back is filled slowly.

use std::time::Duration;

use tokio::time::Instant;

use super::{backend::vllm::Look, first_token::FirstTokens};

/// Minimum time between two cuts: requests in flight at the first cut still report the same
/// trouble.
const BETWEEN_CUTS: Duration = Duration::from_secs(1);
const OVERLOAD: f64 = 0.5;
const STALE: f64 = 0.7;
/// Reads in a row that find requests waiting inside the backend before slots are cut.
const WAITING_LOOKS: u32 = 2;
/// Missed reads in a row that make metrics stale.
const STALE_LOOKS: u32 = 3;
/// With the key-value cache fuller than this, more requests would evict others.
const CACHE_FULL: f64 = 0.95;
/// A first token that takes this many times as long as usual means that requests queue inside the
/// backend.
const SLOWDOWN: f64 = 3.0;
/// From this share on, the slots count as in use.
const IN_USE: f64 = 0.75;

#[derive(Clone, Debug)]
pub struct Learned {
    cap: f64,
    slots: f64,
    /// Below it, slots are earned quickly.
    threshold: f64,
    last_cut: Option<Instant>,
    /// Whether metrics were ever seen.
    has_metrics: bool,
    missed: u32,
    waiting: u32,
    /// No slots are earned while the backend reports that it is full.
    saturated: bool,
}

impl Learned {
    pub fn new(cap: usize) -> Self {
        let cap = cap.max(1) as f64;
        Self {
            cap,
            slots: cap,
            threshold: cap,
            last_cut: None,
            has_metrics: false,
            missed: 0,
            waiting: 0,
            saturated: false,
        }
    }

    /// The current number of slots, from 1 to the cap.
    pub fn slots(&self) -> usize {
        self.slots.clamp(1.0, self.cap) as usize
    }

    /// A request got its first token while `in_flight` requests were running.
    pub fn first_token(&mut self, tokens: &FirstTokens, in_flight: usize, now: Instant) {
        let slowdown = tokens.slowdown();
        if !self.has_metrics && slowdown > SLOWDOWN {
            self.cut(self.slots * (SLOWDOWN / slowdown).max(OVERLOAD), now);
        } else if !self.saturated && in_flight as f64 >= self.slots.floor() * IN_USE {
            let earned = if self.slots < self.threshold { 1.0 } else { 1.0 / self.slots };
            self.slots = (self.slots + earned).min(self.cap);
        }
    }

    /// The backend refused a request because it has too many.
    pub fn overloaded(&mut self, now: Instant) {
        self.cut(self.slots * OVERLOAD, now);
    }

    /// The backend's metrics were read while `in_flight` requests were running.
    pub fn looked(&mut self, look: Look, in_flight: usize) {
        match look {
            Look::Seen(load) => {
                self.has_metrics = true;
                self.missed = 0;
                self.waiting = if load.waiting > 0 { self.waiting + 1 } else { 0 };
                self.saturated = load.waiting > 0 || load.cache_usage >= CACHE_FULL;
                if self.waiting >= WAITING_LOOKS {
                    let running = in_flight.saturating_sub(load.waiting) as f64;
                    self.lower(running.max(self.slots * OVERLOAD));
                }
            }
            Look::Missed if self.has_metrics => {
                self.missed += 1;
                if self.missed >= STALE_LOOKS {
                    self.saturated = true;
                    self.lower(self.slots * STALE);
                }
            }
            Look::Missed | Look::Absent => {}
        }
    }

    /// The backend is out of service: it restarts with one slot.
    pub fn ejected(&mut self) {
        self.threshold = self.slots.max(self.threshold);
        self.slots = 1.0;
    }

    fn cut(&mut self, to: f64, now: Instant) {
        let recent = |at: Instant| now.saturating_duration_since(at) < BETWEEN_CUTS;
        if !self.last_cut.is_some_and(recent) {
            self.last_cut = Some(now);
            self.lower(to);
        }
    }

    fn lower(&mut self, to: f64) {
        self.slots = to.clamp(1.0, self.slots);
        self.threshold = self.slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::backend::vllm::Load;

    const CALM: Load = Load { running: 8, waiting: 0, cache_usage: 0.3 };

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Simulates first tokens while all slots are in use.
    fn work(learned: &mut Learned, tokens: usize, now: Instant) {
        let mut first = FirstTokens::default();
        (0..20).for_each(|_| first.record(Duration::from_millis(200)));
        for _ in 0..tokens {
            let in_flight = learned.slots();
            learned.first_token(&first, in_flight, now);
        }
    }

    #[test]
    fn a_refusal_halves_the_slots_once_and_work_earns_them_back_up_to_the_cap() {
        let now = Instant::now();
        let mut learned = Learned::new(16);
        (0..5).for_each(|_| learned.overloaded(now));
        assert_eq!(learned.slots(), 8, "one trouble is one cut");
        learned.overloaded(now + seconds(2));
        assert_eq!(learned.slots(), 4);
        work(&mut learned, 5, now);
        assert_eq!(learned.slots(), 5, "one slot a round");
        work(&mut learned, 1000, now);
        assert_eq!(learned.slots(), 16);
    }

    #[test]
    fn what_waits_inside_the_backend_in_two_looks_is_taken_away() {
        let mut learned = Learned::new(64);
        let full = Load { running: 40, waiting: 24, cache_usage: 0.5 };
        learned.looked(Look::Seen(full), 64);
        assert_eq!(learned.slots(), 64, "a request may wait for a moment");
        learned.looked(Look::Seen(full), 64);
        assert_eq!(learned.slots(), 40);
        let now = Instant::now();
        work(&mut learned, 100, now);
        assert_eq!(learned.slots(), 40, "nothing is earned while requests wait there");
        learned.looked(Look::Seen(CALM), 40);
        work(&mut learned, 100, now);
        assert!(learned.slots() > 40);
    }

    #[test]
    fn stale_metrics_count_as_saturated_until_they_are_back() {
        let now = Instant::now();
        let mut learned = Learned::new(16);
        learned.looked(Look::Seen(CALM), 8);
        (0..2).for_each(|_| learned.looked(Look::Missed, 16));
        assert_eq!(learned.slots(), 16);
        (0..20).for_each(|_| learned.looked(Look::Missed, 16));
        assert_eq!(learned.slots(), 1);
        work(&mut learned, 50, now);
        assert_eq!(learned.slots(), 1);
        learned.looked(Look::Seen(CALM), 1);
        work(&mut learned, 200, now);
        assert_eq!(learned.slots(), 16);
    }

    #[test]
    fn a_backend_that_never_had_metrics_is_not_stale() {
        let mut learned = Learned::new(4);
        (0..20).for_each(|_| learned.looked(Look::Missed, 4));
        assert_eq!(learned.slots(), 4);
    }

    #[test]
    fn without_metrics_a_slow_first_token_takes_slots() {
        let now = Instant::now();
        let mut learned = Learned::new(16);
        let mut first = FirstTokens::default();
        (0..200).for_each(|_| first.record(Duration::from_millis(200)));
        (0..20).for_each(|_| first.record(Duration::from_secs(3)));
        learned.first_token(&first, 16, now);
        assert!((8..16).contains(&learned.slots()), "{}", learned.slots());
        learned.looked(Look::Seen(CALM), 8);
        let before = learned.slots();
        learned.first_token(&first, 16, now + seconds(5));
        assert!(learned.slots() >= before, "metrics know better");
    }

    #[test]
    fn a_backend_that_comes_back_is_filled_slot_by_slot() {
        let mut learned = Learned::new(8);
        learned.ejected();
        assert_eq!(learned.slots(), 1);
        let filled: Vec<_> = (0..8)
            .map(|_| {
                work(&mut learned, 1, Instant::now());
                learned.slots()
            })
            .collect();
        assert_eq!(filled, [2, 3, 4, 5, 6, 7, 8, 8]);
    }

    #[test]
    fn idle_slots_earn_nothing() {
        let now = Instant::now();
        let mut learned = Learned::new(16);
        learned.overloaded(now);
        let first = FirstTokens::default();
        (0..100).for_each(|_| learned.first_token(&first, 1, now));
        assert_eq!(learned.slots(), 8);
    }
}

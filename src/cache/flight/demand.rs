//! Detects questions that are asked more than once, in a fixed amount of memory.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use super::flights::FlightKey;

/// Roughly how many questions are remembered; this takes 64 KiB.
const PLACES: usize = 8192;

/// A question replaces an older one with the same remainder, so rare questions are soon forgotten.
pub struct Demand {
    hasher: RandomState,
    places: Box<[AtomicU64]>,
}

impl Default for Demand {
    fn default() -> Self {
        let places = std::iter::repeat_with(AtomicU64::default).take(PLACES).collect();
        Self { hasher: RandomState::new(), places }
    }
}

impl Demand {
    /// Records the question; true if it was asked before.
    pub fn again(&self, key: FlightKey) -> bool {
        let hash = self.hasher.hash_one(key).max(1);
        self.places[(hash % PLACES as u64) as usize].swap(hash, Ordering::Relaxed) == hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::{partition, question};

    #[test]
    fn a_question_is_in_demand_from_the_second_time_on() {
        let demand = Demand::default();
        let key = |text: &str| FlightKey::new(&partition(), &question(text));
        let (boots, cards) = (key("when do boots ship"), key("can I pay by card"));
        assert_eq!([demand.again(boots), demand.again(boots)], [false, true]);
        assert!(!demand.again(cards));
        assert!(demand.again(cards));
    }
}

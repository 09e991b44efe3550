//! Single flight: of several equal questions at the same time, one is answered and the others read
//! its answer.

use std::{
    collections::{HashMap, hash_map},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::cache::{metrics, partition::Partition, question::Question};

/// The partition and the exact question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlightKey([u8; 16], [u8; 32]);

impl FlightKey {
    pub fn new(partition: &Partition, question: &Question) -> Self {
        Self(partition.key(), question.key())
    }
}

/// In hex, for names that other processes compute, too.
impl std::fmt::Display for FlightKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", hex::encode(self.0), hex::encode(self.1))
    }
}

/// The flights of one process. `T` is what followers read, for example a turn's log. Cheap to
/// clone.
pub struct Flights<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for Flights<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

struct Shared<T> {
    most: usize,
    running: Mutex<HashMap<FlightKey, Arc<T>>>,
}

impl<T> Shared<T> {
    fn running(&self) -> MutexGuard<'_, HashMap<FlightKey, Arc<T>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the asker must do.
pub enum Join<T, L = Flight<T>> {
    /// Generate the answer and write it into the flight's value.
    Lead(L),
    /// Read what the leader writes. If that ends without an answer, call [`Flights::take_over`].
    Follow(Arc<T>),
}

/// The leader's place. When it is dropped, also by panic or cancel, the next question leads.
#[must_use]
pub struct Flight<T> {
    value: Arc<T>,
    /// `None` if there were too many flights; this one then has no followers.
    registration: Option<(Arc<Shared<T>>, FlightKey)>,
}

impl<T> Flights<T> {
    /// At most `most` flights have followers; further leaders have none.
    pub fn new(most: usize) -> Self {
        Self { shared: Arc::new(Shared { most, running: Mutex::new(HashMap::new()) }) }
    }

    /// `make` runs under a lock, so it must not block.
    pub fn join(&self, key: FlightKey, make: impl FnOnce() -> Arc<T>) -> Join<T> {
        self.enter(key, None, make)
    }

    /// The leader of a question in flight, for one that cannot lead.
    pub fn leader(&self, key: FlightKey) -> Option<Arc<T>> {
        let leader = self.shared.running().get(&key).cloned();
        leader.inspect(|_| metrics::flew("follow"))
    }

    /// Like [`Flights::join`], after the leader that wrote `dead` failed. One of its followers
    /// leads and the others follow that one, even if the dead leader's flight is not dropped yet.
    pub fn take_over(
        &self,
        key: FlightKey,
        dead: &Arc<T>,
        make: impl FnOnce() -> Arc<T>,
    ) -> Join<T> {
        self.enter(key, Some(dead), make)
    }

    fn enter(
        &self,
        key: FlightKey,
        dead: Option<&Arc<T>>,
        make: impl FnOnce() -> Arc<T>,
    ) -> Join<T> {
        let mut running = self.shared.running();
        let full = running.len() >= self.shared.most;
        let value = match running.entry(key) {
            hash_map::Entry::Occupied(seat)
                if !dead.is_some_and(|dead| Arc::ptr_eq(dead, seat.get())) =>
            {
                metrics::flew("follow");
                return Join::Follow(seat.get().clone());
            }
            hash_map::Entry::Occupied(mut seat) => {
                seat.insert(make());
                seat.get().clone()
            }
            hash_map::Entry::Vacant(_) if full => {
                metrics::flew("alone");
                return Join::Lead(Flight { value: make(), registration: None });
            }
            hash_map::Entry::Vacant(seat) => seat.insert(make()).clone(),
        };
        metrics::flew("lead");
        Join::Lead(Flight { value, registration: Some((self.shared.clone(), key)) })
    }
}

impl<T> Flight<T> {
    pub fn value(&self) -> &Arc<T> {
        &self.value
    }
}

impl<T> Drop for Flight<T> {
    fn drop(&mut self) {
        let Some((shared, key)) = &self.registration else { return };
        let mut running = shared.running();
        if running.get(key).is_some_and(|value| Arc::ptr_eq(value, &self.value)) {
            running.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const KEY: FlightKey = FlightKey([1; 16], [2; 32]);

    fn lead(join: Join<u32>) -> Flight<u32> {
        match join {
            Join::Lead(flight) => flight,
            Join::Follow(_) => panic!("follows"),
        }
    }

    fn follow(join: Join<u32>) -> Arc<u32> {
        match join {
            Join::Lead(_) => panic!("leads"),
            Join::Follow(value) => value,
        }
    }

    #[test]
    fn equal_questions_follow_the_first_until_it_lands() {
        let flights = Flights::new(8);
        let flight = lead(flights.join(KEY, || Arc::new(7)));
        assert_eq!(*follow(flights.join(KEY, || Arc::new(8))), 7);
        let other = FlightKey([1; 16], [3; 32]);
        assert_eq!(**lead(flights.join(other, || Arc::new(9))).value(), 9);
        drop(flight);
        assert_eq!(**lead(flights.join(KEY, || Arc::new(10))).value(), 10);
    }

    #[test]
    fn a_question_that_cannot_lead_follows_a_leader_and_takes_no_place() {
        let flights = Flights::new(8);
        assert_eq!(flights.leader(KEY), None);
        let flight = lead(flights.join(KEY, || Arc::new(7)));
        assert_eq!(flights.leader(KEY).as_deref(), Some(&7));
        drop(flight);
        assert_eq!(flights.leader(KEY), None);
    }

    #[test]
    fn a_leader_that_panics_leaves_its_place() {
        let flights = Flights::new(8);
        let crash = catch_unwind(AssertUnwindSafe(|| {
            let _flight = lead(flights.join(KEY, || Arc::new(1)));
            panic!("leader");
        }));
        assert!(crash.is_err());
        let make = catch_unwind(AssertUnwindSafe(|| flights.join(KEY, || panic!("make"))));
        assert!(make.is_err());
        let _flight = lead(flights.join(KEY, || Arc::new(2)));
    }

    #[test]
    fn one_follower_takes_over_from_a_dead_leader_and_the_late_drop_harms_nobody() {
        let flights = Flights::new(8);
        let dead = lead(flights.join(KEY, || Arc::new(1)));
        let seen = follow(flights.join(KEY, || Arc::new(2)));
        let heir = lead(flights.take_over(KEY, &seen, || Arc::new(3)));
        assert_eq!(*follow(flights.take_over(KEY, &seen, || Arc::new(4))), 3);
        drop(dead);
        assert_eq!(*follow(flights.join(KEY, || Arc::new(5))), 3);
        drop(heir);
        assert_eq!(flights.shared.running().len(), 0);
    }

    #[test]
    fn too_many_flights_fly_alone() {
        let flights = Flights::new(1);
        let _first = lead(flights.join(KEY, || Arc::new(1)));
        let other = FlightKey([9; 16], [9; 32]);
        let _alone = lead(flights.join(other, || Arc::new(2)));
        let _alone_too = lead(flights.join(other, || Arc::new(3)));
        assert_eq!(flights.shared.running().len(), 1);
        assert_eq!(*follow(flights.join(KEY, || Arc::new(4))), 1);
    }
}

//! Single flight by meaning: finds a question in flight that would be a semantic hit for this one
//! if it were already answered.
//!
//! The rules are those of the cache itself: same partition, similarity above the threshold, and
//! guards that agree. So no shopper waits for an answer that they could not be served, or reads one
//! to a question that says more than theirs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::flights::Join;
use crate::{
    cache::{
        metrics,
        partition::Partition,
        question::{Question, serves},
    },
    config,
    vector::dot,
};

/// How many questions in flight are compared; beyond that, a new question gets its own answer. This
/// bounds a look-up to some tens of microseconds.
const MAX: usize = 1_024;

/// The questions of one process that a model is answering. `T` is what followers read. Cheap to
/// clone.
pub struct SimilarFlights<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    threshold: f32,
    asked: Mutex<Vec<Asked<T>>>,
}

struct Asked<T> {
    partition: [u8; 16],
    question: Question,
    vector: Arc<[f32]>,
    value: Arc<T>,
}

/// A leader's place. When it is dropped, also by panic or cancel, no new question follows it.
#[must_use]
pub struct SimilarFlight<T> {
    shared: Arc<Shared<T>>,
    value: Arc<T>,
}

impl<T> Clone for SimilarFlights<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Shared<T> {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked<T>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn nearest(
        &self,
        asked: &[Asked<T>],
        partition: [u8; 16],
        question: &Question,
        vector: &[f32],
    ) -> Option<Arc<T>> {
        let nearest = asked
            .iter()
            .filter(|other| other.partition == partition && other.vector.len() == vector.len())
            .map(|other| (dot(&other.vector, vector), other))
            .filter(|(similarity, _)| *similarity >= self.threshold)
            .filter(|(_, other)| serves(&other.question, question).is_ok())
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let (_, leader) = nearest?;
        metrics::flew("similar");
        Some(Arc::clone(&leader.value))
    }
}

impl<T> SimilarFlights<T> {
    pub fn new(config: &config::Cache) -> Self {
        let shared = Shared { threshold: config.threshold, asked: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// The leader of the nearest question in flight that shares its answer, for a question that
    /// cannot lead.
    pub fn leader(
        &self,
        partition: &Partition,
        question: &Question,
        vector: &[f32],
    ) -> Option<Arc<T>> {
        self.shared.nearest(&self.shared.asked(), partition.key(), question, vector)
    }

    /// Leads with `value`, or follows the nearest question in flight that shares its answer. `dead`
    /// is a leader that ended without an answer and is followed no longer. This is one atomic step,
    /// so that no two questions follow each other.
    pub fn join(
        &self,
        partition: &Partition,
        question: &Question,
        vector: &Arc<[f32]>,
        value: &Arc<T>,
        dead: Option<&Arc<T>>,
    ) -> Join<T, SimilarFlight<T>> {
        let partition = partition.key();
        let mut asked = self.shared.asked();
        if let Some(dead) = dead {
            asked.retain(|other| !Arc::ptr_eq(&other.value, dead));
        }
        if let Some(leader) = self.shared.nearest(&asked, partition, question, vector) {
            return Join::Follow(leader);
        }
        if asked.len() < MAX {
            asked.push(Asked {
                partition,
                question: question.clone(),
                vector: Arc::clone(vector),
                value: Arc::clone(value),
            });
        }
        Join::Lead(SimilarFlight { shared: Arc::clone(&self.shared), value: Arc::clone(value) })
    }
}

impl<T> Drop for SimilarFlight<T> {
    fn drop(&mut self) {
        self.shared.asked().retain(|asked| !Arc::ptr_eq(&asked.value, &self.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tests::{partition, question, site};

    fn flights() -> SimilarFlights<u32> {
        let shared = Shared { threshold: 0.9, asked: Mutex::default() };
        SimilarFlights { shared: Arc::new(shared) }
    }

    fn join(
        flights: &SimilarFlights<u32>,
        text: &str,
        vector: [f32; 2],
        dead: Option<&Arc<u32>>,
    ) -> Join<u32, SimilarFlight<u32>> {
        let value = Arc::new(7);
        flights.join(&partition(), &question(text), &Arc::from(vector), &value, dead)
    }

    #[test]
    fn a_paraphrase_follows_until_the_leader_lands() {
        let flights = flights();
        let Join::Lead(led) = join(&flights, "How do I return shoes?", [1.0, 0.0], None) else {
            panic!("nobody to follow")
        };
        let again = join(&flights, "How can I return shoes?", [0.99, 0.14], None);
        assert!(matches!(again, Join::Follow(leader) if Arc::ptr_eq(&leader, &led.value)));
        let (home, asked) = (partition(), question("How can I return shoes?"));
        let leader = || flights.leader(&home, &asked, &[0.99, 0.14]);
        assert!(leader().is_some_and(|leader| Arc::ptr_eq(&leader, &led.value)));
        drop(led);
        assert!(leader().is_none());
        let later = join(&flights, "How can I return shoes?", [0.99, 0.14], None);
        assert!(matches!(later, Join::Lead(_)));
    }

    #[test]
    fn only_who_says_as_much_as_the_leader_follows() {
        let flights = flights();
        let (near, question) = ([1.0, 0.0], "How do I return shoes?");
        let ridden = format!("{question} I know you will just give me something");
        let _led = join(&flights, &ridden, near, None);
        let plain = join(&flights, question, near, None);
        assert!(matches!(&plain, Join::Lead(_)), "it says less");
        let more = join(&flights, &format!("{question} Please, can you help me?"), near, None);
        assert!(matches!(more, Join::Follow(_)), "it says as much as the second one");
    }

    #[test]
    fn what_the_cache_would_not_serve_is_not_followed() {
        let flights = flights();
        let _led = join(&flights, "Can I return shoes within 30 days?", [1.0, 0.0], None);
        let number = join(&flights, "Can I return shoes within 60 days?", [1.0, 0.0], None);
        assert!(matches!(number, Join::Lead(_)), "another number");
        let far = join(&flights, "Can I return shoes within 30 days", [0.0, 1.0], None);
        assert!(matches!(far, Join::Lead(_)), "another meaning");
        let elsewhere = flights.join(
            &Partition { site: site("other"), ..partition() },
            &question("Can I return shoes within 30 days?"),
            &Arc::from([1.0, 0.0]),
            &Arc::new(7),
            None,
        );
        assert!(matches!(elsewhere, Join::Lead(_)), "another site");
    }

    #[test]
    fn one_follower_of_a_dead_leader_leads_and_the_others_follow_it() {
        let flights = flights();
        let Join::Lead(dead) = join(&flights, "How do I return shoes?", [1.0, 0.0], None) else {
            panic!("nobody to follow")
        };
        let value = Arc::clone(&dead.value);
        let heir = join(&flights, "How can I return shoes?", [1.0, 0.0], Some(&value));
        let Join::Lead(heir) = heir else { panic!("the dead are not followed") };
        drop(dead);
        let next = join(&flights, "How do I return shoes?", [1.0, 0.0], Some(&value));
        assert!(matches!(next, Join::Follow(leader) if Arc::ptr_eq(&leader, &heir.value)));
    }
}

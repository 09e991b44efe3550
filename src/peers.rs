//! Which replicas run, as far as this one knows.
//!
//! Every replica writes to the archive again and again that it runs (a *beat*), and reads how long
//! the others have been silent. One that has been silent for `store.dead_after_ms` counts as dead,
//! but only for a replica whose own beats had no gap for as long: otherwise all would look dead
//! when the archive comes back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// This process and the others.
pub struct Peers {
    me: Arc<str>,
    others: Option<Others>,
}

/// The other replicas of a distributed service.
struct Others {
    dead_after: Duration,
    seen: Mutex<Seen>,
}

/// What the last beat saw.
#[derive(Default)]
struct Seen {
    /// When the unbroken row of own beats began, and its last one.
    beats: Option<(Instant, Instant)>,
    silent: HashMap<String, Duration>,
}

impl Peers {
    /// Embedded mode: the lock of the data folder proves that every other process is dead.
    pub fn alone(me: Arc<str>) -> Self {
        Self { me, others: None }
    }

    pub fn many(me: Arc<str>, dead_after: Duration) -> Self {
        Self { me, others: Some(Others { dead_after, seen: Mutex::default() }) }
    }

    /// `name/boot` of this process.
    pub fn me(&self) -> &Arc<str> {
        &self.me
    }

    /// This process has beaten and read how long each replica has been silent.
    pub fn beaten(&self, silent: Vec<(String, Duration)>, now: Instant) {
        let Some(others) = &self.others else { return };
        let mut seen = others.seen();
        let since = match seen.beats {
            Some((since, last)) if now.duration_since(last) < others.dead_after => since,
            _ => now,
        };
        seen.beats = Some((since, now));
        seen.silent = silent.into_iter().collect();
    }

    /// Whether a replica is dead that has been silent for so long; `None` for one that has left.
    pub fn is_dead(&self, silent: Option<Duration>, now: Instant) -> bool {
        let Some(others) = &self.others else { return true };
        silent.is_none_or(|silent| silent >= others.dead_after && others.may_judge(now))
    }

    /// Whether `replica` did not run when this one looked last. One that started since then is not
    /// known yet, so this is no reason to end its turns.
    pub fn seems_gone(&self, replica: &str, now: Instant) -> bool {
        match &self.others {
            _ if *replica == *self.me => false,
            None => true,
            Some(others) => {
                let silent = others.seen().silent.get(replica).copied();
                others.may_judge(now) && self.is_dead(silent, now)
            }
        }
    }

    /// The replicas that ran when this one looked last, itself included.
    pub fn living(&self) -> Vec<String> {
        let mut living = vec![self.me.to_string()];
        if let Some(others) = &self.others {
            let seen = others.seen();
            let silent = seen.silent.iter().filter(|(id, _)| **id != *self.me);
            let silent = silent.filter(|(_, silent)| **silent < others.dead_after);
            living.extend(silent.map(|(id, _)| id.clone()));
        }
        living
    }

    /// Whether another replica ran when this one looked last.
    pub fn has_others(&self) -> bool {
        self.others.as_ref().is_some_and(|others| {
            let seen = others.seen();
            let mut silent = seen.silent.iter().filter(|(id, _)| **id != *self.me);
            silent.any(|(_, silent)| *silent < others.dead_after)
        })
    }

    /// Whether this is the only process of the service, now and later.
    pub fn is_alone(&self) -> bool {
        self.others.is_none()
    }
}

impl Others {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this replica has beaten without a gap for as long as a silence must last.
    fn may_judge(&self, now: Instant) -> bool {
        self.seen().beats.is_some_and(|(since, last)| {
            now.duration_since(last) < self.dead_after
                && now.duration_since(since) >= self.dead_after
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAD_AFTER: Duration = Duration::from_secs(10);

    fn second(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_replica_that_beats_without_a_gap_calls_a_silent_one_dead() {
        let (peers, start) = (Peers::many("me/1".into(), DEAD_AFTER), Instant::now());
        let silent = Some(second(11));
        assert!(!peers.is_dead(silent, start), "it has not beaten at all");
        for beat in 0..=9 {
            peers.beaten(vec![], start + second(beat));
        }
        assert!(!peers.is_dead(silent, start + second(9)));
        assert!(peers.is_dead(silent, start + second(10)));
        assert!(!peers.is_dead(Some(second(9)), start + second(10)));
        // The archive was away.
        peers.beaten(vec![], start + second(30));
        assert!(!peers.is_dead(silent, start + second(39)));
        // One that left is gone for everybody.
        assert!(peers.is_dead(None, start + second(39)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_stopped_beating_itself_judges_nobody() {
        let (peers, start) = (Peers::many("me/1".into(), DEAD_AFTER), Instant::now());
        for beat in 0..=20 {
            peers.beaten(vec![], start + second(beat));
        }
        assert!(peers.is_dead(Some(second(11)), start + second(21)));
        assert!(!peers.is_dead(Some(second(60)), start + second(31)), "it was paused");
    }

    #[tokio::test(start_paused = true)]
    async fn the_living_are_those_that_were_heard_of() {
        let (peers, start) = (Peers::many("me/1".into(), DEAD_AFTER), Instant::now());
        let seen =
            vec![("me/1".into(), second(0)), ("a/1".into(), second(1)), ("b/1".into(), second(12))];
        for beat in 0..=12 {
            peers.beaten(seen.clone(), start + second(beat));
        }
        assert_eq!(peers.living(), ["me/1", "a/1"]);
        assert!(peers.has_others());
        let now = start + second(12);
        assert!(!peers.seems_gone("a/1", now) && !peers.seems_gone("me/1", now));
        assert!(peers.seems_gone("b/1", now) && peers.seems_gone("unknown/1", now));
        assert!(Peers::alone("me/1".into()).seems_gone("me/0", now));
    }
}

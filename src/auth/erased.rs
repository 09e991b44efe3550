//! People of whom everything was erased, or staff whose account was disabled. Their access tokens
//! live on for some minutes and must not be accepted.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::jwt::LEEWAY_S;
use crate::domain::{PrincipalId, Timestamp};

/// The people who were erased within the longest life of a token, up to a bound. Beyond it, nobody
/// is forgotten silently: the archive has to be asked about everybody else.
pub struct Erased {
    life: Duration,
    people: Mutex<People>,
}

#[derive(Default)]
struct People {
    known: HashSet<PrincipalId>,
    /// The same people, in the order in which they were added.
    added: VecDeque<(Timestamp, PrincipalId)>,
    /// Until then, somebody who was dropped may hold a token.
    unknown_until: Option<Timestamp>,
}

/// What is known of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Erased,
    Present,
    /// Only the archive knows.
    Unknown,
}

impl Erased {
    /// Most people who are remembered: about 4 MB.
    pub const MOST: usize = 65_536;

    /// For access tokens that live for `access_ttl`.
    pub fn new(access_ttl: Duration) -> Self {
        let life = access_ttl + Duration::from_secs(LEEWAY_S.unsigned_abs());
        Self { life, people: Mutex::default() }
    }

    /// The longest life of an access token.
    pub fn life(&self) -> Duration {
        self.life
    }

    /// Everything of these people was erased. May be repeated.
    pub fn add(&self, people: &[PrincipalId], now: Timestamp) {
        let life = i64::try_from(self.life.as_millis()).unwrap_or(i64::MAX);
        let after = |at: Timestamp| Timestamp::from_millis(at.as_millis().saturating_add(life));
        let mut known = self.people();
        while let Some((_, id)) = known.added.front().copied().filter(|(at, _)| after(*at) < now) {
            known.added.pop_front();
            known.known.remove(&id);
        }
        for id in people {
            if !known.known.insert(*id) {
                continue;
            }
            known.added.push_back((now, *id));
            if known.added.len() > Self::MOST
                && let Some((at, oldest)) = known.added.pop_front()
            {
                known.known.remove(&oldest);
                known.unknown_until = known.unknown_until.max(Some(after(at)));
            }
        }
    }

    pub fn standing(&self, id: PrincipalId, now: Timestamp) -> Standing {
        let known = self.people();
        if known.known.contains(&id) {
            Standing::Erased
        } else if known.unknown_until.is_some_and(|until| now <= until) {
            Standing::Unknown
        } else {
            Standing::Present
        }
    }

    fn people(&self) -> MutexGuard<'_, People> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(900);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    #[test]
    fn a_person_is_remembered_for_the_life_of_a_token_and_then_forgotten() {
        let (erased, gone, other) = (Erased::new(TTL), PrincipalId::new(), PrincipalId::new());
        erased.add(&[gone], at(0));
        // The beats of a replica repeat what was erased lately.
        erased.add(&[gone], at(500));
        assert_eq!(erased.standing(gone, at(930)), Standing::Erased);
        assert_eq!(erased.standing(other, at(930)), Standing::Present);
        erased.add(&[other], at(931));
        assert_eq!(erased.standing(gone, at(931)), Standing::Present);
        assert_eq!(erased.people().added.len(), 1);
    }

    #[test]
    fn the_archive_is_asked_about_those_who_do_not_fit() {
        let erased = Erased::new(TTL);
        let first = PrincipalId::new();
        erased.add(&[first], at(0));
        let others: Vec<_> = (0..Erased::MOST).map(|_| PrincipalId::new()).collect();
        erased.add(&others, at(10));
        assert_eq!(erased.people().known.len(), Erased::MOST);
        assert_eq!(erased.standing(others[0], at(20)), Standing::Erased);
        assert_eq!(erased.standing(first, at(20)), Standing::Unknown);
        assert_eq!(erased.standing(PrincipalId::new(), at(20)), Standing::Unknown);
        // The token of the one who was dropped has ended.
        assert_eq!(erased.standing(first, at(931)), Standing::Present);
    }
}

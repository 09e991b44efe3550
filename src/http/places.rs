//! Places for open streams and sockets: so many in all, and so many for each visitor and site.
//!
//! A place is taken only by a caller whose token is valid, so that nobody else can use them up.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{ApiError, jittered};
use crate::{
    config,
    domain::{ErrorCode, Principal, PrincipalId, Role, SiteId},
};

/// All places of this process. Clones share them.
#[derive(Clone)]
pub struct Places {
    all: Arc<Semaphore>,
    most: usize,
    of_visitor: usize,
    of_site: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    visitors: HashMap<PrincipalId, usize>,
    sites: HashMap<SiteId, usize>,
}

/// A place that is taken; given back when it is dropped.
#[must_use]
pub struct Place {
    visitor: Option<PrincipalId>,
    site: SiteId,
    open: Arc<Mutex<Open>>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub fn new(sessions: &config::Sessions) -> Self {
        Self {
            all: Arc::new(Semaphore::new(sessions.max_streams)),
            most: sessions.max_streams,
            of_visitor: sessions.max_streams_per_visitor,
            of_site: sessions.max_streams_per_site,
            open: Arc::default(),
        }
    }

    /// Streams and sockets that are open now.
    pub fn taken(&self) -> usize {
        self.most - self.all.available_permits()
    }

    /// # Errors
    /// 503 if all places are taken, 429 if the visitor or the site has too many of them.
    pub fn take(&self, caller: &Principal) -> Result<Place, ApiError> {
        let later = Duration::from_secs(2);
        let permit = Arc::clone(&self.all)
            .try_acquire_owned()
            .map_err(|_| ApiError::new(ErrorCode::Overloaded).retry_after(jittered(later)))?;
        // Staff and servers of a shop read the sessions of many shoppers.
        let visitor = match caller.role {
            Role::Visitor | Role::Customer => Some(caller.id),
            Role::Agent | Role::Admin | Role::Server => None,
        };
        let refused = |what: &str| {
            let detail = format!("too many open streams and sockets of this {what}; close some");
            ApiError::with_detail(ErrorCode::RateLimited, detail).retry_after(jittered(later))
        };
        let mut open = held(&self.open);
        if visitor.is_some_and(|id| count(&open.visitors, &id) >= self.of_visitor) {
            return Err(refused("visitor"));
        }
        if count(&open.sites, &caller.site_id) >= self.of_site {
            return Err(refused("site"));
        }
        if let Some(id) = visitor {
            *open.visitors.entry(id).or_default() += 1;
        }
        *open.sites.entry(caller.site_id.clone()).or_default() += 1;
        drop(open);
        let (site, open) = (caller.site_id.clone(), Arc::clone(&self.open));
        Ok(Place { visitor, site, open, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = held(&self.open);
        if let Some(id) = self.visitor {
            give_back(&mut open.visitors, &id);
        }
        give_back(&mut open.sites, &self.site);
    }
}

fn held(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or(0)
}

/// A key without places is forgotten, so the map is as large as what is open.
fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn places() -> Places {
        let mut sessions = Config::load(&Sources::default()).unwrap().sessions;
        (sessions.max_streams, sessions.max_streams_per_visitor) = (6, 2);
        sessions.max_streams_per_site = 4;
        Places::new(&sessions)
    }

    fn caller(role: Role, site: &str) -> Principal {
        Principal { id: PrincipalId::new(), role, site_id: SiteId::parse(site).unwrap() }
    }

    fn status(taken: Result<Place, ApiError>) -> Option<u16> {
        taken.err().map(|error| error.0.status)
    }

    #[test]
    fn a_visitor_and_a_site_have_so_many_places_and_no_more() {
        let places = places();
        let (one, two) = (caller(Role::Visitor, "a"), caller(Role::Customer, "a"));
        let mut held: Vec<Place> = (0..2).map(|_| places.take(&one).unwrap()).collect();
        assert_eq!(status(places.take(&one)), Some(429));
        held.extend((0..2).map(|_| places.take(&two).unwrap()));
        // The site is full, also for its staff.
        assert_eq!(status(places.take(&caller(Role::Visitor, "a"))), Some(429));
        assert_eq!(status(places.take(&caller(Role::Agent, "a"))), Some(429));
        let staff = caller(Role::Agent, "b");
        held.extend((0..2).map(|_| places.take(&staff).unwrap()));
        assert_eq!(status(places.take(&staff)), Some(503));
        assert_eq!(places.taken(), 6);
        held.clear();
        assert_eq!(places.taken(), 0);
        let open = super::held(&places.open);
        assert!(open.visitors.is_empty() && open.sites.is_empty());
    }
}

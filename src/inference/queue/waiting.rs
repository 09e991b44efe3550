//! The queue itself.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    arrivals::Arrivals,
    entries::{Dismissed, Entries, Entry, Key},
    line::{LaneQueue, Line, Party},
    shares::Shares,
};
use crate::{
    config,
    domain::{AddressBlock, Lane, PrincipalId, SiteId},
    inference::{
        forecast::{Forecasts, retry_after},
        messages::{Acquire, AcquireRequest, Refused},
        status::LaneStatus,
    },
};

/// How many entries one [`Queue::patrol`] visits.
pub(super) const PATROL: usize = 256;
/// How many entries may reject a place before the place stays empty until the next dispatch.
const ASKED: usize = 1024;
/// A waiting request is given up only if the forecast exceeds its remaining time by this factor.
const HOPELESS: f64 = 1.5;

/// What the queue may hold, and how its lanes share the slots.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries: usize,
    pub tokens: u64,
    pub per_visitor: usize,
    /// Entries of one block of addresses, which may have many visitors.
    pub per_address: usize,
    pub lanes: config::Lanes,
    /// A request in a lane without a share is promoted after this wait.
    pub promote_after: Duration,
}

/// The answer of a place to a request.
#[derive(Debug)]
pub enum Place<P> {
    Here(P),
    /// Not for this request; another may find a place.
    NotThis,
    /// For no request.
    Full,
}

/// What [`Queue::next`] decided.
#[derive(Debug)]
pub enum Next<P> {
    /// This entry goes to this place.
    Grant(Entry, P),
    /// It was this request's turn, but too late; call again.
    Dismiss(Dismissed),
    /// No waiting request has a place.
    Nobody,
}

#[derive(Debug)]
pub struct Queue {
    bounds: Bounds,
    pub(super) entries: Entries,
    pub(super) lanes: [LaneQueue; Lane::ALL.len()],
    pub(super) shares: Shares,
    pub(super) arrivals: [Arrivals; Lane::ALL.len()],
    tokens: u64,
    /// How many entries each block of addresses has; none without entries.
    of_address: HashMap<AddressBlock, usize>,
    /// The entries of each visitor; none without entries.
    of_visitor: HashMap<(SiteId, PrincipalId), Vec<Key>>,
    /// The interactive requests, by arrival.
    by_age: BTreeSet<(Instant, Key)>,
    /// Where the next patrol starts.
    cursor: Key,
    /// The newest entry, if it has not received its position yet.
    untold: Option<Key>,
}

impl Queue {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: Entries::default(),
            lanes: Default::default(),
            shares: Shares::new(bounds.lanes),
            arrivals: Default::default(),
            tokens: 0,
            of_address: HashMap::new(),
            of_visitor: HashMap::new(),
            by_age: BTreeSet::new(),
            cursor: 0,
            untold: None,
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    pub fn lanes(&self) -> impl Iterator<Item = LaneStatus> {
        Lane::ALL.into_iter().zip(&self.lanes).map(|(lane, q)| LaneStatus { lane, queued: q.len() })
    }

    /// Background work does not count.
    pub fn somebody_waits(&self) -> bool {
        !self.by_age.is_empty()
    }

    /// How long a party has waited for its next turn, at most; background work does not count. What
    /// it waits because it asked for much does not count either, so no party makes it long.
    pub fn longest_turn(&self, now: Instant) -> Duration {
        let arrived = |key: Key| {
            let entry = self.entries.get(key)?;
            (entry.acquire.request.lane != Lane::Background).then_some(entry.arrived)
        };
        let since = |line: &Line| {
            let first = line.keys().filter_map(arrived).min()?;
            Some(line.served().map_or(first, |served| served.max(first)))
        };
        let first = self.lanes.iter().flat_map(LaneQueue::lines).filter_map(since).min();
        first.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// How long the oldest request of each lane has waited, except background work.
    pub fn oldest_of_lanes(&self, now: Instant) -> [Duration; Lane::ALL.len()] {
        let mut oldest = [Duration::ZERO; Lane::ALL.len()];
        // Newest first, so that the oldest overwrites the others.
        for (arrived, key) in self.by_age.iter().rev() {
            if let Some(entry) = self.entries.get(*key) {
                let lane = entry.acquire.request.lane;
                oldest[lane.index()] = now.saturating_duration_since(*arrived);
            }
        }
        oldest
    }

    /// Lets a request in. Returns the requests to refuse: others that made room, or the request
    /// itself. The forecast does not apply if a place is `free` for the request now.
    pub fn offer(
        &mut self,
        acquire: Acquire,
        forecasts: &Forecasts,
        free: bool,
        now: Instant,
    ) -> Vec<Dismissed> {
        let request = &acquire.request;
        let mut dismissed = self.forget_void(&request.site, request.visitor, now);
        let predicted = if free { Duration::ZERO } else { self.predict(request, forecasts, now) };
        if let Some(refused) = self.objection(request, predicted, forecasts, now) {
            dismissed.push(Dismissed { acquire, refused });
            return dismissed;
        }
        let retry_after = retry_after(predicted);
        let newcomer = self.insert(Entry::new(acquire, now));
        while self.len() > self.bounds.entries || self.tokens > self.bounds.tokens {
            let victim = self.victim(newcomer);
            let Some(entry) = self.take(victim) else { break };
            dismissed.push(Dismissed::new(entry, Refused::QueueFull { retry_after }));
        }
        if let Some(entry) = self.entries.get(newcomer) {
            self.arrivals[entry.lane.index()].arrived(now);
        }
        dismissed
    }

    /// Takes out the next entry for which `place` finds a place, in fair order.
    pub fn next<P>(
        &mut self,
        now: Instant,
        mut place: impl FnMut(&AcquireRequest) -> Place<P>,
    ) -> Next<P> {
        let lanes = self.shares.order();
        let heads = lanes.iter().flat_map(|lane| self.lanes[lane.index()].heads()).take(ASKED);
        let mut found = None;
        for key in heads {
            let Some(entry) = self.entries.get(key) else { continue };
            if entry.is_void(now) {
                found = Some((key, None));
                break;
            }
            match place(&entry.acquire.request) {
                Place::Here(here) => {
                    found = Some((key, Some(here)));
                    break;
                }
                Place::NotThis => {}
                Place::Full => break,
            }
        }
        let Some((key, here)) = found else { return Next::Nobody };
        let Some(entry) = self.take(key) else { return Next::Nobody };
        let Some(here) = here else {
            return Next::Dismiss(Dismissed::new(entry, Refused::DeadlinePassed));
        };
        let request = &entry.acquire.request;
        self.lanes[entry.lane.index()].rotate(&request.site, Party::of(request), now);
        self.shares.served(entry.lane);
        Next::Grant(entry, here)
    }

    /// Visits a bounded number of entries and continues from there the next time. It takes out void
    /// and hopeless entries, promotes entries that wait in a lane without a share, and sends the
    /// others their position.
    pub fn patrol(&mut self, forecasts: &Forecasts, now: Instant) -> Vec<Dismissed> {
        let (keys, cursor) = self.entries.walk(self.cursor, PATROL);
        self.cursor = cursor;
        let mut dismissed = Vec::new();
        for key in keys {
            if let Some(refused) = self.look_after(key, forecasts, now)
                && let Some(entry) = self.take(key)
            {
                dismissed.push(Dismissed::new(entry, refused));
            }
        }
        dismissed
    }

    fn look_after(&mut self, key: Key, forecasts: &Forecasts, now: Instant) -> Option<Refused> {
        let entry = self.entries.get(key)?;
        if entry.is_void(now) {
            return Some(Refused::DeadlinePassed);
        }
        let waited = now.saturating_duration_since(entry.arrived);
        if self.shares.of(entry.lane) == 0 && waited >= self.bounds.promote_after {
            self.promote(key);
        }
        let entry = self.entries.get(key)?;
        if !entry.wants_to_be_told(now) {
            return None;
        }
        let position = self.standing(key, forecasts, now)?;
        let left = entry.useful_until().saturating_duration_since(now);
        let forecast = forecasts.of(entry.acquire.request.tier);
        if forecast.is_measured() && position.eta > left.mul_f64(HOPELESS) + Duration::from_secs(1)
        {
            return Some(Refused::TooLate { retry_after: retry_after(position.eta - left) });
        }
        self.entries.get_mut(key)?.tell(position, now);
        None
    }

    /// Sends the newest entry its position, if it still waits.
    pub fn tell_newcomer(&mut self, forecasts: &Forecasts, now: Instant) {
        if let Some(key) = self.untold.take()
            && let Some(position) = self.standing(key, forecasts, now)
            && let Some(entry) = self.entries.get_mut(key)
        {
            entry.tell(position, now);
        }
    }

    /// Takes out all entries.
    pub fn clear(&mut self, refused: Refused) -> Vec<Dismissed> {
        self.lanes = Default::default();
        self.tokens = 0;
        self.of_address.clear();
        self.of_visitor.clear();
        self.by_age.clear();
        self.untold = None;
        self.entries.drain().map(|entry| Dismissed::new(entry, refused)).collect()
    }

    /// Entries that this visitor has abandoned make room for the new one.
    fn forget_void(&mut self, site: &SiteId, visitor: PrincipalId, now: Instant) -> Vec<Dismissed> {
        let void = |key: &Key| self.entries.get(*key).is_some_and(|entry| entry.is_void(now));
        let own = self.of_visitor.get(&(site.clone(), visitor));
        let keys: Vec<Key> = own.into_iter().flatten().copied().filter(void).collect();
        let entries = keys.into_iter().filter_map(|key| self.take(key));
        entries.map(|entry| Dismissed::new(entry, Refused::DeadlinePassed)).collect()
    }

    fn objection(
        &self,
        request: &AcquireRequest,
        predicted: Duration,
        forecasts: &Forecasts,
        now: Instant,
    ) -> Option<Refused> {
        let left = request.deadline.saturating_duration_since(now);
        let most = request.max_wait.map_or(left, |most| most.min(left));
        let own = self.of_visitor.get(&(request.site.clone(), request.visitor));
        if left.is_zero() {
            Some(Refused::DeadlinePassed)
        } else if own.map_or(0, Vec::len) >= self.bounds.per_visitor {
            Some(Refused::TooManyOfVisitor { retry_after: retry_after(predicted) })
        } else if self.of_address(request) >= self.bounds.per_address {
            Some(Refused::TooManyOfAddress { retry_after: retry_after(predicted) })
        } else if predicted > most && forecasts.of(request.tier).is_measured() {
            Some(Refused::TooLate { retry_after: retry_after(predicted - most) })
        } else if u64::from(request.tokens) > self.bounds.tokens || self.bounds.entries == 0 {
            Some(Refused::QueueFull { retry_after: retry_after(predicted) })
        } else {
            None
        }
    }

    /// 0 if the address is not known.
    fn of_address(&self, request: &AcquireRequest) -> usize {
        request.from.and_then(|from| self.of_address.get(&from)).copied().unwrap_or(0)
    }

    fn insert(&mut self, entry: Entry) -> Key {
        let (lane, arrived) = (entry.lane, entry.arrived);
        if let Some(from) = entry.acquire.request.from {
            *self.of_address.entry(from).or_default() += 1;
        }
        self.tokens += u64::from(entry.acquire.request.tokens);
        let of = (entry.acquire.request.site.clone(), entry.acquire.request.visitor);
        let key = self.entries.insert(entry);
        self.of_visitor.entry(of).or_default().push(key);
        if lane != Lane::Background {
            self.by_age.insert((arrived, key));
        }
        self.line_up(key, lane);
        self.untold = Some(key);
        key
    }

    fn line_up(&mut self, key: Key, lane: Lane) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.lane = lane;
        let request = &entry.acquire.request;
        let line = &mut self.lanes[lane.index()];
        if line.is_empty() {
            self.shares.woke(lane);
        }
        line.push(&request.site, Party::of(request), request.deadline, key);
    }

    fn promote(&mut self, key: Key) {
        let Some(entry) = self.entries.get(key) else { return };
        let Some(lane) = entry.lane.promoted() else { return };
        let request = &entry.acquire.request;
        self.lanes[entry.lane.index()].remove(&request.site, Party::of(request), key);
        self.line_up(key, lane);
    }

    /// Takes an entry out; the order of the others stays the same.
    fn take(&mut self, key: Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        let request = &entry.acquire.request;
        self.lanes[entry.lane.index()].remove(&request.site, Party::of(request), key);
        let of = (request.site.clone(), request.visitor);
        if let Some(own) = self.of_visitor.get_mut(&of) {
            own.retain(|other| *other != key);
            if own.is_empty() {
                self.of_visitor.remove(&of);
            }
        }
        self.tokens -= u64::from(request.tokens);
        if let Some(from) = request.from
            && let Some(entries) = self.of_address.get_mut(&from)
        {
            *entries -= 1;
            if *entries == 0 {
                self.of_address.remove(&from);
            }
        }
        self.by_age.remove(&(entry.arrived, key));
        self.untold = self.untold.filter(|untold| *untold != key);
        Some(entry)
    }

    /// The entry that leaves an overfull queue. The lane most over its share loses the last entry
    /// of its site with the most entries. If that is the newcomer's own lane, and no site in it has
    /// more entries than the newcomer's, the newcomer leaves.
    fn victim(&self, newcomer: Key) -> Key {
        let over = |lane: &Lane| {
            let (len, share) = (self.lanes[lane.index()].len(), self.shares.of(*lane));
            // A lane without a share is over it from its first entry on.
            if share == 0 {
                (len > 0, len as u64)
            } else {
                (false, (len as u64 * 1024) / u64::from(share))
            }
        };
        let lane = Lane::ALL.into_iter().max_by_key(over).unwrap_or(Lane::Browse);
        let line = &self.lanes[lane.index()];
        let victim = match self.entries.get(newcomer) {
            Some(entry) if entry.lane == lane => {
                line.last_of_a_greedier_site(&entry.acquire.request.site)
            }
            _ => line.last_of_the_greediest_site(),
        };
        victim.unwrap_or(newcomer)
    }
}

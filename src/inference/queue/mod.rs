//! Who waits for a slot, and who is next: plain state, no actor, no clock of its own.
//!
//! Fair between sites, then between the visitors of a site, each in turn; the requests of one visitor
//! go by earliest deadline. Bounded by entries, by tokens and for each visitor. When it is full it
//! sheds first who cannot be in time anyway, then the last request of a site that holds more than
//! the newcomer's, so that one shop's rush never locks another one out.
//!
//! Never: an entry beyond the bounds after a verb returned, an entry handed out whose deadline passed
//! or whose receiver is gone. (A lane would be one more ring above the sites.)

mod order;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{
    drain::DrainRate,
    messages::{Acquire, AcquireRequest, Refused},
};
use crate::domain::{PrincipalId, SiteId};

/// What the queue may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub entries: usize,
    pub tokens: u64,
    pub per_visitor: usize,
}

/// A request that waits.
#[derive(Debug)]
pub struct Entry {
    pub acquire: Acquire,
    pub arrived: Instant,
    serial: u64,
}

/// A request that must be told no.
#[derive(Debug)]
pub struct Dismissed {
    pub acquire: Acquire,
    pub refused: Refused,
}

/// What [`Queue::next`] decided.
#[derive(Debug)]
pub enum Next<P> {
    /// This entry goes to this place.
    Grant(Entry, P),
    /// This one was its turn, but too late; ask again.
    Dismiss(Dismissed),
    /// Nobody waits for whom there is a place.
    Nobody,
}

#[derive(Debug)]
pub struct Queue {
    bounds: Bounds,
    /// The front site is next; so is its front visitor.
    sites: VecDeque<Site>,
    entries: usize,
    tokens: u64,
    drain: DrainRate,
    serial: u64,
}

#[derive(Debug)]
struct Site {
    id: SiteId,
    visitors: VecDeque<Visitor>,
}

#[derive(Debug)]
struct Visitor {
    id: PrincipalId,
    /// By deadline, earliest first; never empty.
    line: Vec<Entry>,
}

/// Where an entry stands: site, visitor, place in the visitor's line.
type Spot = (usize, usize, usize);

impl Queue {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            sites: VecDeque::new(),
            entries: 0,
            tokens: 0,
            drain: DrainRate::default(),
            serial: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.entries
    }

    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The time after which a request that came now would leave.
    pub fn wait_of_a_newcomer(&self) -> Duration {
        self.drain.time_for(self.entries + 1)
    }

    /// Lets a request in. Who must be told no comes back: others who made room, or the request itself.
    pub fn offer(&mut self, acquire: Acquire, now: Instant) -> Vec<Dismissed> {
        let mut dismissed = Vec::new();
        if self.would_break_a_bound(&acquire.request) {
            dismissed = self.sweep(now);
        }
        if let Some(refused) = self.objection(&acquire.request, now) {
            dismissed.push(Dismissed { acquire, refused });
            return dismissed;
        }
        let newcomer = self.insert(acquire, now);
        while self.entries > self.bounds.entries || self.tokens > self.bounds.tokens {
            let Some(entry) = self.victim(newcomer, now).map(|spot| self.remove(spot)) else {
                break;
            };
            let retry_after = self.drain.retry_after(self.entries);
            let refused = Refused::QueueFull { retry_after };
            dismissed.push(Dismissed { acquire: entry.acquire, refused });
        }
        dismissed
    }

    /// Takes out the next entry for which `place` finds a place, going round fairly.
    pub fn next<P>(
        &mut self,
        now: Instant,
        mut place: impl FnMut(&AcquireRequest) -> Option<P>,
    ) -> Next<P> {
        for site in 0..self.sites.len() {
            for visitor in 0..self.sites.get(site).map_or(0, |site| site.visitors.len()) {
                let spot = (site, visitor, 0);
                let Some(entry) = self.entry(spot) else { continue };
                if let Some(refused) = entry.too_late(now) {
                    let acquire = self.remove(spot).acquire;
                    return Next::Dismiss(Dismissed { acquire, refused });
                }
                if let Some(found) = place(&entry.acquire.request) {
                    let entry = self.remove_and_rotate(spot);
                    self.drain.departed(!self.is_empty(), now);
                    return Next::Grant(entry, found);
                }
            }
        }
        Next::Nobody
    }

    /// Takes out everybody whose deadline passed or whose receiver is gone.
    pub fn sweep(&mut self, now: Instant) -> Vec<Dismissed> {
        let late: Vec<(Spot, Refused)> = self
            .spots()
            .filter_map(|spot| Some((spot, self.entry(spot)?.too_late(now)?)))
            .collect();
        // From the back, so that the spots before stay right.
        let take = |(spot, refused)| Dismissed { acquire: self.remove(spot).acquire, refused };
        late.into_iter().rev().map(take).collect()
    }

    /// Takes out everybody.
    pub fn clear(&mut self, refused: Refused) -> Vec<Dismissed> {
        self.entries = 0;
        self.tokens = 0;
        let sites = std::mem::take(&mut self.sites).into_iter();
        let entries = sites.flat_map(|site| site.visitors).flat_map(|visitor| visitor.line);
        entries.map(|entry| Dismissed { acquire: entry.acquire, refused }).collect()
    }

    fn would_break_a_bound(&self, request: &AcquireRequest) -> bool {
        self.entries >= self.bounds.entries
            || self.tokens + u64::from(request.tokens) > self.bounds.tokens
            || self.waiting_of(request) >= self.bounds.per_visitor
    }

    fn objection(&self, request: &AcquireRequest, now: Instant) -> Option<Refused> {
        let retry_after = self.drain.retry_after(self.entries);
        if request.deadline <= now {
            Some(Refused::DeadlinePassed)
        } else if self.waiting_of(request) >= self.bounds.per_visitor {
            Some(Refused::TooManyOfVisitor { retry_after })
        } else if u64::from(request.tokens) > self.bounds.tokens || self.bounds.entries == 0 {
            Some(Refused::QueueFull { retry_after })
        } else {
            None
        }
    }

    fn waiting_of(&self, request: &AcquireRequest) -> usize {
        self.sites
            .iter()
            .filter(|site| site.id == request.site)
            .flat_map(|site| &site.visitors)
            .filter(|visitor| visitor.id == request.visitor)
            .map(|visitor| visitor.line.len())
            .sum()
    }

    /// Returns the serial number of the new entry.
    fn insert(&mut self, acquire: Acquire, now: Instant) -> u64 {
        self.serial += 1;
        self.entries += 1;
        self.tokens += u64::from(acquire.request.tokens);
        let (site_id, visitor_id) = (acquire.request.site.clone(), acquire.request.visitor);
        let entry = Entry { acquire, arrived: now, serial: self.serial };
        let Some(site) = self.sites.iter_mut().find(|site| site.id == site_id) else {
            let visitors = VecDeque::from([Visitor { id: visitor_id, line: vec![entry] }]);
            self.sites.push_back(Site { id: site_id, visitors });
            return self.serial;
        };
        match site.visitors.iter_mut().find(|visitor| visitor.id == visitor_id) {
            Some(visitor) => {
                let deadline = entry.acquire.request.deadline;
                let at = visitor.line.partition_point(|e| e.acquire.request.deadline <= deadline);
                visitor.line.insert(at, entry);
            }
            None => site.visitors.push_back(Visitor { id: visitor_id, line: vec![entry] }),
        }
        self.serial
    }

    /// Takes out an entry; the turns of the others stay as they are.
    fn remove(&mut self, (site, visitor, place): Spot) -> Entry {
        let line = &mut self.sites[site].visitors[visitor].line;
        let entry = line.remove(place);
        if line.is_empty() {
            self.sites[site].visitors.remove(visitor);
        }
        if self.sites[site].visitors.is_empty() {
            self.sites.remove(site);
        }
        self.entries -= 1;
        self.tokens -= u64::from(entry.acquire.request.tokens);
        entry
    }

    /// Takes out an entry that had its turn: its visitor and its site go to the end of their rings.
    fn remove_and_rotate(&mut self, (site, visitor, place): Spot) -> Entry {
        let lines = self.sites[site].visitors.iter().map(|visitor| visitor.line.len());
        let last_of_site = lines.sum::<usize>() == 1;
        let last_of_visitor = self.sites[site].visitors[visitor].line.len() == 1;
        let entry = self.remove((site, visitor, place));
        if !last_of_site && let Some(mut site) = self.sites.remove(site) {
            if !last_of_visitor && let Some(visitor) = site.visitors.remove(visitor) {
                site.visitors.push_back(visitor);
            }
            self.sites.push_back(site);
        }
        entry
    }

    fn entry(&self, (site, visitor, place): Spot) -> Option<&Entry> {
        self.sites.get(site)?.visitors.get(visitor)?.line.get(place)
    }

    fn spots(&self) -> impl Iterator<Item = Spot> {
        self.sites.iter().enumerate().flat_map(|(s, site)| {
            site.visitors.iter().enumerate().flat_map(move |(v, visitor)| {
                (0..visitor.line.len()).map(move |place| (s, v, place))
            })
        })
    }
}

impl Entry {
    fn too_late(&self, now: Instant) -> Option<Refused> {
        let late = self.acquire.request.deadline <= now || self.acquire.reply.is_closed();
        late.then_some(Refused::DeadlinePassed)
    }
}

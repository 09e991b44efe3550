//! One lane. It is fair between its sites, then between the parties of a site. The requests of one
//! party are ordered by deadline.

use tokio::time::Instant;

use super::{entries::Key, ring::Ring};
use crate::{
    domain::{AddressBlock, PrincipalId, SiteId},
    inference::messages::AcquireRequest,
};

/// With more sites than this, the number of requests ahead is an upper bound instead of a count.
const COUNTED_SITES: usize = 64;

/// Who takes turns. Visitors are free, so all of one block of addresses are one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    Block(AddressBlock),
    /// A visitor whose address is not known.
    Visitor(PrincipalId),
}

impl Party {
    pub fn of(request: &AcquireRequest) -> Self {
        request.from.map_or(Self::Visitor(request.visitor), Self::Block)
    }
}

#[derive(Debug, Default)]
pub struct LaneQueue {
    /// The site at the front is next, and so is the party at its front.
    sites: Ring<SiteId, Site>,
    len: usize,
}

#[derive(Debug, Default)]
struct Site {
    parties: Ring<Party, Line>,
    len: usize,
    /// How many parties have more than `n` requests waiting.
    with_more_than: Vec<usize>,
}

/// What a party waits for, by deadline.
#[derive(Debug, Default)]
pub struct Line {
    waiting: Vec<Waiting>,
    /// When it last had its turn.
    served: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    deadline: Instant,
    key: Key,
}

impl LaneQueue {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn push(&mut self, site: &SiteId, party: Party, deadline: Instant, key: Key) {
        self.len += 1;
        self.sites.join(site).push(party, Waiting { deadline, key });
    }

    /// Takes an entry out; the order of the others stays the same.
    pub fn remove(&mut self, site: &SiteId, party: Party, key: Key) {
        let Some(of_site) = self.sites.get_mut(site) else { return };
        if of_site.remove(party, key) {
            self.len -= 1;
        }
        if of_site.len == 0 {
            self.sites.leave(site);
        }
    }

    /// Records that the party and its site had their turn.
    pub fn rotate(&mut self, site: &SiteId, party: Party, now: Instant) {
        if let Some(of_site) = self.sites.get_mut(site) {
            of_site.parties.rotate(&party);
            if let Some(line) = of_site.parties.get_mut(&party) {
                line.served = Some(now);
            }
            self.sites.rotate(site);
        }
    }

    /// The first entry of every party, in turn order, until one is served.
    pub fn heads(&self) -> impl Iterator<Item = Key> {
        self.lines().filter_map(|line| line.waiting.first().map(|first| first.key))
    }

    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        let parties = self.sites.iter().flat_map(|(_, site)| site.parties.iter());
        parties.map(|(_, line)| line)
    }

    /// How many requests of this lane leave before the entry if no other request arrives.
    pub fn ahead_of(&self, site: &SiteId, party: Party, key: Key) -> Option<usize> {
        let of_site = self.sites.get(site)?;
        let line = of_site.parties.get(&party)?;
        let place = line.waiting.iter().position(|waiting| waiting.key == key)?;
        let turn = of_site.parties.rank(&party)?;
        let in_site = of_site.in_rounds_before(place) + of_site.before_in_round(place, turn);
        Some(self.across_sites(in_site, self.sites.rank(site)?))
    }

    /// The same for a request that would arrive now.
    pub fn ahead_of_newcomer(&self, site: &SiteId, party: Party) -> usize {
        let Some(of_site) = self.sites.get(site) else {
            return self.across_sites(0, self.sites.len());
        };
        let place = of_site.parties.get(&party).map_or(0, |line| line.waiting.len());
        let turn = of_site.parties.rank(&party).unwrap_or(of_site.parties.len());
        let in_site = of_site.in_rounds_before(place) + of_site.before_in_round(place, turn);
        self.across_sites(in_site, self.sites.rank(site).unwrap_or(0))
    }

    /// The same for a party that waits for nothing yet, at the site with the most parties.
    pub fn ahead_of_stranger(&self) -> usize {
        let sites = self.sites.iter().enumerate();
        let busiest = sites.max_by_key(|(_, (_, site))| site.parties.len());
        busiest.map_or(0, |(turn, (_, site))| self.across_sites(site.parties.len(), turn))
    }

    /// The last entry to leave of the site with the most entries, if that site has more than
    /// `site`.
    pub fn last_of_a_greedier_site(&self, site: &SiteId) -> Option<Key> {
        let own = self.sites.get(site).map_or(0, |site| site.len);
        let (_, most) = self.sites.iter().max_by_key(|(_, site)| site.len)?;
        (most.len > own).then(|| most.last())?
    }

    /// The last entry to leave of the site with the most entries.
    pub fn last_of_the_greediest_site(&self) -> Option<Key> {
        self.sites.iter().max_by_key(|(_, site)| site.len)?.1.last()
    }

    /// The n-th round takes the n-th entry of every site.
    fn across_sites(&self, in_site: usize, turn: usize) -> usize {
        match self.sites.len() {
            0 | 1 => in_site + turn,
            many if many > COUNTED_SITES => (in_site * many + turn).min(self.len),
            _ => self
                .sites
                .iter()
                .enumerate()
                .map(|(place, (_, site))| {
                    site.len.min(in_site) + usize::from(place < turn && site.len > in_site)
                })
                .sum(),
        }
    }
}

impl Line {
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.waiting.iter().map(|waiting| waiting.key)
    }

    /// When it last had its turn while it waited for another one.
    pub fn served(&self) -> Option<Instant> {
        self.served
    }
}

impl Site {
    fn push(&mut self, party: Party, waiting: Waiting) {
        let line = &mut self.parties.join(&party).waiting;
        let before = line.len();
        let at = line.partition_point(|other| other.deadline <= waiting.deadline);
        line.insert(at, waiting);
        self.len += 1;
        match self.with_more_than.get_mut(before) {
            Some(parties) => *parties += 1,
            None => self.with_more_than.push(1),
        }
    }

    fn remove(&mut self, party: Party, key: Key) -> bool {
        let Some(line) = self.parties.get_mut(&party) else { return false };
        let line = &mut line.waiting;
        let Some(place) = line.iter().position(|waiting| waiting.key == key) else { return false };
        line.remove(place);
        let left = line.len();
        if left == 0 {
            self.parties.leave(&party);
        }
        self.len -= 1;
        if let Some(parties) = self.with_more_than.get_mut(left) {
            *parties -= 1;
        }
        true
    }

    fn in_rounds_before(&self, place: usize) -> usize {
        self.with_more_than.iter().take(place).sum()
    }

    /// Exact for the first round. For later rounds it assumes that the remaining parties are spread
    /// evenly.
    fn before_in_round(&self, place: usize, turn: usize) -> usize {
        let first = self.with_more_than.first().copied().unwrap_or(0).max(1);
        let round = self.with_more_than.get(place).copied().unwrap_or(0);
        if place == 0 { turn } else { (turn * round).div_ceil(first) }
    }

    fn last(&self) -> Option<Key> {
        let (_, line) = self.parties.iter().next_back()?;
        line.waiting.last().map(|last| last.key)
    }
}

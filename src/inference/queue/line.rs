//! One lane. It is fair between its sites, then between the visitors of a site. The requests of one
//! visitor are ordered by deadline.

use tokio::time::Instant;

use super::{entries::Key, ring::Ring};
use crate::domain::{PrincipalId, SiteId};

/// With more sites than this, the number of requests ahead is an upper bound instead of a count.
const COUNTED_SITES: usize = 64;

#[derive(Debug, Default)]
pub struct LaneQueue {
    /// The site at the front is next, and so is the visitor at its front.
    sites: Ring<SiteId, Site>,
    len: usize,
}

#[derive(Debug, Default)]
struct Site {
    visitors: Ring<PrincipalId, Vec<Waiting>>,
    len: usize,
    /// How many visitors have more than `n` requests waiting.
    with_more_than: Vec<usize>,
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

    pub fn push(&mut self, site: &SiteId, visitor: PrincipalId, deadline: Instant, key: Key) {
        self.len += 1;
        self.sites.join(site).push(visitor, Waiting { deadline, key });
    }

    /// Takes an entry out; the order of the others stays the same.
    pub fn remove(&mut self, site: &SiteId, visitor: PrincipalId, key: Key) {
        let Some(of_site) = self.sites.get_mut(site) else { return };
        if of_site.remove(visitor, key) {
            self.len -= 1;
        }
        if of_site.len == 0 {
            self.sites.leave(site);
        }
    }

    /// Records that the visitor and its site had their turn.
    pub fn rotate(&mut self, site: &SiteId, visitor: PrincipalId) {
        if let Some(of_site) = self.sites.get_mut(site) {
            of_site.visitors.rotate(&visitor);
            self.sites.rotate(site);
        }
    }

    /// The first entry of every visitor, in turn order, until one is served.
    pub fn heads(&self) -> impl Iterator<Item = Key> {
        let sites = self.sites.iter().flat_map(|(_, site)| site.visitors.iter());
        sites.filter_map(|(_, line)| line.first().map(|first| first.key))
    }

    /// All entries of one visitor.
    pub fn of_visitor(&self, site: &SiteId, visitor: PrincipalId) -> impl Iterator<Item = Key> {
        let line = self.sites.get(site).and_then(|site| site.visitors.get(&visitor));
        line.into_iter().flatten().map(|waiting| waiting.key)
    }

    /// How many requests of this lane leave before the entry if no other request arrives.
    pub fn ahead_of(&self, site: &SiteId, visitor: PrincipalId, key: Key) -> Option<usize> {
        let of_site = self.sites.get(site)?;
        let line = of_site.visitors.get(&visitor)?;
        let place = line.iter().position(|waiting| waiting.key == key)?;
        let turn = of_site.visitors.rank(&visitor)?;
        let in_site = of_site.in_rounds_before(place) + of_site.before_in_round(place, turn);
        Some(self.across_sites(in_site, self.sites.rank(site)?))
    }

    /// The same for a request that would arrive now.
    pub fn ahead_of_newcomer(&self, site: &SiteId, visitor: PrincipalId) -> usize {
        let Some(of_site) = self.sites.get(site) else {
            return self.across_sites(0, self.sites.len());
        };
        let place = of_site.visitors.get(&visitor).map_or(0, Vec::len);
        let turn = of_site.visitors.rank(&visitor).unwrap_or(of_site.visitors.len());
        let in_site = of_site.in_rounds_before(place) + of_site.before_in_round(place, turn);
        self.across_sites(in_site, self.sites.rank(site).unwrap_or(0))
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

impl Site {
    fn push(&mut self, visitor: PrincipalId, waiting: Waiting) {
        let line = self.visitors.join(&visitor);
        let before = line.len();
        let at = line.partition_point(|other| other.deadline <= waiting.deadline);
        line.insert(at, waiting);
        self.len += 1;
        match self.with_more_than.get_mut(before) {
            Some(visitors) => *visitors += 1,
            None => self.with_more_than.push(1),
        }
    }

    fn remove(&mut self, visitor: PrincipalId, key: Key) -> bool {
        let Some(line) = self.visitors.get_mut(&visitor) else { return false };
        let Some(place) = line.iter().position(|waiting| waiting.key == key) else { return false };
        line.remove(place);
        let left = line.len();
        if left == 0 {
            self.visitors.leave(&visitor);
        }
        self.len -= 1;
        if let Some(visitors) = self.with_more_than.get_mut(left) {
            *visitors -= 1;
        }
        true
    }

    fn in_rounds_before(&self, place: usize) -> usize {
        self.with_more_than.iter().take(place).sum()
    }

    /// Exact for the first round. For later rounds it assumes that the remaining visitors are
    /// spread evenly.
    fn before_in_round(&self, place: usize, turn: usize) -> usize {
        let first = self.with_more_than.first().copied().unwrap_or(0).max(1);
        let round = self.with_more_than.get(place).copied().unwrap_or(0);
        if place == 0 { turn } else { (turn * round).div_ceil(first) }
    }

    fn last(&self) -> Option<Key> {
        self.visitors.iter().next_back().and_then(|(_, line)| line.last()).map(|last| last.key)
    }
}

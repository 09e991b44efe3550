//! The order in which entries will leave, and who goes first when the queue is too full.

use tokio::time::Instant;

use super::{Entry, Queue, Spot};
use crate::inference::messages::QueuePosition;

impl Queue {
    /// Every entry with its position, next one first, as if nobody else came.
    pub fn positions(&self) -> impl Iterator<Item = (&Entry, QueuePosition)> {
        let entries = self.order().into_iter().filter_map(|spot| self.entry(spot));
        entries.zip(1_u32..).map(|(entry, position)| {
            let eta = self.drain.time_for(position as usize);
            (entry, QueuePosition { position, eta })
        })
    }

    /// The n-th round takes the n-th entry of every visitor, and the n-th of those of every site.
    fn order(&self) -> Vec<Spot> {
        let mut ranked: Vec<(usize, Spot)> = Vec::with_capacity(self.len());
        for (s, site) in self.sites.iter().enumerate() {
            let mut of_site: Vec<Spot> = (0..site.visitors.len())
                .flat_map(|v| (0..site.visitors[v].line.len()).map(move |place| (s, v, place)))
                .collect();
            of_site.sort_by_key(|&(_, visitor, place)| (place, visitor));
            ranked.extend(of_site.into_iter().enumerate());
        }
        ranked.sort_by_key(|&(round, (site, ..))| (round, site));
        ranked.into_iter().map(|(_, spot)| spot).collect()
    }

    /// Who leaves a queue that holds too much: who cannot be in time, else the last request of the
    /// site that holds most if that is more than the newcomer's site, else the newcomer.
    pub(super) fn victim(&self, newcomer: u64, now: Instant) -> Option<Spot> {
        self.hopeless(now).or_else(|| self.of_greedier_site(newcomer)).or_else(|| {
            self.spots().find(|&spot| self.entry(spot).is_some_and(|e| e.serial == newcomer))
        })
    }

    /// The entry that expires first among those that, as fast as the queue drains, expire waiting.
    fn hopeless(&self, now: Instant) -> Option<Spot> {
        if !self.drain.is_measured() {
            return None;
        }
        let order = self.order().into_iter().zip(1..);
        let late = order.filter_map(|(spot, position)| {
            let deadline = self.entry(spot)?.acquire.request.deadline;
            (now + self.drain.time_for(position) > deadline).then_some((deadline, spot))
        });
        late.min().map(|(_, spot)| spot)
    }

    fn of_greedier_site(&self, newcomer: u64) -> Option<Spot> {
        let too_many = self.entries > self.bounds.entries;
        let weight = |entry: &Entry| {
            if too_many { 1 } else { u64::from(entry.acquire.request.tokens) }
        };
        let weights = self.sites.iter().map(|site| {
            site.visitors.iter().flat_map(|visitor| &visitor.line).map(weight).sum::<u64>()
        });
        let (heaviest, (greediest, _)) =
            weights.clone().zip(self.sites.iter().enumerate()).max_by_key(|&(w, (s, _))| (w, s))?;
        let own = weights.zip(&self.sites).find(|(_, site)| {
            site.visitors.iter().flat_map(|v| &v.line).any(|entry| entry.serial == newcomer)
        });
        if heaviest <= own?.0 {
            return None;
        }
        let site = self.sites.get(greediest)?;
        let (visitor, longest) =
            site.visitors.iter().enumerate().max_by_key(|(_, visitor)| visitor.line.len())?;
        Some((greediest, visitor, longest.line.len().checked_sub(1)?))
    }
}

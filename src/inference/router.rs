//! Which backend the next request goes to.

use std::{cmp::Ordering, time::Duration};

use actix::Recipient;

use super::{
    backend::BackendId,
    messages::SlotReleased,
    slot::SlotPass,
    station::{Station, Stations},
};

/// Picks the backend with the least share of its slots taken; ties take turns.
pub struct Router {
    stations: Stations,
    turn: usize,
}

impl Router {
    pub fn new(stations: Stations) -> Self {
        Self { stations, turn: 0 }
    }

    /// A pass of the best backend that has a slot free and lets a request through.
    ///
    /// Excluded backends are passed by as long as another one is in service.
    pub fn place(
        &mut self,
        exclude: &[BackendId],
        pool: &Recipient<SlotReleased>,
    ) -> Option<SlotPass> {
        let excluded = |station: &Station| exclude.contains(&station.backend.id);
        let others = self.stations.iter().any(|s| s.is_in_service() && !excluded(s));
        let count = self.stations.len();
        let mut candidates: Vec<_> = (0..count)
            .filter_map(|step| self.stations.get((self.turn + step) % count))
            .filter(|station| station.is_in_service() && station.in_flight() < station.slots)
            .filter(|station| !(others && excluded(station)))
            .collect();
        // Stable: among equals the one whose turn it is stays first.
        candidates.sort_by(|a, b| compare_shares(a, b));
        let pass = candidates.into_iter().find_map(|station| SlotPass::take(station, pool))?;
        self.turn = (pass.backend().id.0 + 1) % count;
        Some(pass)
    }

    /// Whether any backend that may be used has a free slot.
    pub fn has_room(&self) -> bool {
        self.stations.iter().any(|s| s.is_in_service() && s.in_flight() < s.slots)
    }

    /// When no backend is in service: the time until one may be again, at most `otherwise`.
    pub fn outage(&self, otherwise: Duration) -> Option<Duration> {
        if self.stations.iter().any(|station| station.is_in_service()) {
            return None;
        }
        let refusals = self.stations.iter().filter_map(|station| station.breaker.refuses_for());
        Some(refusals.min().unwrap_or(otherwise).min(otherwise))
    }
}

fn compare_shares(a: &Station, b: &Station) -> Ordering {
    (a.in_flight() * b.slots).cmp(&(b.in_flight() * a.slots))
}

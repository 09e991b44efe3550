//! Which backend the next request goes to.
//!
//! Requests that begin alike prefer the same backend, because its prefix cache is warm. Each key
//! orders the backends in its own way (rendezvous hashing, Thaler and Ravishankar 1996). A
//! favourite takes at most a quarter more than its share of the load (bounded loads, Mirrokni,
//! Thorup and Zadimoghaddam 2016); after that the next backend takes over. Without a key, the
//! backend with the smallest share of its slots in use is picked, and ties take turns.

use std::{
    cmp::Ordering,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    forecast::{Forecast, Forecasts},
    messages::{AcquireRequest, Ask},
    slot::{OnRelease, SlotPass},
    station::{Station, Stations},
};
use crate::config::Tier;

/// How much more than its share of the load a favourite takes.
const BOUND: f64 = 1.25;

pub struct Router {
    stations: Stations,
    has_full: bool,
    turn: usize,
}

/// A station that could take the request.
struct Candidate<'a> {
    station: &'a Arc<Station>,
    in_flight: usize,
    slots: usize,
    rank: u64,
}

impl Router {
    pub fn new(stations: Stations) -> Self {
        let has_full = stations.iter().any(|station| station.tier == Tier::Full);
        Self { stations, has_full, turn: 0 }
    }

    /// A pass of the best backend that has a free slot and lets a request through.
    ///
    /// Excluded backends are skipped as long as another one is in service. A hedge never uses one.
    pub fn place(&mut self, request: &AcquireRequest, released: &OnRelease) -> Option<SlotPass> {
        let excluded = |station: &Station| request.exclude.contains(&station.backend.id());
        let others = request.ask == Ask::Hedge
            || self.serving(request.tier).any(|station| !excluded(station));
        let count = self.stations.len();
        let mut candidates: Vec<Candidate<'_>> = (0..count)
            .filter_map(|step| self.stations.get((self.turn + step) % count))
            .filter(|station| self.serves(station, request.tier) && station.is_in_service())
            .filter(|station| !(others && excluded(station)))
            .map(|station| Candidate {
                station,
                in_flight: station.in_flight(),
                slots: station.slots(),
                rank: request.affinity.map_or(0, |key| rendezvous(key, station.backend.name())),
            })
            .filter(|candidate| candidate.in_flight < candidate.slots)
            .collect();
        let bound = self.bound(request.tier);
        let small_first =
            |c: &Candidate<'_>| request.tier == Tier::Small && c.station.tier != Tier::Small;
        let over = |c: &Candidate<'_>| {
            request.affinity.is_some() && (c.in_flight + 1) as f64 > (bound * c.slots as f64).ceil()
        };
        // The sort is stable: among equals, the one whose turn it is stays first.
        candidates.sort_by(|a, b| {
            small_first(a)
                .cmp(&small_first(b))
                .then_with(|| over(a).cmp(&over(b)))
                .then_with(|| if over(a) { Ordering::Equal } else { b.rank.cmp(&a.rank) })
                .then_with(|| compare_shares(a, b))
        });
        let mut passes = candidates.into_iter().filter_map(|c| SlotPass::take(c.station, released));
        let pass = passes.next()?;
        self.turn = (pass.backend().id().0 + 1) % count;
        Some(pass)
    }

    /// Whether any backend that may be used has a free slot.
    pub fn has_room(&self) -> bool {
        self.stations.iter().any(|station| station.is_in_service() && station.free() > 0)
    }

    /// Whether a request of this tier could be placed now.
    pub fn has_room_for(&self, tier: Tier) -> bool {
        self.serving(tier).any(|station| station.free() > 0)
    }

    /// Slots that could be taken now.
    pub fn free_slots(&self) -> usize {
        let serving = self.stations.iter().filter(|station| station.is_in_service());
        serving.map(|station| station.free()).sum()
    }

    /// If no backend for this tier is in service: the time until one may be again, at most
    /// `otherwise`.
    pub fn outage(&self, tier: Tier, otherwise: Duration) -> Option<Duration> {
        if self.serving(tier).next().is_some() {
            return None;
        }
        let stations = self.stations.iter().filter(|station| self.serves(station, tier));
        let refusals = stations.filter_map(|station| station.breaker.refuses_for());
        Some(refusals.min().unwrap_or(otherwise).min(otherwise))
    }

    /// When slots come free, for each tier.
    pub fn forecasts(&self, now: Instant) -> Forecasts {
        let of = |tier| Forecast::of(self.serving(tier).map(Station::occupancy), now);
        let full = of(Tier::Full);
        let small = if self.tiers_are_one() { full.clone() } else { of(Tier::Small) };
        Forecasts { full, small }
    }

    /// Whether every backend serves every tier.
    pub fn tiers_are_one(&self) -> bool {
        self.stations.iter().all(|station| self.serves(station, Tier::Full))
    }

    /// A small model gives a full answer only if no other is configured.
    fn serves(&self, station: &Station, tier: Tier) -> bool {
        tier == Tier::Small || station.tier == Tier::Full || !self.has_full
    }

    fn serving(&self, tier: Tier) -> impl Iterator<Item = &Station> {
        let stations = self.stations.iter().map(AsRef::as_ref);
        stations.filter(move |s| self.serves(s, tier) && s.is_in_service())
    }

    /// The share of its slots that a favourite may have in use, counting the new request.
    fn bound(&self, tier: Tier) -> f64 {
        let load = |(taken, slots), station: &Station| {
            (taken + station.in_flight(), slots + station.slots())
        };
        let (taken, slots) = self.serving(tier).fold((0, 0), load);
        BOUND * (taken + 1) as f64 / slots.max(1) as f64
    }
}

fn rendezvous(key: u64, backend: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, backend).hash(&mut hasher);
    hasher.finish()
}

fn compare_shares(a: &Candidate<'_>, b: &Candidate<'_>) -> Ordering {
    (a.in_flight * b.slots).cmp(&(b.in_flight * a.slots))
}

/// The affinity key of requests that begin alike.
pub fn affinity_of(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

//! The position of a request, and when it will leave.

use std::time::Duration;

use tokio::time::Instant;

use super::{entries::Key, line::Party, waiting::Queue};
use crate::{
    domain::Lane,
    inference::{
        forecast::{Forecast, Forecasts},
        messages::{AcquireRequest, QueuePosition},
    },
};

/// How many times the wait is recomputed with the requests that arrive during it.
const ROUNDS: usize = 3;

impl Queue {
    /// The position of an entry if no other request arrives, and its wait if others keep arriving
    /// at the current rate.
    pub(super) fn standing(
        &self,
        key: Key,
        forecasts: &Forecasts,
        now: Instant,
    ) -> Option<QueuePosition> {
        let entry = self.entries.get(key)?;
        let request = &entry.acquire.request;
        let lane = &self.lanes[entry.lane.index()];
        let ahead = lane.ahead_of(&request.site, Party::of(request), key)?;
        Some(self.place(entry.lane, ahead, forecasts.of(request.tier), now))
    }

    /// The wait of a request that arrives now and finds no free place.
    pub fn predict(
        &self,
        request: &AcquireRequest,
        forecasts: &Forecasts,
        now: Instant,
    ) -> Duration {
        let lane = &self.lanes[request.lane.index()];
        let ahead = lane.ahead_of_newcomer(&request.site, Party::of(request));
        self.place(request.lane, ahead, forecasts.of(request.tier), now).eta
    }

    /// The wait of somebody new in `lane`, behind the first request of each party in it.
    pub fn predict_stranger(&self, lane: Lane, forecast: &Forecast, now: Instant) -> Duration {
        self.place(lane, self.lanes[lane.index()].ahead_of_stranger(), forecast, now).eta
    }

    fn place(&self, lane: Lane, ahead: usize, forecast: &Forecast, now: Instant) -> QueuePosition {
        let nth = ahead + 1;
        let others = Lane::ALL.map(|other| {
            let most = if other == lane { 0 } else { self.shares.before(other, lane, nth) };
            (self.lanes[other.index()].len(), self.arrivals[other.index()].per_second(now), most)
        });
        // Other lanes are served first according to their share, as far as they have requests.
        let position_after = |wait: Duration| {
            let before = others.map(|(there, per_second, most)| {
                most.min(there + (per_second * wait.as_secs_f64()) as usize)
            });
            nth + before.iter().sum::<usize>()
        };
        let position = position_after(Duration::ZERO);
        let mut eta = forecast.wait_for(position, now);
        for _ in 0..ROUNDS {
            eta = forecast.wait_for(position_after(eta), now);
        }
        QueuePosition { position: u32::try_from(position).unwrap_or(u32::MAX), eta }
    }
}

//! The right to have one request in flight at one backend.

use std::{sync::Arc, time::Duration};

use super::{
    backend::Backend,
    breaker::Admission,
    metrics,
    outcome::{Outcome, classify},
    station::{Station, Ticket},
    status::BreakerState,
};

/// Called when a slot is free again. It must not block, because it runs inside a drop.
pub type OnRelease = Arc<dyn Fn() + Send + Sync>;

/// One slot of one backend, taken until this is dropped.
///
/// Dropping it reports the outcome to the breaker, gives the slot back and notifies the pool.
/// Success, failure, cancel and panic all take this path. Without a [`report`](Self::report) the
/// outcome is that the client left.
#[must_use = "dropping a pass gives its slot back"]
pub struct SlotPass {
    station: Arc<Station>,
    ticket: Ticket,
    admission: Option<Admission>,
    outcome: Outcome,
    released: OnRelease,
}

impl SlotPass {
    /// Takes a slot if one is free and both breaker and limiter allow it.
    pub(super) fn take(station: &Arc<Station>, released: &OnRelease) -> Option<Self> {
        let ticket = station.take_slot()?;
        // The limiter comes last, because what it admits is spent.
        let admission = station.breaker.admit().filter(|_| station.limiter.admit());
        if admission.is_none() {
            station.give_slot_back(ticket, false);
        }
        Some(Self {
            station: station.clone(),
            ticket,
            admission: Some(admission?),
            outcome: Outcome::ClientGone,
            released: Arc::clone(released),
        })
    }

    pub fn backend(&self) -> &Arc<Backend> {
        &self.station.backend
    }

    /// A token came, so the backend works, even if its health route disagrees.
    pub fn progressed(&self) {
        self.station.progressed();
    }

    /// The first token came `after` this long.
    pub fn first_token(&self, after: Duration) {
        self.station.first_token(after);
    }

    /// A first token later than this is an outlier for this backend, if that is known.
    pub(super) fn late_first_token(&self) -> Option<Duration> {
        self.station.late_first_token()
    }

    /// Ends the request with this outcome.
    pub fn report(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for SlotPass {
    fn drop(&mut self) {
        metrics::outcome(self.station.backend.name(), self.outcome.label());
        if matches!(self.outcome, Outcome::Overloaded(_)) {
            self.station.overloaded();
        }
        if let Some(admission) = self.admission.take() {
            let breaker = &self.station.breaker;
            let before = breaker.state();
            breaker.report(admission, classify(&self.outcome));
            if before == BreakerState::Passing && breaker.state() == BreakerState::Refusing {
                self.station.ejected();
            }
        }
        self.station.give_slot_back(self.ticket, self.outcome.has_run());
        (self.released)();
    }
}

impl std::fmt::Debug for SlotPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SlotPass").field(self.station.backend.name()).finish()
    }
}

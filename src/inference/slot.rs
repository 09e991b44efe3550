//! The right to have one request in flight at one backend.

use std::sync::Arc;

use actix::Recipient;

use super::{
    backend::Backend,
    breaker::Admission,
    messages::SlotReleased,
    metrics,
    outcome::{Outcome, classify},
    station::Station,
};

/// One slot of one backend, taken until this is dropped.
///
/// Dropping it reports the outcome to the breaker, gives the slot back and tells the pool: success,
/// failure, cancel and panic go the same road. Without a [`report`](Self::report) the client is gone.
#[must_use = "dropping a pass gives its slot back"]
pub struct SlotPass {
    station: Arc<Station>,
    admission: Option<Admission>,
    outcome: Outcome,
    pool: Recipient<SlotReleased>,
}

impl SlotPass {
    /// Takes a slot if one is free and breaker and limiter agree.
    pub(super) fn take(station: &Arc<Station>, pool: &Recipient<SlotReleased>) -> Option<Self> {
        if !station.take_slot() {
            return None;
        }
        // The limiter comes last: what it admits is spent.
        let admission = station.breaker.admit().filter(|_| station.limiter.admit());
        if admission.is_none() {
            station.give_slot_back();
        }
        Some(Self {
            station: station.clone(),
            admission: Some(admission?),
            outcome: Outcome::ClientGone,
            pool: pool.clone(),
        })
    }

    pub fn backend(&self) -> &Arc<Backend> {
        &self.station.backend
    }

    /// A token came: the backend works, whatever its health route says.
    pub fn progressed(&self) {
        self.station.progressed();
    }

    /// Ends the request with this outcome.
    pub fn report(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for SlotPass {
    fn drop(&mut self) {
        metrics::outcome(&self.station.backend.name, self.outcome.label());
        if let Some(admission) = self.admission.take() {
            self.station.breaker.report(admission, classify(&self.outcome));
        }
        self.station.give_slot_back();
        #[expect(clippy::disallowed_methods, reason = "a drop cannot wait, and slots bound these")]
        self.pool.do_send(SlotReleased { backend: self.station.backend.id });
    }
}

impl std::fmt::Debug for SlotPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SlotPass").field(&self.station.backend.name).finish()
    }
}

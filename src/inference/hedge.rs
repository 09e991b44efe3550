//! A second request next to one whose first token is unusually late (Dean and Barroso, "The Tail at
//! Scale", 2013).
//!
//! It runs only in a slot that is free elsewhere and that nobody waits for, and only within the
//! budget; the pool decides both. The first request to produce a token wins. The other one's
//! connection is closed, and then its slot is freed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::sleep;

use super::{
    acquire::acquire,
    attempt::{Attempt, Begun},
    backend::BackendId,
    messages::{AcquirePort, Ask, Grant},
    metrics,
    outcome::Outcome,
    request::GenerateRequest,
};

/// Starts the granted request, and a second one if the first is late. Adds the backends that failed
/// to `tried`.
pub async fn begin(
    pool: &AcquirePort,
    request: &GenerateRequest,
    grant: Grant,
    waited: Duration,
    tried: &mut Vec<BackendId>,
) -> Result<Begun, Outcome> {
    tried.push(grant.pass.backend().id());
    let hedge_after = grant.hedge_after;
    let first = Attempt::new(grant, waited, request);
    let alive = first.sign_of_life();
    let mut first = Box::pin(first.begin(&request.chat));
    let Some(hedge_after) = hedge_after else { return first.await };
    let second = async {
        sleep(hedge_after).await;
        if alive.load(Ordering::Relaxed) {
            return None;
        }
        acquire(pool, request, Ask::Hedge, tried.clone()).await.ok()
    };
    let grant = tokio::select! {
        biased;
        begun = &mut first => return begun,
        grant = second => grant,
    };
    let Some(grant) = grant else { return first.await };
    let backend = Arc::clone(grant.pass.backend());
    tried.push(backend.id());
    let mut second = Box::pin(Attempt::new(grant, waited, request).begin(&request.chat));
    let (begun, won) = tokio::select! {
        biased;
        begun = &mut first => match begun {
            Ok(begun) => (Ok(begun), false),
            Err(_) => (second.await, true),
        },
        begun = &mut second => match begun {
            Ok(begun) => (Ok(begun), true),
            Err(_) => (first.await, false),
        },
    };
    metrics::hedged(backend.name(), won);
    begun
}

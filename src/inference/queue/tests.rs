//! The queue as the pool uses it: requests are offered, forecasts change, and entries are taken.

mod bounds;
mod lateness;
mod order;
mod promises;
mod properties;

use std::time::Duration;

use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::*;
use crate::{
    config,
    domain::{AddressBlock, Lane, PrincipalId, SiteId},
    inference::{
        Ask, Tier,
        forecast::{Forecast, Forecasts, Occupancy},
        messages::{Acquire, AcquireRequest, Grant, Refused},
    },
};

type Answer = oneshot::Receiver<Result<Grant, Refused>>;

const ROOMY: Bounds = Bounds {
    entries: 100,
    tokens: 1_000_000,
    per_visitor: 10,
    per_address: 10,
    lanes: config::Lanes { checkout: 8, order: 4, paid: 4, browse: 3, background: 0 },
    promote_after: Duration::from_secs(10),
};

fn request(site: &str, visitor: u128, tokens: u32, deadline: Instant) -> AcquireRequest {
    AcquireRequest {
        site: SiteId::parse(site).unwrap(),
        visitor: PrincipalId(Uuid::from_u128(visitor)),
        from: None,
        lane: Lane::Browse,
        tier: Tier::Full,
        tokens,
        deadline,
        max_wait: None,
        affinity: None,
        ask: Ask::First,
        exclude: Vec::new(),
    }
}

fn acquire(request: AcquireRequest) -> (Acquire, Answer) {
    let (reply, answer) = oneshot::channel();
    (Acquire { request, reply, queued: None }, answer)
}

fn ask(site: &str, visitor: u128, tokens: u32, deadline: Instant) -> (Acquire, Answer) {
    acquire(request(site, visitor, tokens, deadline))
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn forecasts(occupancy: Occupancy, now: Instant) -> Forecasts {
    let full = Forecast::of([occupancy], now);
    Forecasts { small: full.clone(), full }
}

/// `slots` slots, all just taken, each held for `hold`.
fn busy(slots: usize, hold: Duration, now: Instant) -> Forecasts {
    let taken = vec![now; slots];
    forecasts(Occupancy { slots, taken, hold: Some(hold), per_second: 0 }, now)
}

/// Nothing is known about the slots.
fn unmeasured(now: Instant) -> Forecasts {
    forecasts(Occupancy { slots: 1, taken: vec![now], hold: None, per_second: 0 }, now)
}

fn offer(queue: &mut Queue, acquire: Acquire, now: Instant) -> Vec<Dismissed> {
    queue.offer(acquire, &unmeasured(now), false, now)
}

/// Takes the next entry and returns its site and visitor.
fn next(queue: &mut Queue, now: Instant) -> Option<(String, u128)> {
    match queue.next(now, |_| Place::Here(())) {
        Next::Grant(entry, ()) => {
            let request = &entry.acquire.request;
            Some((request.site.to_string(), request.visitor.0.as_u128()))
        }
        Next::Dismiss(_) | Next::Nobody => None,
    }
}

fn rest(queue: &mut Queue, now: Instant) -> Vec<u128> {
    std::iter::from_fn(|| next(queue, now)).map(|(_, visitor)| visitor).collect()
}

/// A queue filled with `(site, visitor)`, all with the same deadline.
fn filled(bounds: Bounds, entries: &[(&str, u128)], now: Instant) -> (Queue, Vec<Answer>) {
    let mut queue = Queue::new(bounds);
    let answers = entries.iter().map(|&(site, visitor)| {
        let (acquire, answer) = ask(site, visitor, 10, now + seconds(60));
        assert!(offer(&mut queue, acquire, now).is_empty());
        answer
    });
    let answers = answers.collect();
    (queue, answers)
}

/// Adds one request to a lane.
fn add(queue: &mut Queue, lane: Lane, visitor: u128, now: Instant) -> Answer {
    let request = AcquireRequest { lane, ..request("a", visitor, 10, now + seconds(600)) };
    let (acquire, answer) = acquire(request);
    assert!(offer(queue, acquire, now).is_empty());
    answer
}

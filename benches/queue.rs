//! The fair queue with ten thousand waiting requests, compared with a list that is searched from
//! end to end.
//!
//! `cargo bench --bench queue`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has no result")]

use std::{hint::black_box, time::Duration};

use divan::Bencher;
use rushdesk::{
    config::Lanes,
    domain::{PrincipalId, SiteId},
    inference::{
        Acquire, AcquireRequest, Ask, Lane, Tier,
        forecast::{Forecast, Forecasts, Occupancy},
        queue::{Bounds, Next, Place, Queue},
    },
};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

const WAITING: u128 = 10_000;

fn main() {
    divan::main();
}

fn acquire(visitor: u128, now: Instant) -> Acquire {
    let (reply, answer) = oneshot::channel();
    // Keeps the receiver open, so that the request counts as waiting.
    std::mem::forget(answer);
    let request = AcquireRequest {
        site: SiteId::parse(["shop-a", "shop-b", "shop-c"][(visitor % 3) as usize]).unwrap(),
        visitor: PrincipalId(Uuid::from_u128(visitor)),
        from: None,
        lane: Lane::ALL[(visitor % 5) as usize],
        tier: Tier::Full,
        tokens: 500,
        deadline: now + Duration::from_secs(3600),
        max_wait: None,
        affinity: None,
        ask: Ask::First,
        exclude: Vec::new(),
    };
    Acquire { request, reply, queued: None }
}

fn forecasts(now: Instant) -> Forecasts {
    let hold = Some(Duration::from_millis(10));
    let occupancy = Occupancy { slots: 64, taken: vec![now; 64], hold, per_second: 0 };
    let full = Forecast::of([occupancy], now);
    Forecasts { small: full.clone(), full }
}

fn filled(now: Instant) -> Queue {
    let mut queue = Queue::new(Bounds {
        entries: 20_000,
        tokens: u64::MAX,
        per_visitor: 4,
        per_address: 16,
        lanes: Lanes { background: 1, ..Lanes::default() },
        promote_after: Duration::from_secs(10),
    });
    let forecasts = forecasts(now);
    for visitor in 0..WAITING {
        assert!(queue.offer(acquire(visitor, now), &forecasts, false, now).is_empty());
    }
    queue
}

/// One request arrives, with a forecast and a position, and one leaves.
#[divan::bench]
fn fair_queue(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let (mut queue, forecasts) = (filled(now), forecasts(now));
    let mut visitor = WAITING;
    bencher.bench_local(|| {
        visitor += 1;
        queue.offer(acquire(visitor, now), &forecasts, false, now);
        queue.tell_newcomer(&forecasts, now);
        let next = queue.next(now, |request| Place::Here(request.visitor));
        assert!(matches!(next, Next::Grant(..)));
    });
}

/// The cost of a tick when every request is due for a position.
#[divan::bench]
fn fair_queue_patrol(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let (mut queue, forecasts) = (filled(now), forecasts(now));
    let mut ticks = 0;
    bencher.bench_local(|| {
        ticks += 1;
        black_box(queue.patrol(&forecasts, now + Duration::from_secs(2) * (ticks % 1000)).len())
    });
}

/// The same lanes and deadlines by searching: which requests wait, and which is first.
#[divan::bench]
fn naive_list(bencher: Bencher<'_, '_>) {
    let now = Instant::now();
    let mut list: Vec<Acquire> = (0..WAITING).map(|visitor| acquire(visitor, now)).collect();
    let mut visitor = WAITING;
    bencher.bench_local(|| {
        visitor += 1;
        let newcomer = acquire(visitor, now);
        let of_visitor = list.iter().filter(|a| a.request.visitor == newcomer.request.visitor);
        assert!(of_visitor.count() < 4);
        list.push(newcomer);
        let first = list
            .iter()
            .enumerate()
            .filter(|(_, acquire)| !acquire.reply.is_closed())
            .min_by_key(|(_, acquire)| (acquire.request.lane, acquire.request.deadline));
        let place = first.map(|(place, _)| place).unwrap();
        black_box(list.remove(place));
    });
}

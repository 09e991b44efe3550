use std::collections::HashMap;

use proptest::prelude::*;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::*;
use crate::inference::{
    Ask, QueuePosition, Tier,
    forecast::{Forecast, Occupancy},
    messages::Grant,
};

type Answer = oneshot::Receiver<Result<Grant, Refused>>;

const ROOMY: Bounds = Bounds {
    entries: 100,
    tokens: 1_000_000,
    per_visitor: 10,
    lanes: config::Lanes { checkout: 8, order: 4, paid: 4, browse: 3, background: 0 },
    promote_after: Duration::from_secs(10),
};

fn request(site: &str, visitor: u128, tokens: u32, deadline: Instant) -> AcquireRequest {
    AcquireRequest {
        site: SiteId::parse(site).unwrap(),
        visitor: PrincipalId(Uuid::from_u128(visitor)),
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

/// So many slots, all just taken, each held for `hold`.
fn busy(slots: usize, hold: Duration, now: Instant) -> Forecasts {
    let occupancy = Occupancy { slots, taken: vec![now; slots], hold: Some(hold), per_second: 0 };
    let full = Forecast::of([occupancy], now);
    Forecasts { small: full.clone(), full }
}

/// Nothing is known of the slots.
fn unmeasured(now: Instant) -> Forecasts {
    let occupancy = Occupancy { slots: 1, taken: vec![now], hold: None, per_second: 0 };
    let full = Forecast::of([occupancy], now);
    Forecasts { small: full.clone(), full }
}

fn offer(queue: &mut Queue, acquire: Acquire, now: Instant) -> Vec<Dismissed> {
    queue.offer(acquire, &unmeasured(now), false, now)
}

/// Takes the next entry and names its site and visitor.
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

/// Fills a queue from `(site, visitor)`, all with the same deadline.
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

#[test]
fn sites_take_turns_and_so_do_the_visitors_of_a_site() {
    let now = Instant::now();
    let entries = [("a", 1), ("a", 1), ("a", 2), ("a", 2), ("b", 3), ("b", 3)];
    let (mut queue, _answers) = filled(ROOMY, &entries, now);
    assert_eq!(rest(&mut queue, now), [1, 3, 2, 3, 1, 2]);
}

#[test]
fn the_positions_that_are_told_are_the_order_in_which_requests_leave() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let forecasts = busy(1, seconds(1), now);
    let mut told = Vec::new();
    for (visitor, site) in (1_u128..).zip(["a", "a", "b", "a", "c", "b", "a"]) {
        let (mut acquire, answer) = ask(site, visitor, 10, now + seconds(60));
        let (queued, position) = watch::channel(None::<QueuePosition>);
        acquire.queued = Some(queued);
        assert!(queue.offer(acquire, &forecasts, false, now).is_empty());
        queue.tell_newcomer(&forecasts, now);
        assert!(position.borrow().is_some(), "a newcomer is told at once");
        told.push((visitor, position, answer));
    }
    let later = now + seconds(2);
    assert!(queue.patrol(&forecasts, later).is_empty());
    told.sort_by_key(|(_, position, _)| position.borrow().map(|p| p.position));
    let order: Vec<u128> = told.iter().map(|(visitor, ..)| *visitor).collect();
    assert_eq!(rest(&mut queue, later), order);
    let positions: Vec<_> =
        told.iter().filter_map(|(_, p, _)| p.borrow().map(|p| p.position)).collect();
    assert_eq!(positions, (1..=7).collect::<Vec<_>>());
}

#[test]
fn the_requests_of_one_visitor_go_by_earliest_deadline() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let mut answers = Vec::new();
    for wait in [30, 10, 20] {
        let (acquire, answer) = ask("a", 1, 10, now + seconds(wait));
        offer(&mut queue, acquire, now);
        answers.push(answer);
    }
    let deadlines: Vec<_> = std::iter::from_fn(|| match queue.next(now, |_| Place::Here(())) {
        Next::Grant(entry, ()) => Some(entry.acquire.request.deadline - now),
        Next::Dismiss(_) | Next::Nobody => None,
    })
    .collect();
    assert_eq!(deadlines, [seconds(10), seconds(20), seconds(30)]);
}

#[test]
fn a_flood_of_browsers_does_not_hold_up_a_checkout() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let mut answers: Vec<_> =
        (100..180).map(|visitor| add(&mut queue, Lane::Browse, visitor, now)).collect();
    (0..20).for_each(|_| drop(next(&mut queue, now)));
    answers.push(add(&mut queue, Lane::Checkout, 1, now));
    answers.push(add(&mut queue, Lane::Order, 2, now));
    assert_eq!(next(&mut queue, now).unwrap().1, 1);
    assert_eq!(next(&mut queue, now).unwrap().1, 2);
}

#[test]
fn lanes_that_all_wait_share_the_slots_and_none_is_starved() {
    let now = Instant::now();
    let mut queue = Queue::new(Bounds { entries: 1000, ..ROOMY });
    let mut answers = Vec::new();
    for visitor in 0..100 {
        answers.push(add(&mut queue, Lane::Checkout, 1000 + visitor, now));
        answers.push(add(&mut queue, Lane::Browse, 2000 + visitor, now));
    }
    let first: Vec<u128> = (0..44).filter_map(|_| Some(next(&mut queue, now)?.1)).collect();
    assert_eq!(first.iter().filter(|visitor| **visitor >= 2000).count(), 12);
}

#[test]
fn the_oldest_of_each_lane_is_known_but_for_background_work() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let _answers = [
        add(&mut queue, Lane::Browse, 1, now),
        add(&mut queue, Lane::Checkout, 2, now + seconds(1)),
        add(&mut queue, Lane::Browse, 3, now + seconds(2)),
        add(&mut queue, Lane::Background, 4, now),
    ];
    let oldest = queue.oldest_of_lanes(now + seconds(5));
    let by_lane: HashMap<Lane, Duration> = Lane::ALL.into_iter().zip(oldest).collect();
    assert_eq!(by_lane[&Lane::Browse], seconds(5));
    assert_eq!(by_lane[&Lane::Checkout], seconds(4));
    for empty in [Lane::Order, Lane::Paid, Lane::Background] {
        assert_eq!(by_lane[&empty], Duration::ZERO);
    }
}

#[test]
fn background_work_waits_for_everybody_but_not_for_ever() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let mut answers = vec![add(&mut queue, Lane::Background, 1, now)];
    for visitor in 10..20 {
        answers.push(add(&mut queue, Lane::Browse, visitor, now));
        assert_ne!(next(&mut queue, now).unwrap().1, 1);
        answers.push(add(&mut queue, Lane::Browse, 100 + visitor, now));
    }
    let later = now + ROOMY.promote_after;
    assert!(queue.patrol(&unmeasured(later), later).is_empty());
    let depth: Vec<_> = queue.lanes().map(|status| status.queued).collect();
    assert_eq!(depth, [0, 0, 0, 11, 0]);
    assert!(rest(&mut queue, later).contains(&1));
}

#[test]
fn background_work_is_no_sign_of_pressure() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let _background = add(&mut queue, Lane::Background, 1, now);
    assert_eq!(queue.oldest(now + seconds(30)), Duration::ZERO);
    let _browse = add(&mut queue, Lane::Browse, 2, now + seconds(20));
    assert_eq!(queue.oldest(now + seconds(30)), seconds(10));
}

#[test]
fn who_cannot_be_in_time_is_refused_at_once_and_told_when_to_come_back() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let forecasts = busy(2, seconds(4), now);
    let mut answers = Vec::new();
    for visitor in 0..6 {
        let (acquire, answer) = ask("a", visitor, 10, now + seconds(60));
        assert!(queue.offer(acquire, &forecasts, false, now).is_empty());
        answers.push(answer);
    }
    // Two leave every four seconds, so the seventh leaves after sixteen.
    let (late, _late) = ask("a", 7, 10, now + seconds(15));
    let dismissed = queue.offer(late, &forecasts, false, now);
    assert_eq!(dismissed[0].refused, Refused::TooLate { retry_after: seconds(1) });
    let impatient =
        AcquireRequest { max_wait: Some(seconds(5)), ..request("a", 8, 10, now + seconds(60)) };
    let (impatient, _impatient) = acquire(impatient);
    let dismissed = queue.offer(impatient, &forecasts, false, now);
    assert_eq!(dismissed[0].refused, Refused::TooLate { retry_after: seconds(11) });
    let (patient, _patient) = ask("a", 9, 10, now + seconds(17));
    assert!(queue.offer(patient, &forecasts, false, now).is_empty());
}

#[test]
fn nobody_is_refused_as_late_while_nothing_was_measured_or_a_slot_is_free() {
    let now = Instant::now();
    let (mut queue, _answers) = filled(ROOMY, &[("a", 1), ("a", 2), ("a", 3)], now);
    let impatient = || {
        acquire(AcquireRequest {
            max_wait: Some(Duration::ZERO),
            ..request("a", 8, 10, now + seconds(60))
        })
    };
    let (unknown, _one) = impatient();
    assert!(offer(&mut queue, unknown, now).is_empty());
    let (lucky, _two) = impatient();
    assert!(queue.offer(lucky, &busy(1, seconds(60), now), true, now).is_empty());
}

#[test]
fn who_waits_is_given_up_when_the_forecast_turns_against_it() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let fast = busy(4, seconds(1), now);
    let mut answers = Vec::new();
    for visitor in 0..20 {
        let (acquire, answer) = ask("a", visitor, 10, now + seconds(8));
        assert!(queue.offer(acquire, &fast, false, now).is_empty());
        answers.push(answer);
    }
    // Three of four backends are lost.
    let slow = busy(1, seconds(1), now);
    let dismissed = queue.patrol(&slow, now + seconds(1));
    assert!(dismissed.iter().all(|d| matches!(d.refused, Refused::TooLate { .. })));
    assert!((4..=10).contains(&dismissed.len()), "{}", dismissed.len());
}

#[test]
fn a_promise_counts_in_those_who_keep_coming_into_more_urgent_lanes() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let _answers: Vec<_> =
        (0..9).map(|visitor| add(&mut queue, Lane::Browse, visitor, now)).collect();
    let forecasts = busy(4, seconds(1), now);
    assert_eq!(queue.predict_last(Lane::Browse, &forecasts.full, now), seconds(3));
    // Half of what the slots can do goes to urgent requests.
    let checkouts = &mut queue.arrivals[Lane::Checkout.index()];
    (0..60).for_each(|n| checkouts.arrived(now + Duration::from_millis(500) * n));
    let later = now + seconds(30);
    let forecasts = busy(4, seconds(1), later);
    assert_eq!(queue.predict_last(Lane::Browse, &forecasts.full, later), seconds(5));
}

#[test]
fn whoever_left_or_is_too_late_never_gets_a_place() {
    let now = Instant::now();
    let (mut queue, mut answers) = filled(ROOMY, &[("a", 1), ("a", 2), ("b", 3)], now);
    drop(answers.remove(0));
    let (late, _late_answer) = ask("c", 4, 10, now + seconds(1));
    offer(&mut queue, late, now);
    let after = now + seconds(2);
    let mut granted = Vec::new();
    let mut dismissed = 0;
    loop {
        match queue.next(after, |request| Place::Here(request.visitor.0.as_u128())) {
            Next::Grant(_, visitor) => granted.push(visitor),
            Next::Dismiss(_) => dismissed += 1,
            Next::Nobody => break,
        }
    }
    assert_eq!(granted, [2, 3], "a late request costs its site no turn");
    assert_eq!(dismissed, 2);
}

#[test]
fn a_patrol_finds_everybody_who_left_within_a_few_rounds() {
    let now = Instant::now();
    let bounds = Bounds { entries: 5000, tokens: 1_000_000, ..ROOMY };
    let entries: Vec<(&str, u128)> = (0..3000).map(|visitor| ("a", visitor)).collect();
    let (mut queue, answers) = filled(bounds, &entries, now);
    drop(answers);
    let rounds: Vec<usize> = (0..12).map(|_| queue.patrol(&unmeasured(now), now).len()).collect();
    assert_eq!(rounds.iter().sum::<usize>(), 3000);
    assert!(rounds.iter().all(|found| *found <= PATROL), "each round is bounded");
    assert!(queue.is_empty());
}

#[test]
fn a_request_that_fits_no_free_backend_does_not_block_the_others() {
    let now = Instant::now();
    let (mut queue, _answers) = filled(ROOMY, &[("a", 1), ("b", 2)], now);
    let picky = |request: &AcquireRequest| match request.visitor.0.as_u128() {
        2 => Place::Here(()),
        _ => Place::NotThis,
    };
    assert!(matches!(queue.next(now, picky), Next::Grant(..)));
    assert!(matches!(queue.next(now, picky), Next::Nobody));
    assert_eq!(queue.len(), 1);
}

#[test]
fn one_visitor_cannot_fill_the_queue() {
    let now = Instant::now();
    let bounds = Bounds { per_visitor: 2, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("a", 1), ("a", 1)], now);
    let urgent = AcquireRequest { lane: Lane::Checkout, ..request("a", 1, 10, now + seconds(60)) };
    let (third, _answer) = acquire(urgent);
    let dismissed = offer(&mut queue, third, now);
    assert!(matches!(dismissed[0].refused, Refused::TooManyOfVisitor { .. }));
    let (other, _answer) = ask("a", 2, 10, now + seconds(60));
    assert!(offer(&mut queue, other, now).is_empty());
}

#[test]
fn a_visitor_whose_old_requests_were_given_up_may_ask_again() {
    let now = Instant::now();
    let bounds = Bounds { per_visitor: 2, ..ROOMY };
    let (mut queue, answers) = filled(bounds, &[("a", 1), ("a", 1)], now);
    drop(answers);
    let (third, _answer) = ask("a", 1, 10, now + seconds(60));
    let dismissed = offer(&mut queue, third, now);
    assert_eq!((dismissed.len(), queue.len()), (2, 1));
}

#[test]
fn a_full_queue_says_when_to_come_back() {
    let now = Instant::now();
    let bounds = Bounds { entries: 2, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("a", 1), ("a", 2)], now);
    let (third, _answer) = ask("a", 3, 10, now + seconds(60));
    let dismissed = offer(&mut queue, third, now);
    assert_eq!(dismissed.len(), 1);
    assert_eq!(dismissed[0].acquire.request.visitor.0.as_u128(), 3);
    let Refused::QueueFull { retry_after } = dismissed[0].refused else { panic!("not full") };
    assert!((seconds(1)..seconds(60)).contains(&retry_after));
}

#[test]
fn tokens_are_a_bound_of_their_own() {
    let now = Instant::now();
    let bounds = Bounds { tokens: 100, ..ROOMY };
    let mut queue = Queue::new(bounds);
    let (first, _a) = ask("a", 1, 60, now + seconds(60));
    assert!(offer(&mut queue, first, now).is_empty());
    let (second, _b) = ask("a", 2, 50, now + seconds(60));
    assert_eq!(offer(&mut queue, second, now).len(), 1);
    let (huge, _c) = ask("b", 3, 101, now + seconds(60));
    assert_eq!(offer(&mut queue, huge, now).len(), 1);
    assert_eq!(queue.tokens(), 60);
}

#[test]
fn a_site_that_fills_the_queue_makes_room_for_another() {
    let now = Instant::now();
    let bounds = Bounds { entries: 3, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("rush", 1), ("rush", 2), ("rush", 3)], now);
    let (quiet, _answer) = ask("quiet", 9, 10, now + seconds(60));
    let dismissed = offer(&mut queue, quiet, now);
    assert_eq!(dismissed.len(), 1);
    assert_eq!(dismissed[0].acquire.request.site.as_str(), "rush");
    let (again, _answer) = ask("quiet", 8, 10, now + seconds(60));
    assert!(
        offer(&mut queue, again, now)[0].acquire.request.visitor.0.as_u128() == 8,
        "a fair share is not one more"
    );
}

#[test]
fn the_lane_that_is_most_over_its_share_makes_room_even_for_a_less_urgent_one() {
    let now = Instant::now();
    let mut queue = Queue::new(Bounds { entries: 20, ..ROOMY });
    let mut answers: Vec<_> =
        (0..20).map(|visitor| add(&mut queue, Lane::Checkout, visitor, now)).collect();
    let (browser, answer) = ask("a", 100, 10, now + seconds(60));
    answers.push(answer);
    let dismissed = offer(&mut queue, browser, now);
    assert_eq!(dismissed[0].acquire.request.lane, Lane::Checkout, "nobody owns the whole queue");
    for visitor in 101..110 {
        let (browser, answer) = ask("a", visitor, 10, now + seconds(60));
        offer(&mut queue, browser, now);
        answers.push(answer);
    }
    let depth: Vec<_> = queue.lanes().map(|status| status.queued).collect();
    assert_eq!(depth, [15, 0, 0, 5, 0]);
}

#[test]
fn clearing_dismisses_everybody() {
    let now = Instant::now();
    let (mut queue, _answers) = filled(ROOMY, &[("a", 1), ("b", 2), ("a", 3)], now);
    assert_eq!(queue.clear(Refused::Closing).len(), 3);
    assert_eq!((queue.len(), queue.tokens()), (0, 0));
    assert_eq!(queue.oldest(now + seconds(9)), Duration::ZERO);
}

/// Shoppers come as often as told, against slots that each hold for a time that `hold` draws; returns the promised and the
/// true wait of each who waited.
fn simulate(
    slots: usize,
    gap: Duration,
    arrivals: usize,
    lane: impl Fn(usize) -> Lane,
    hold: impl Fn(usize) -> Duration,
) -> Vec<(Lane, Duration, Duration)> {
    let start = Instant::now();
    let mut queue = Queue::new(Bounds { entries: 10_000, tokens: u64::MAX, ..ROOMY });
    let (mut taken, mut waits): (Vec<(Instant, Instant)>, _) = (Vec::new(), Vec::new());
    let (mut came, mut served, mut average) = (0, 0, hold(0).as_secs_f64());
    let mut answers = Vec::new();
    let mut now = start;
    while came < arrivals || !queue.is_empty() {
        taken.retain(|(_, until)| *until > now);
        while taken.len() < slots {
            let Next::Grant(entry, ()) = queue.next(now, |_| Place::Here(())) else { break };
            let held = hold(served);
            average += 0.1 * (held.as_secs_f64() - average);
            served += 1;
            taken.push((now, now + held));
            if let Some(promised) = entry.promised() {
                waits.push((entry.acquire.request.lane, promised, now - entry.arrived));
            }
        }
        let occupancy = Occupancy {
            slots,
            taken: taken.iter().map(|(since, _)| *since).collect(),
            hold: Some(Duration::from_secs_f64(average)),
            per_second: 0,
        };
        let full = Forecast::of([occupancy], now);
        let forecasts = Forecasts { small: full.clone(), full };
        if came < arrivals && now >= start + gap * came as u32 {
            let request = AcquireRequest {
                lane: lane(came),
                ..request("a", came as u128, 1, now + seconds(3600))
            };
            let (acquire, answer) = acquire(request);
            assert!(queue.offer(acquire, &forecasts, taken.len() < slots, now).is_empty());
            if taken.len() >= slots {
                queue.tell_newcomer(&forecasts, now);
            }
            answers.push(answer);
            came += 1;
            continue;
        }
        now += Duration::from_millis(5);
    }
    waits
}

fn is_kept(promised: Duration, waited: Duration) -> bool {
    let slack = Duration::from_millis(100);
    waited <= promised.mul_f64(1.3) + slack && promised <= waited.mul_f64(1.3) + slack
}

#[test]
fn a_constant_backend_keeps_every_promise_within_a_third_from_the_first_moment_of_a_rush() {
    let hold = |_| Duration::from_millis(1400);
    let waits = simulate(16, Duration::from_millis(10), 400, |_| Lane::Browse, hold);
    assert!(waits.len() > 300);
    for (_, promised, waited) in waits {
        assert!(is_kept(promised, waited), "promised {promised:?}, waited {waited:?}");
    }
}

#[test]
fn answers_of_many_lengths_keep_the_promises_of_all_lanes() {
    let hold = |n: usize| Duration::from_millis(600 + (n as u64 * 7919 % 17) * 100);
    let lane = |n: usize| match n % 10 {
        0 => Lane::Checkout,
        1 | 2 => Lane::Order,
        3 => Lane::Paid,
        _ => Lane::Browse,
    };
    let waits = simulate(16, Duration::from_millis(25), 800, lane, hold);
    let broken = waits.iter().filter(|(_, promised, waited)| {
        *waited > promised.mul_f64(1.3) + Duration::from_millis(250)
    });
    let (broken, all) = (broken.count(), waits.len());
    assert!(all > 300 && broken * 20 <= all, "{broken} of {all} promises were broken");
}

#[derive(Clone, Debug)]
enum Step {
    Offer { site: usize, visitor: u128, lane: usize, tokens: u32, wait_ms: u64 },
    Leave(usize),
    Take,
    TakeNothing,
    Patrol,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3usize, 0..4u128, 0..5usize, 1..60u32, 0..400u64).prop_map(
            |(site, visitor, lane, tokens, wait_ms)| Step::Offer { site, visitor, lane, tokens, wait_ms }
        ),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Leave(index.index(64))),
        3 => Just(Step::Take),
        1 => Just(Step::TakeNothing),
        1 => Just(Step::Patrol),
        2 => (0..100u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn the_bounds_hold_and_the_late_and_the_gone_are_never_granted(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let promote_after = Duration::from_millis(50);
        let bounds = Bounds { entries: 6, tokens: 150, per_visitor: 2, promote_after, ..ROOMY };
        let mut queue = Queue::new(bounds);
        let mut answers: Vec<Answer> = Vec::new();
        let mut now = Instant::now();
        let (mut offered, mut ended) = (0, 0);
        for step in steps {
            match step {
                Step::Offer { site, visitor, lane, tokens, wait_ms } => {
                    let deadline = now + Duration::from_millis(wait_ms);
                    let lane = Lane::ALL[lane];
                    let request = request(["a", "b", "c"][site], visitor, tokens, deadline);
                    let (acquire, answer) = acquire(AcquireRequest { lane, ..request });
                    ended += offer(&mut queue, acquire, now).len();
                    offered += 1;
                    answers.push(answer);
                }
                Step::Leave(index) => {
                    if index < answers.len() {
                        answers.swap_remove(index);
                    }
                }
                Step::Take => match queue.next(now, |_| Place::Here(())) {
                    Next::Grant(entry, ()) => {
                        prop_assert!(entry.acquire.request.deadline > now);
                        prop_assert!(!entry.acquire.reply.is_closed());
                        ended += 1;
                    }
                    Next::Dismiss(_) => ended += 1,
                    Next::Nobody => prop_assert!(queue.is_empty()),
                },
                Step::TakeNothing => {
                    if let Next::Dismiss(_) = queue.next(now, |_| Place::<()>::NotThis) {
                        ended += 1;
                    }
                }
                Step::Patrol => ended += queue.patrol(&unmeasured(now), now).len(),
                Step::Wait(ms) => now += Duration::from_millis(ms),
            }
            prop_assert!(queue.len() <= bounds.entries);
            prop_assert!(queue.tokens() <= bounds.tokens);
            let mut of_visitor: HashMap<_, usize> = HashMap::new();
            let mut tokens = 0;
            let (keys, _) = queue.entries.walk(0, usize::MAX);
            for entry in keys.into_iter().filter_map(|key| queue.entries.get(key)) {
                let request = &entry.acquire.request;
                *of_visitor.entry((request.site.clone(), request.visitor)).or_default() += 1;
                tokens += u64::from(request.tokens);
            }
            prop_assert!(of_visitor.values().all(|&n| n <= bounds.per_visitor));
            prop_assert_eq!(tokens, queue.tokens());
            prop_assert_eq!(of_visitor.values().sum::<usize>(), queue.len());
            prop_assert_eq!(queue.lanes().map(|lane| lane.queued).sum::<usize>(), queue.len());
            prop_assert_eq!(offered, ended + queue.len(), "nobody is lost");
        }
    }

    #[test]
    fn nobody_starves_however_fast_others_come(rush in 1..5usize, visitors in 1..5u128) {
        let now = Instant::now();
        let mut queue = Queue::new(Bounds { entries: 20, ..ROOMY });
        let mut answers = Vec::new();
        let flood = |queue: &mut Queue, answers: &mut Vec<Answer>| {
            for n in 0..rush {
                let visitor = 100 + (n as u128 % visitors);
                let (acquire, answer) = ask("rush", visitor, 10, now + seconds(60));
                offer(queue, acquire, now);
                answers.push(answer);
            }
        };
        (0..30).for_each(|_| flood(&mut queue, &mut answers));
        let (acquire, answer) = ask("quiet", 1, 10, now + seconds(60));
        offer(&mut queue, acquire, now);
        answers.push(answer);
        let mut departures = 0;
        while let Some((site, _)) = next(&mut queue, now) {
            departures += 1;
            if site == "quiet" {
                break;
            }
            flood(&mut queue, &mut answers);
            prop_assert!(departures < 3, "the quiet shop waits at most one turn of the other");
        }
        prop_assert!(departures <= 2);
    }
}

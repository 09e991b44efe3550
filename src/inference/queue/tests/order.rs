//! Which request is next.

use std::collections::HashMap;

use tokio::sync::watch;

use super::*;
use crate::inference::QueuePosition;

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
    assert_eq!(queue.longest_turn(now + seconds(30)), Duration::ZERO);
    let _browse = add(&mut queue, Lane::Browse, 2, now + seconds(20));
    assert_eq!(queue.longest_turn(now + seconds(30)), seconds(10));
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

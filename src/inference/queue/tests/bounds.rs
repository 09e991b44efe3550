//! How many requests may wait, and which ones make room when there are more.

use super::*;

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
fn one_address_with_many_visitors_cannot_fill_the_queue() {
    let now = Instant::now();
    let mut queue = Queue::new(Bounds { per_address: 3, ..ROOMY });
    let mut ask_from = |address: &str, visitor, site| {
        let from = Some(AddressBlock::of(address.parse().unwrap(), 32, 64));
        let request = AcquireRequest { from, ..request(site, visitor, 10, now + seconds(60)) };
        let (acquire, answer) = acquire(request);
        let refused = offer(&mut queue, acquire, now).pop().map(|dismissed| dismissed.refused);
        (refused, answer)
    };
    let mut waiting: Vec<_> = (0..3).map(|visitor| ask_from("203.0.113.7", visitor, "a")).collect();
    assert!(waiting.iter().all(|(refused, _)| refused.is_none()));
    for site in ["a", "b"] {
        let (refused, _) = ask_from("203.0.113.7", 9, site);
        assert!(matches!(refused, Some(Refused::TooManyOfAddress { .. })));
    }
    waiting.push(ask_from("203.0.113.8", 10, "a"));
    waiting.push(ask_from("2001:db8::1", 11, "a"));
    assert!(waiting.iter().all(|(refused, _)| refused.is_none()));
    // Whoever leaves gives the place back.
    assert!(matches!(queue.next(now, |_| Place::Here(())), Next::Grant(..)));
    let from = Some(AddressBlock::of("203.0.113.7".parse().unwrap(), 32, 64));
    let again = AcquireRequest { from, ..request("a", 12, 10, now + seconds(60)) };
    let (again, _answer) = acquire(again);
    assert!(offer(&mut queue, again, now).is_empty());
}

#[test]
fn one_address_with_many_visitors_takes_turns_as_one_and_makes_nobody_else_wait() {
    let now = Instant::now();
    let mut queue = Queue::new(Bounds { per_address: 16, ..ROOMY });
    let ask = |queue: &mut Queue, address: &str, visitor, now: Instant| {
        let from = Some(AddressBlock::of(address.parse().unwrap(), 32, 64));
        let request = AcquireRequest { from, ..request("a", visitor, 10, now + seconds(60)) };
        let (acquire, answer) = acquire(request);
        assert!(offer(queue, acquire, now).is_empty());
        answer
    };
    let _flood: Vec<_> = (0..16).map(|n| ask(&mut queue, "203.0.113.7", n, now)).collect();
    let forecasts = busy(1, seconds(1), now);
    assert_eq!(queue.predict_stranger(Lane::Browse, &forecasts.full, now), seconds(2));
    // One is served each second, and the last of them has waited for all the others.
    for second in 1..=8 {
        let now = now + seconds(second);
        assert!(next(&mut queue, now).is_some());
        assert!(queue.longest_turn(now + seconds(1)) <= seconds(1), "{second}");
    }
    let now = now + seconds(9);
    let _others = [ask(&mut queue, "203.0.113.8", 100, now), ask(&mut queue, "::2", 101, now)];
    let served = [next(&mut queue, now), next(&mut queue, now), next(&mut queue, now)];
    let served = served.map(|served| served.unwrap().1);
    assert!(served.contains(&100) && served.contains(&101), "{served:?}");
    // Who waits for a first turn presses.
    let _late = ask(&mut queue, "203.0.113.9", 102, now);
    assert_eq!(queue.longest_turn(now + seconds(5)), seconds(5));
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
    assert_eq!(queue.longest_turn(now + seconds(9)), Duration::ZERO);
}

//! Requests that cannot be in time, or whose requester is gone, cost no slot.

use super::*;
use crate::inference::queue::waiting::PATROL;

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

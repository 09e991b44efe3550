//! Compares the promised wait with the actual wait, in a simulated rush.

use super::*;

/// Shoppers arrive as given, and each slot is held for a time that `hold` draws. Returns the
/// promised and the actual wait of each shopper who waited.
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
        let forecasts = forecasts(occupancy, now);
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

#[test]
fn a_promise_counts_in_those_who_keep_coming_into_more_urgent_lanes() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let _answers: Vec<_> =
        (0..9).map(|visitor| add(&mut queue, Lane::Browse, visitor, now)).collect();
    let forecasts = busy(4, seconds(1), now);
    assert_eq!(queue.predict_stranger(Lane::Browse, &forecasts.full, now), seconds(3));
    // Half of the slots' capacity goes to urgent requests.
    let checkouts = &mut queue.arrivals[Lane::Checkout.index()];
    (0..60).for_each(|n| checkouts.arrived(now + Duration::from_millis(500) * n));
    let later = now + seconds(30);
    let forecasts = busy(4, seconds(1), later);
    assert_eq!(queue.predict_stranger(Lane::Browse, &forecasts.full, later), seconds(5));
}

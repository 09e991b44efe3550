use std::collections::HashMap;

use proptest::prelude::*;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::inference::messages::Grant;

type Answer = oneshot::Receiver<Result<Grant, Refused>>;

const ROOMY: Bounds = Bounds { entries: 100, tokens: 1_000_000, per_visitor: 10 };

fn ask(site: &str, visitor: u128, tokens: u32, deadline: Instant) -> (Acquire, Answer) {
    let (reply, answer) = oneshot::channel();
    let request = AcquireRequest {
        site: SiteId::parse(site).unwrap(),
        visitor: PrincipalId(Uuid::from_u128(visitor)),
        tokens,
        deadline,
        exclude: Vec::new(),
    };
    (Acquire { request, reply, queued: None }, answer)
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Takes the next entry and names its site and visitor.
fn next(queue: &mut Queue, now: Instant) -> Option<(String, u128)> {
    match queue.next(now, |_| Some(())) {
        Next::Grant(entry, ()) => {
            let request = &entry.acquire.request;
            Some((request.site.to_string(), request.visitor.0.as_u128()))
        }
        Next::Dismiss(_) | Next::Nobody => None,
    }
}

/// Fills a queue from `(site, visitor)`, all with the same deadline.
fn filled(bounds: Bounds, entries: &[(&str, u128)], now: Instant) -> (Queue, Vec<Answer>) {
    let mut queue = Queue::new(bounds);
    let answers = entries.iter().map(|&(site, visitor)| {
        let (acquire, answer) = ask(site, visitor, 10, now + seconds(60));
        assert!(queue.offer(acquire, now).is_empty());
        answer
    });
    let answers = answers.collect();
    (queue, answers)
}

#[test]
fn sites_take_turns_and_so_do_the_visitors_of_a_site() {
    let now = Instant::now();
    let entries = [("a", 1), ("a", 1), ("a", 2), ("a", 2), ("b", 3), ("b", 3)];
    let (mut queue, _answers) = filled(ROOMY, &entries, now);
    let order: Vec<_> = std::iter::from_fn(|| next(&mut queue, now)).map(|(_, v)| v).collect();
    assert_eq!(order, [1, 3, 2, 3, 1, 2]);
}

#[test]
fn positions_tell_the_order_in_which_entries_leave() {
    let now = Instant::now();
    let entries = [("a", 1), ("a", 1), ("b", 3), ("a", 2), ("c", 4), ("b", 5), ("b", 3)];
    let (mut queue, _answers) = filled(ROOMY, &entries, now);
    let told: Vec<u128> =
        queue.positions().map(|(e, _)| e.acquire.request.visitor.0.as_u128()).collect();
    let left: Vec<u128> = std::iter::from_fn(|| next(&mut queue, now)).map(|(_, v)| v).collect();
    assert_eq!(told, left);
    assert!(queue.is_empty());
}

#[test]
fn the_requests_of_one_visitor_go_by_earliest_deadline() {
    let now = Instant::now();
    let mut queue = Queue::new(ROOMY);
    let mut answers = Vec::new();
    for wait in [30, 10, 20] {
        let (acquire, answer) = ask("a", 1, 10, now + seconds(wait));
        queue.offer(acquire, now);
        answers.push(answer);
    }
    let deadlines: Vec<_> = std::iter::from_fn(|| match queue.next(now, |_| Some(())) {
        Next::Grant(entry, ()) => Some(entry.acquire.request.deadline - now),
        Next::Dismiss(_) | Next::Nobody => None,
    })
    .collect();
    assert_eq!(deadlines, [seconds(10), seconds(20), seconds(30)]);
}

#[test]
fn whoever_left_or_is_too_late_never_gets_a_place() {
    let now = Instant::now();
    let (mut queue, mut answers) = filled(ROOMY, &[("a", 1), ("a", 2), ("b", 3)], now);
    drop(answers.remove(0));
    let (late, _late_answer) = ask("c", 4, 10, now + seconds(1));
    queue.offer(late, now);
    let after = now + seconds(2);
    let mut granted = Vec::new();
    let mut dismissed = 0;
    loop {
        match queue.next(after, |request| Some(request.visitor.0.as_u128())) {
            Next::Grant(_, visitor) => granted.push(visitor),
            Next::Dismiss(_) => dismissed += 1,
            Next::Nobody => break,
        }
    }
    assert_eq!(granted, [2, 3], "a late request costs its site no turn");
    assert_eq!(dismissed, 2);
}

#[test]
fn a_request_that_fits_no_free_backend_does_not_block_the_others() {
    let now = Instant::now();
    let (mut queue, _answers) = filled(ROOMY, &[("a", 1), ("b", 2)], now);
    let picky = |request: &AcquireRequest| (request.visitor.0.as_u128() == 2).then_some(());
    assert!(matches!(queue.next(now, picky), Next::Grant(..)));
    assert!(matches!(queue.next(now, picky), Next::Nobody));
    assert_eq!(queue.len(), 1);
}

#[test]
fn one_visitor_cannot_fill_the_queue() {
    let now = Instant::now();
    let bounds = Bounds { per_visitor: 2, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("a", 1), ("a", 1)], now);
    let (third, _answer) = ask("a", 1, 10, now + seconds(60));
    let dismissed = queue.offer(third, now);
    assert!(matches!(dismissed[0].refused, Refused::TooManyOfVisitor { .. }));
    let (other, _answer) = ask("a", 2, 10, now + seconds(60));
    assert!(queue.offer(other, now).is_empty());
}

#[test]
fn a_visitor_whose_old_requests_were_given_up_may_ask_again() {
    let now = Instant::now();
    let bounds = Bounds { per_visitor: 2, ..ROOMY };
    let (mut queue, answers) = filled(bounds, &[("a", 1), ("a", 1)], now);
    drop(answers);
    let (third, _answer) = ask("a", 1, 10, now + seconds(60));
    let dismissed = queue.offer(third, now);
    assert_eq!((dismissed.len(), queue.len()), (2, 1));
}

#[test]
fn a_full_queue_says_when_to_come_back() {
    let now = Instant::now();
    let bounds = Bounds { entries: 2, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("a", 1), ("a", 2)], now);
    let (third, _answer) = ask("a", 3, 10, now + seconds(60));
    let dismissed = queue.offer(third, now);
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
    assert!(queue.offer(first, now).is_empty());
    let (second, _b) = ask("a", 2, 50, now + seconds(60));
    assert_eq!(queue.offer(second, now).len(), 1);
    let (huge, _c) = ask("b", 3, 101, now + seconds(60));
    assert_eq!(queue.offer(huge, now).len(), 1);
    assert_eq!(queue.tokens(), 60);
}

#[test]
fn a_site_that_fills_the_queue_makes_room_for_another() {
    let now = Instant::now();
    let bounds = Bounds { entries: 3, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("rush", 1), ("rush", 2), ("rush", 3)], now);
    let (quiet, _answer) = ask("quiet", 9, 10, now + seconds(60));
    let dismissed = queue.offer(quiet, now);
    assert_eq!(dismissed.len(), 1);
    assert_eq!(dismissed[0].acquire.request.site.as_str(), "rush");
    let (again, _answer) = ask("quiet", 8, 10, now + seconds(60));
    assert!(
        queue.offer(again, now)[0].acquire.request.visitor.0.as_u128() == 8,
        "a fair share is not one more"
    );
}

#[test]
fn a_full_queue_sheds_first_who_cannot_be_in_time() {
    let now = Instant::now();
    let bounds = Bounds { entries: 4, ..ROOMY };
    let (mut queue, _answers) = filled(bounds, &[("a", 1), ("a", 2), ("a", 3)], now);
    // Two departures ten seconds apart: the queue drains slowly.
    next(&mut queue, now);
    let now = now + seconds(10);
    next(&mut queue, now);
    let mut answers = Vec::new();
    for (visitor, wait) in [(11, 300), (12, 200), (13, 25)] {
        let (acquire, answer) = ask("a", visitor, 10, now + seconds(wait));
        assert!(queue.offer(acquire, now).is_empty());
        answers.push(answer);
    }
    let (newcomer, _answer) = ask("a", 14, 10, now + seconds(300));
    let dismissed = queue.offer(newcomer, now);
    assert_eq!(dismissed.len(), 1);
    assert_eq!(dismissed[0].acquire.request.visitor.0.as_u128(), 13);
}

#[test]
fn clearing_dismisses_everybody() {
    let now = Instant::now();
    let (mut queue, _answers) = filled(ROOMY, &[("a", 1), ("b", 2), ("a", 3)], now);
    assert_eq!(queue.clear(Refused::Closing).len(), 3);
    assert_eq!((queue.len(), queue.tokens()), (0, 0));
}

#[derive(Clone, Debug)]
enum Step {
    Offer { site: usize, visitor: u128, tokens: u32, wait_ms: u64 },
    Leave(usize),
    Take,
    TakeNothing,
    Sweep,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3usize, 0..4u128, 1..60u32, 0..400u64)
            .prop_map(|(site, visitor, tokens, wait_ms)| Step::Offer { site, visitor, tokens, wait_ms }),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Leave(index.index(64))),
        3 => Just(Step::Take),
        1 => Just(Step::TakeNothing),
        1 => Just(Step::Sweep),
        2 => (0..100u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn the_bounds_hold_and_the_late_and_the_gone_are_never_granted(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let bounds = Bounds { entries: 6, tokens: 150, per_visitor: 2 };
        let mut queue = Queue::new(bounds);
        let mut answers: Vec<Answer> = Vec::new();
        let mut now = Instant::now();
        let (mut offered, mut ended) = (0, 0);
        for step in steps {
            match step {
                Step::Offer { site, visitor, tokens, wait_ms } => {
                    let deadline = now + Duration::from_millis(wait_ms);
                    let (acquire, answer) = ask(["a", "b", "c"][site], visitor, tokens, deadline);
                    ended += queue.offer(acquire, now).len();
                    offered += 1;
                    answers.push(answer);
                }
                Step::Leave(index) => {
                    if index < answers.len() {
                        answers.swap_remove(index);
                    }
                }
                Step::Take => match queue.next(now, |_| Some(())) {
                    Next::Grant(entry, ()) => {
                        prop_assert!(entry.acquire.request.deadline > now);
                        prop_assert!(!entry.acquire.reply.is_closed());
                        ended += 1;
                    }
                    Next::Dismiss(_) => ended += 1,
                    Next::Nobody => prop_assert!(queue.is_empty()),
                },
                Step::TakeNothing => {
                    if let Next::Dismiss(_) = queue.next(now, |_| None::<()>) {
                        ended += 1;
                    }
                }
                Step::Sweep => ended += queue.sweep(now).len(),
                Step::Wait(ms) => now += Duration::from_millis(ms),
            }
            prop_assert!(queue.len() <= bounds.entries);
            prop_assert!(queue.tokens() <= bounds.tokens);
            let mut of_visitor: HashMap<_, usize> = HashMap::new();
            let mut tokens = 0;
            for (entry, _) in queue.positions() {
                let request = &entry.acquire.request;
                *of_visitor.entry((request.site.clone(), request.visitor)).or_default() += 1;
                tokens += u64::from(request.tokens);
            }
            prop_assert!(of_visitor.values().all(|&n| n <= bounds.per_visitor));
            prop_assert_eq!(tokens, queue.tokens());
            prop_assert_eq!(of_visitor.values().sum::<usize>(), queue.len());
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
                queue.offer(acquire, now);
                answers.push(answer);
            }
        };
        (0..30).for_each(|_| flood(&mut queue, &mut answers));
        let (acquire, answer) = ask("quiet", 1, 10, now + seconds(60));
        queue.offer(acquire, now);
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

//! Properties that hold for any requests in any order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

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

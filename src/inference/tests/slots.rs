//! Slots always come back, whatever happens to their holders.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::*;
use crate::inference::{
    router::Router,
    station::{Station, Stations},
};

/// A callback for dropped passes, and how often it was called.
fn counter() -> (Arc<AtomicUsize>, OnRelease) {
    let counter = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&counter);
    let released = move || {
        count.fetch_add(1, Ordering::SeqCst);
    };
    (counter, Arc::new(released))
}

fn open(config: &config::Inference, backends: Vec<config::Backend>) -> Stations {
    Station::all(config, backends.into_iter().map(Into::into).collect()).unwrap()
}

fn ask(exclude: &[BackendId]) -> AcquireRequest {
    AcquireRequest {
        site: SiteId::parse("shop").unwrap(),
        visitor: PrincipalId::new(),
        from: None,
        lane: Lane::Browse,
        tier: Tier::Full,
        tokens: 10,
        deadline: Instant::now() + Duration::from_secs(60),
        max_wait: None,
        affinity: None,
        ask: Ask::First,
        exclude: exclude.to_vec(),
    }
}

fn stations(count: usize) -> Stations {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let backends = (0..count)
        .map(|n| backend(&format!("b{n}"), BackendKind::Vllm, "http://127.0.0.1:1"))
        .collect();
    let patient = config::Inference { breaker_failures: 1000, ..config() };
    open(&patient, backends)
}

#[actix::test]
async fn a_pass_gives_its_slot_back_and_tells_the_pool() {
    let (counter, released) = counter();
    let stations = stations(1);
    let first = SlotPass::take(&stations[0], &released).unwrap();
    let second = SlotPass::take(&stations[0], &released).unwrap();
    assert!(SlotPass::take(&stations[0], &released).is_none(), "two slots are two requests");
    first.report(Outcome::Completed);
    assert_eq!(stations[0].in_flight(), 1);
    drop(second);
    assert_eq!(stations[0].in_flight(), 0);
    assert_eq!(counter.load(Ordering::SeqCst), 2);
}

#[actix::test]
async fn the_least_loaded_share_is_picked_and_ties_take_turns() {
    let (_, released) = counter();
    let stations = stations(3);
    let mut router = Router::new(stations);
    let passes: Vec<_> = (0..6).filter_map(|_| router.place(&ask(&[]), &released)).collect();
    let order: Vec<usize> = passes.iter().map(|pass| pass.backend().id().0).collect();
    assert_eq!(order, [0, 1, 2, 0, 1, 2]);
    assert!(!router.has_room());
    assert!(router.place(&ask(&[]), &released).is_none());
}

#[actix::test]
async fn an_excluded_backend_is_used_only_if_no_other_is_in_service() {
    let (_, released) = counter();
    let stations = stations(2);
    let mut router = Router::new(stations.clone());
    let exclude = [BackendId(0)];
    let passes: Vec<_> = (0..4).filter_map(|_| router.place(&ask(&exclude), &released)).collect();
    assert!(passes.iter().all(|pass| pass.backend().id() == BackendId(1)));
    assert_eq!(passes.len(), 2, "a busy backend is waited for");
    stations[1].set_healthy(false);
    assert_eq!(router.place(&ask(&exclude), &released).unwrap().backend().id(), BackendId(0));
}

#[actix::test]
async fn with_no_backend_in_service_the_router_says_when_one_may_be() {
    let (_, released) = counter();
    let stations = stations(1);
    let mut router = Router::new(stations.clone());
    assert_eq!(router.outage(Tier::Full, Duration::from_secs(2)), None);
    stations[0].set_healthy(false);
    assert_eq!(router.outage(Tier::Full, Duration::from_secs(2)), Some(Duration::from_secs(2)));
    assert!(router.place(&ask(&[]), &released).is_none());
}

#[actix::test]
async fn what_begins_alike_goes_to_its_favourite_until_that_has_more_than_its_share() {
    let (_, released) = counter();
    let backends = (0..4).map(|n| config::Backend {
        slots: 8,
        ..backend(&format!("b{n}"), BackendKind::Vllm, "http://127.0.0.1:1")
    });
    let stations = open(&config(), backends.collect());
    let mut router = Router::new(stations.clone());
    let with_key = |key| AcquireRequest { affinity: Some(key), ..ask(&[]) };
    let favourites: Vec<_> = (0..40)
        .map(|key| router.place(&with_key(key), &released).unwrap().backend().id())
        .collect();
    for (key, favourite) in (0..40).zip(&favourites) {
        assert_eq!(router.place(&with_key(key), &released).unwrap().backend().id(), *favourite);
    }
    assert!((0..4).all(|n| favourites.contains(&BackendId(n))), "keys are spread");
    let passes: Vec<_> = (0..16).map(|_| router.place(&with_key(7), &released).unwrap()).collect();
    let most = stations.iter().map(|station| station.in_flight()).max().unwrap();
    assert!(most <= 6, "a favourite takes at most a quarter more than its share: {most}");
    drop(passes);
    let passes: Vec<_> = (0..32).map(|_| router.place(&with_key(7), &released).unwrap()).collect();
    assert!(!router.has_room(), "spilling uses every slot");
    drop(passes);
}

#[actix::test]
async fn a_small_answer_prefers_a_small_model_and_a_full_one_never_gets_it() {
    let (_, released) = counter();
    let full =
        config::Backend { slots: 1, ..backend("f", BackendKind::Vllm, "http://127.0.0.1:1") };
    let small = config::Backend { tier: Tier::Small, name: "s".into(), ..full.clone() };
    let stations = open(&config(), vec![full, small.clone()]);
    let mut router = Router::new(stations.clone());
    let plain = AcquireRequest { tier: Tier::Small, ..ask(&[]) };
    let one = router.place(&plain, &released).unwrap();
    let two = router.place(&plain, &released).unwrap();
    assert_eq!((one.backend().id().0, two.backend().id().0), (1, 0), "then it falls back");
    drop((one, two));
    let held = router.place(&ask(&[]), &released).unwrap();
    assert_eq!(held.backend().id().0, 0);
    assert!(router.place(&ask(&[]), &released).is_none());
    stations[0].set_healthy(false);
    assert!(router.outage(Tier::Full, Duration::from_secs(2)).is_some());
    assert!(router.outage(Tier::Small, Duration::from_secs(2)).is_none());
    let mut only_small = Router::new(open(&config(), vec![small]));
    assert!(only_small.place(&ask(&[]), &released).is_some());
}

#[actix::test]
async fn a_hedge_goes_elsewhere_or_nowhere() {
    let (_, released) = counter();
    let stations = stations(2);
    let mut router = Router::new(stations.clone());
    stations[1].set_healthy(false);
    let hedge = AcquireRequest { ask: Ask::Hedge, ..ask(&[BackendId(0)]) };
    assert!(router.place(&hedge, &released).is_none());
    stations[1].set_healthy(true);
    assert_eq!(router.place(&hedge, &released).unwrap().backend().id(), BackendId(1));
}

#[actix::test]
async fn an_ejected_backend_comes_back_with_one_slot_and_earns_the_others() {
    let (_, released) = counter();
    let stations = stations(1);
    stations[0].set_healthy(false);
    stations[0].set_healthy(true);
    assert_eq!((stations[0].slots(), stations[0].cap), (1, 2));
    let pass = SlotPass::take(&stations[0], &released).unwrap();
    assert!(SlotPass::take(&stations[0], &released).is_none());
    pass.first_token(Duration::from_millis(100));
    assert!(SlotPass::take(&stations[0], &released).is_some());
    drop(pass);
}

#[actix::test]
async fn a_backend_that_says_it_is_full_gets_fewer_at_once() {
    let (_, released) = counter();
    let stations = stations(1);
    SlotPass::take(&stations[0], &released).unwrap().report(Outcome::Overloaded(503));
    assert_eq!(stations[0].slots(), 1);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Place,
    Drop(usize),
    Report(usize, Outcome),
    Panic(usize),
    Sicken(usize),
    Heal(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        Just(Outcome::Completed),
        Just(Outcome::Truncated),
        Just(Outcome::ClientError(400)),
        Just(Outcome::Stalled(Stall::Gap)),
    ];
    prop_oneof![
        6 => Just(Step::Place),
        2 => (0..8usize).prop_map(Step::Drop),
        2 => (0..8usize, outcome).prop_map(|(n, outcome)| Step::Report(n, outcome)),
        1 => (0..8usize).prop_map(Step::Panic),
        1 => (0..3usize).prop_map(Step::Sicken),
        1 => (0..3usize).prop_map(Step::Heal),
    ]
}

/// Runs `steps` and returns how many passes ended.
fn play(stations: &Stations, on_release: &OnRelease, steps: Vec<Step>) -> usize {
    let mut router = Router::new(stations.clone());
    let mut held: Vec<SlotPass> = Vec::new();
    let mut released = 0;
    for step in steps {
        match step {
            Step::Drop(n) | Step::Report(n, _) | Step::Panic(n) if n >= held.len() => continue,
            Step::Drop(_) | Step::Report(..) | Step::Panic(_) => released += 1,
            Step::Place | Step::Sicken(_) | Step::Heal(_) => {}
        }
        match step {
            Step::Place => held.extend(router.place(&ask(&[]), on_release)),
            Step::Sicken(n) => stations[n].set_healthy(false),
            Step::Heal(n) => stations[n].set_healthy(true),
            Step::Drop(n) => drop(held.swap_remove(n)),
            Step::Report(n, outcome) => held.swap_remove(n).report(outcome),
            Step::Panic(n) => {
                let pass = held.swap_remove(n);
                let holder = AssertUnwindSafe(|| {
                    let _pass = pass;
                    // Like a panic, but without output from its hook.
                    resume_unwind(Box::new("holder"))
                });
                assert!(catch_unwind::<_, ()>(holder).is_err());
            }
        }
        for station in stations.iter() {
            let of_station = held.iter().filter(|pass| pass.backend().id() == station.backend.id());
            assert_eq!(station.in_flight(), of_station.count());
            assert!(station.in_flight() <= station.cap);
        }
    }
    released + held.len()
}

#[test]
fn whatever_the_holders_do_no_backend_has_more_in_flight_than_slots() {
    let (counter, released) = counter();
    let stations = stations(3);
    let mut expected = 0;
    let steps = prop::collection::vec(step(), 1..80);
    let mut runner = TestRunner::deterministic();
    for _ in 0..256 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        expected += play(&stations, &released, steps);
        assert!(stations.iter().all(|station| station.in_flight() == 0));
        stations.iter().for_each(|station| station.set_healthy(true));
        let told = counter.load(Ordering::SeqCst);
        assert_eq!(told, expected, "the pool is told of every pass");
    }
}

//! The script on a real Redis with given times, and a Redis that is unreachable.

use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use super::{
    super::shared::{Count, Decision},
    *,
};
use crate::{
    config::{Secret, Store},
    redis::Redis,
};

const SECOND: Duration = Duration::from_secs(1);

fn store(url: &str) -> Store {
    Store {
        redis_url: Secret::new(url),
        redis_prefix: format!("test-{}", PrincipalId::new()),
        // A long timeout, so that these tests do not fall back on a busy machine.
        redis_timeout: 10 * SECOND,
        ..Config::load(&Sources::default()).unwrap().store
    }
}

fn url() -> Option<String> {
    let url = std::env::var("RUSHDESK_TEST_REDIS_URL").ok();
    if url.is_none() {
        assert!(std::env::var_os("CI").is_none(), "RUSHDESK_TEST_REDIS_URL is not set");
        println!("not run: RUSHDESK_TEST_REDIS_URL is not set");
    }
    url
}

fn shared() -> Option<Shared> {
    let settings = settings();
    let new = |url: String| Shared::new(Rates::new(&settings), Waits::new(&settings), &store(&url));
    url().map(|url| new(url).unwrap())
}

fn key(name: &str) -> String {
    format!("test-{{{}}}-{name}", PrincipalId::new())
}

fn micros(span: Duration) -> u64 {
    1_793_000_000_000_000 + span.as_micros() as u64
}

#[tokio::test]
async fn the_script_counts_as_the_local_limiter_does() {
    let Some(shared) = shared() else { return };
    let (key, rate) = (key("a"), rate(36 * SECOND, 3));
    let take = async |at| {
        shared.count(&[(key.clone(), &rate)], Count::Take, Some(micros(at))).await.unwrap()
    };
    for remaining in [2, 1, 0] {
        let reset = 36 * SECOND * (3 - remaining);
        assert_eq!(take(Duration::ZERO).await, Decision::Taken { remaining, reset });
    }
    let refused = |wait| Decision::Refused { by: 0, wait };
    assert_eq!(take(Duration::ZERO).await, refused(36 * SECOND));
    assert_eq!(take(Duration::from_millis(35_999)).await, refused(Duration::from_millis(1)));
    let taken = Decision::Taken { remaining: 0, reset: 108 * SECOND };
    assert_eq!(take(36 * SECOND).await, taken);
    let whole = Decision::Taken { remaining: 2, reset: 36 * SECOND };
    assert_eq!(take(3600 * SECOND).await, whole);
}

#[tokio::test]
async fn a_refusal_by_one_limit_takes_nothing_from_the_other() {
    let Some(shared) = shared() else { return };
    let id = PrincipalId::new();
    let (mine, ours) = (format!("{{{id}}}-visitor"), format!("{{{id}}}-site"));
    let (visitor, site) = (rate(36 * SECOND, 3), rate(SECOND, 1));
    let take = async |at: Duration| {
        let limits = [(mine.clone(), &visitor), (ours.clone(), &site)];
        shared.count(&limits, Count::Take, Some(micros(at))).await.unwrap()
    };
    assert!(matches!(take(Duration::ZERO).await, Decision::Taken { remaining: 2, .. }));
    for _ in 0..5 {
        let refused = Decision::Refused { by: 1, wait: SECOND };
        assert_eq!(take(Duration::ZERO).await, refused);
    }
    assert!(matches!(take(SECOND).await, Decision::Taken { remaining: 1, .. }));
}

#[tokio::test]
async fn what_is_given_back_may_be_taken_again_and_is_no_more_than_that() {
    let Some(shared) = shared() else { return };
    let id = PrincipalId::new();
    let (mine, ours) = (format!("{{{id}}}-visitor"), format!("{{{id}}}-site"));
    let (visitor, site) = (rate(36 * SECOND, 2), rate(SECOND, 2));
    let count = async |what, at: Duration| {
        let limits = [(mine.clone(), &visitor), (ours.clone(), &site)];
        shared.count(&limits, what, Some(micros(at))).await.unwrap()
    };
    let at = Duration::ZERO;
    let whole = Decision::Taken { remaining: 2, reset: Duration::ZERO };
    // Giving back what was never taken adds nothing.
    for _ in 0..3 {
        assert_eq!(count(Count::GiveBack, at).await, whole);
    }
    for _ in 0..5 {
        let reset = 36 * SECOND;
        assert_eq!(count(Count::Take, at).await, Decision::Taken { remaining: 1, reset });
        assert_eq!(count(Count::GiveBack, at).await, whole);
    }
    for _ in 0..2 {
        assert!(matches!(count(Count::Take, at).await, Decision::Taken { .. }));
    }
    assert!(matches!(count(Count::Take, at).await, Decision::Refused { by: 0, .. }));
    count(Count::GiveBack, at).await;
    assert!(matches!(count(Count::Take, at).await, Decision::Taken { remaining: 0, .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_share_one_quota() {
    let Some(url) = url() else { return };
    let store = store(&url);
    let replica = || Limits::shared(&settings(), &store).unwrap();
    let (site, visitor) = (site("a"), PrincipalId::new());
    let mut calls = JoinSet::new();
    for limits in [replica(), replica(), replica()] {
        for _ in 0..10 {
            let (limits, site) = (limits.clone(), site.clone());
            calls.spawn(async move { limits.message(&site, visitor, None).await.map(drop) });
        }
    }
    let (admitted, refused): (Vec<_>, Vec<_>) =
        calls.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!(admitted.len(), 3);
    for limited in refused.into_iter().map(Result::unwrap_err) {
        assert_eq!(limited.scope, Scope::Visitor);
        assert!(limited.retry_after <= 36 * SECOND && limited.retry_after > 30 * SECOND);
    }
    let other = replica();
    for _ in 0..2 {
        other.of_site(Budget::Logins, &site).await.unwrap();
    }
    let limited = replica().of_site(Budget::Logins, &site).await.unwrap_err();
    assert_eq!(limited.scope, Scope::Logins);
    other.of_site(Budget::Visitors, &site).await.unwrap();
}

#[tokio::test]
async fn replicas_share_the_budget_of_an_address_and_the_use_of_a_challenge() {
    let Some(url) = url() else { return };
    let store = store(&url);
    let replica = || Limits::shared(&settings(), &store).unwrap();
    let (site, from) = (site("a"), block("203.0.113.7"));
    for _ in 0..4 {
        let _ = replica().message(&site, PrincipalId::new(), from).await.unwrap();
    }
    let refused = replica().message(&site, PrincipalId::new(), from).await.map(drop).unwrap_err();
    assert_eq!(refused.scope, Scope::AddressMessages);
    let _ = replica().message(&site, PrincipalId::new(), None).await.unwrap();
    assert!(replica().first_use(&site, "one").await);
    assert!(!replica().first_use(&site, "one").await);
    assert!(replica().first_use(&site, "two").await);
}

#[tokio::test]
async fn the_script_of_guesses_waits_as_the_local_table_does() {
    let Some(shared) = shared() else { return };
    let settings = settings();
    let local = Guesses::new(Waits::new(&settings), settings.max_keys);
    let (start, account) = (Instant::now(), PrincipalId::new().to_string());
    // Guesses, one that is taken back, and waits that are too short and long enough.
    for (at, what) in [
        (0, Guess::Take),
        (0, Guess::Take),
        (0, Guess::Take),
        (0, Guess::Take),
        (1, Guess::Take),
        (2, Guess::Take),
        (3, Guess::Take),
        (3, Guess::GiveBack),
        (3, Guess::Take),
        (4, Guess::Take),
        (60, Guess::Take),
        (900, Guess::Take),
        (900, Guess::Take),
        (901, Guess::Forget),
        (901, Guess::Take),
        (901, Guess::Take),
    ] {
        let (now, micros) = (start + at * SECOND, micros(at * SECOND));
        let expected = match what {
            Guess::Take => local.take(&account, now),
            Guess::GiveBack => {
                local.give_back(&account, now);
                Ok(())
            }
            Guess::Forget => {
                local.forget(&account);
                Ok(())
            }
        };
        let decided = shared.guess_at(&account, what, Some(micros)).await.unwrap();
        assert_eq!(decided, expected, "{what:?} at {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_share_the_guesses_of_an_account() {
    let Some(url) = url() else { return };
    let store = store(&url);
    let replica = || Limits::shared(&settings(), &store).unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let limits = replica();
        calls.spawn(async move { limits.guess("ann").await });
    }
    let guesses = calls.join_all().await;
    assert_eq!(guesses.iter().filter(|guess| guess.is_ok()).count(), 3);
    assert!(guesses.iter().flat_map(|guess| guess.err()).all(|by| by.scope == Scope::Account));
    replica().guess("bob").await.unwrap();
    replica().guessed("ann").await;
    replica().guess("ann").await.unwrap();
}

#[tokio::test]
async fn counts_in_redis_do_not_stay_for_ever() {
    let Some(shared) = shared() else { return };
    let (key, rate) = (key("a"), rate(36 * SECOND, 3));
    shared.count(&[(key.clone(), &rate)], Count::Take, None).await.unwrap();
    let redis = Redis::open(&store(&url().unwrap())).unwrap();
    let mut raw = redis.dedicated(Duration::ZERO).await.unwrap();
    let mut command = deadpool_redis::redis::cmd("PTTL");
    let life: i64 = command.arg(&key).query_async(&mut raw).await.unwrap();
    assert!((35_000..=36_000).contains(&life), "{life}");
}

#[tokio::test]
async fn a_redis_that_does_not_answer_costs_one_wait_and_the_replica_counts_alone() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = Store {
        redis_timeout: Duration::from_millis(200),
        ..store(&format!("redis://{}/0", silent.local_addr().unwrap()))
    };
    let limits = Limits::shared(&settings(), &store).unwrap();
    let (site, visitor) = (site("a"), PrincipalId::new());
    let begun = Instant::now();
    for _ in 0..3 {
        let _ = limits.message(&site, visitor, None).await.unwrap();
    }
    let limited = limits.message(&site, visitor, None).await.map(drop).unwrap_err();
    assert_eq!(limited.scope, Scope::Visitor);
    let waited = begun.elapsed();
    assert!((store.redis_timeout..store.redis_timeout * 3).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_redis_that_refuses_connections_is_passed_by() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let limits = Limits::shared(&settings(), &store(&format!("redis://{closed}/0"))).unwrap();
    assert!(limits.message(&site("a"), PrincipalId::new(), None).await.is_ok());
}

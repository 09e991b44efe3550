//! The script on a real Redis with given times, and a Redis that is unreachable.

use tokio::{net::TcpListener, task::JoinSet, time::Instant};

use super::{
    super::shared::{Count, Decision, Shared},
    *,
};
use crate::{
    config::{Config, Secret, Sources, Store},
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
    url().map(|url| Shared::new(Rates::new(&settings()), &store(&url)).unwrap())
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
    let take =
        async |at| shared.count(&[(&key, &rate)], Count::Take, Some(micros(at))).await.unwrap();
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
        let limits = [(&*mine, &visitor), (&*ours, &site)];
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
        let limits = [(&*mine, &visitor), (&*ours, &site)];
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
            calls.spawn(async move { limits.message(&site, visitor).await });
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
    assert!(other.login(&site).await.is_ok() && other.login(&site).await.is_ok());
    assert_eq!(replica().login(&site).await.unwrap_err().scope, Scope::Logins);
}

#[tokio::test]
async fn counts_in_redis_do_not_stay_for_ever() {
    let Some(shared) = shared() else { return };
    let (key, rate) = (key("a"), rate(36 * SECOND, 3));
    shared.count(&[(&key, &rate)], Count::Take, None).await.unwrap();
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
        limits.message(&site, visitor).await.unwrap();
    }
    assert_eq!(limits.message(&site, visitor).await.unwrap_err().scope, Scope::Visitor);
    let waited = begun.elapsed();
    assert!((store.redis_timeout..store.redis_timeout * 3).contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_redis_that_refuses_connections_is_passed_by() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let limits = Limits::shared(&settings(), &store(&format!("redis://{closed}/0"))).unwrap();
    assert!(limits.message(&site("a"), PrincipalId::new()).await.is_ok());
}

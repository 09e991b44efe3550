//! On a real Redis: letters, watchers and leases, and a server that is frozen or killed.

mod away;

use std::time::Duration;

use deadpool_redis::redis::cmd;

use super::{HotStore, keys::Keys};
use crate::{
    config::{Config, Secret, Sources, Store},
    domain::SessionId,
    redis::Redis,
};

const MINUTE: Duration = Duration::from_secs(60);

fn settings(url: &str) -> Store {
    let defaults = Config::load(&Sources::default()).unwrap().store;
    Store {
        redis_url: Secret::new(url),
        redis_prefix: format!("test-{}", SessionId::new()),
        // Long, so that a busy machine does not fail what is not about time.
        redis_timeout: Duration::from_secs(10),
        redis_pool: 4,
        ..defaults
    }
}

/// Settings with a prefix of their own.
fn shared() -> Option<Store> {
    let url = std::env::var("RUSHDESK_TEST_REDIS_URL").ok();
    if url.is_none() {
        assert!(std::env::var_os("CI").is_none(), "RUSHDESK_TEST_REDIS_URL is not set");
        println!("not run: RUSHDESK_TEST_REDIS_URL is not set");
    }
    url.map(|url| settings(&url))
}

fn store() -> Option<HotStore> {
    shared().map(|settings| HotStore::new(&settings).unwrap())
}

fn letters(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn letters_reach_the_inbox_of_their_replica_in_order_and_once() {
    let Some(store) = store() else { return };
    store.post("a/1", &letters(&["one", "two"])).await.unwrap();
    store.post("b/1", &letters(&["other"])).await.unwrap();
    let mut inbox = store.inbox("a/1");
    assert_eq!(inbox.receive().await.unwrap(), ["one", "two"]);
    let (received, posted) = tokio::join!(inbox.receive(), async {
        // Most often the reader waits already.
        tokio::task::yield_now().await;
        store.post("a/1", &letters(&["three"])).await
    });
    posted.unwrap();
    assert_eq!(received.unwrap(), ["three"]);
    assert!(inbox.receive().await.unwrap().is_empty(), "nothing more");
    assert_eq!(store.inbox("b/1").receive().await.unwrap(), ["other"]);
}

#[tokio::test]
async fn watchers_of_a_session_come_and_go() {
    let Some(store) = store() else { return };
    let (id, other) = (SessionId::new(), SessionId::new());
    assert!(store.watchers(id).await.unwrap().is_empty());
    for replica in ["a/1", "b/1", "a/1"] {
        store.watch(id, replica).await.unwrap();
    }
    store.watch(other, "c/1").await.unwrap();
    let mut watchers = store.watchers(id).await.unwrap();
    watchers.sort_unstable();
    assert_eq!(watchers, ["a/1", "b/1"]);
    store.unwatch(id, "a/1").await.unwrap();
    store.unwatch(id, "c/1").await.unwrap();
    assert_eq!(store.watchers(id).await.unwrap(), ["b/1"]);
    assert_eq!(store.watchers(other).await.unwrap(), ["c/1"]);
}

#[tokio::test]
async fn a_lease_has_one_holder_until_it_is_given_up() {
    let Some(store) = store() else { return };
    assert_eq!(store.claim("import", "a/1", MINUTE).await.unwrap(), None);
    assert_eq!(store.claim("import", "b/1", MINUTE).await.unwrap().as_deref(), Some("a/1"));
    assert_eq!(store.claim("export", "b/1", MINUTE).await.unwrap(), None);
    assert!(store.renew("import", "a/1", MINUTE).await.unwrap());
    assert!(!store.renew("import", "b/1", MINUTE).await.unwrap());
    store.release("import", "b/1").await.unwrap();
    assert!(store.renew("import", "a/1", MINUTE).await.unwrap(), "b/1 cannot give it up");
    store.release("import", "a/1").await.unwrap();
    assert!(!store.renew("import", "a/1", MINUTE).await.unwrap());
    assert_eq!(store.claim("import", "b/1", MINUTE).await.unwrap(), None);
}

#[tokio::test]
async fn a_lease_of_a_holder_that_died_ends_by_itself() {
    let Some(store) = store() else { return };
    assert_eq!(store.claim("import", "a/1", Duration::from_millis(30)).await.unwrap(), None);
    for _ in 0..100 {
        if store.claim("import", "b/1", MINUTE).await.unwrap().is_none() {
            assert!(!store.renew("import", "a/1", MINUTE).await.unwrap());
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a/1 still holds it");
}

#[tokio::test]
async fn what_an_earlier_build_did_not_flush_is_counted() {
    let Some(settings) = shared() else { return };
    let store = HotStore::new(&settings).unwrap();
    assert_eq!(store.unflushed_before_upgrade().await.unwrap(), 0);
    let mut raw = Redis::open(&settings).unwrap().dedicated(Duration::ZERO).await.unwrap();
    let keys = Keys::new(&settings.redis_prefix);
    for (shard, session) in [(0, "one"), (63, "two"), (63, "three")] {
        let mut add = cmd("ZADD");
        add.arg(keys.dirty_before_upgrade(shard)).arg(1).arg(session);
        add.query_async::<usize>(&mut raw).await.unwrap();
    }
    assert_eq!(store.unflushed_before_upgrade().await.unwrap(), 3);
}

#[tokio::test]
async fn a_store_that_is_there_answers() {
    let Some(store) = store() else { return };
    store.ping().await.unwrap();
    assert!(store.is_up());
}

#[tokio::test]
async fn an_address_that_is_not_redis_is_refused_at_once() {
    assert!(HotStore::new(&settings("http://x")).is_err());
}

//! What only a real Redis can show: times to live, lost scripts, a frozen and a killed server.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use deadpool_redis::redis::cmd;
use tokio::{task::JoinSet, time::Instant};

use super::*;
use crate::{
    config::{Config, Secret, Sources, Store},
    redis::Redis,
};

const LIMIT: Duration = Duration::from_millis(300);

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

fn url() -> Option<String> {
    let url = std::env::var("RUSHDESK_TEST_REDIS_URL").ok();
    if url.is_none() {
        assert!(std::env::var_os("CI").is_none(), "RUSHDESK_TEST_REDIS_URL is not set");
        println!("not run on Redis: RUSHDESK_TEST_REDIS_URL is not set");
    }
    url
}

pub fn store() -> Option<RedisHot> {
    url().map(|url| RedisHot::new(&settings(&url)).unwrap())
}

/// A Redis of the test's own, that it may freeze and kill.
struct Server {
    port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Self::spawn(port, folder.path())?;
        Some(Self { port, process, _folder: folder })
    }

    fn spawn(port: u16, folder: &std::path::Path) -> Option<Child> {
        let started = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--save", ""])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(process) => Some(process),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "no redis-server: {error}");
                println!("not run: no redis-server");
                None
            }
        }
    }

    fn restart(&mut self) {
        self.process = Self::spawn(self.port, self._folder.path()).unwrap();
    }

    fn settings(&self) -> Store {
        Store { redis_timeout: LIMIT, ..settings(&format!("redis://127.0.0.1:{}/0", self.port)) }
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Real time: the other side is a process.
async fn recovered(store: &HotStore) {
    for _ in 0..100 {
        if store.ping().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not back after 10 s");
}

#[tokio::test]
async fn only_a_wholly_flushed_session_has_a_time_to_live() {
    let Some(url) = url() else { return };
    let settings = settings(&url);
    let store = HotStore::redis(&settings).unwrap();
    let mut raw = Redis::open(&settings).unwrap().dedicated(Duration::ZERO).await.unwrap();
    let meta = created(&store).await;
    let step = Append { idempotency: Some(record("key")), ..append(&meta, 0, 2) };
    store.append(&step).await.unwrap();
    let keys = keys::Keys::new(&settings.redis_prefix).session(meta.id);
    let mut lives = async || {
        let mut lives = Vec::new();
        for key in [&keys.meta, &keys.events, &keys.records, &keys.order] {
            lives.push(cmd("PTTL").arg(key).query_async::<i64>(&mut raw).await.unwrap());
        }
        lives
    };
    const NONE: i64 = -1;
    assert_eq!(lives().await, [NONE; 4]);
    store.mark_flushed(meta.id, 1).await.unwrap();
    assert_eq!(lives().await, [NONE; 4]);
    store.mark_flushed(meta.id, 2).await.unwrap();
    assert!(lives().await.iter().all(|life| (3_590_000..=3_600_000).contains(life)));
    store.append(&append(&meta, 2, 1)).await.unwrap();
    assert_eq!(lives().await, [NONE; 4]);
}

#[tokio::test]
async fn a_frozen_redis_costs_no_more_than_the_time_limit_and_comes_back_by_itself() {
    let Some(server) = Server::start() else { return };
    let store = Arc::new(HotStore::redis(&server.settings()).unwrap());
    recovered(&store).await;
    let meta = filled(&store, 1).await;

    server.signal("-STOP");
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let (store, id) = (store.clone(), meta.id);
        calls.spawn(async move { store.load(id, 10).await.err() });
    }
    for outcome in calls.join_all().await {
        assert_eq!(outcome, Some(HotError::Timeout));
    }
    // By now it is known to be away, and nobody else waits for it.
    assert!(!store.is_up());
    let owned = store.owned(meta.owner, None, 10).await;
    assert!(matches!(owned.err(), Some(HotError::Unavailable(_))));
    assert!(begun.elapsed() < LIMIT * 6, "{:?}", begun.elapsed());

    server.signal("-CONT");
    recovered(&store).await;
    assert_eq!(store.append(&append(&meta, 1, 1)).await, Ok(Appended::Done));
}

#[tokio::test]
async fn a_killed_redis_is_unavailable_and_after_its_restart_everything_acknowledged_is_there() {
    let Some(mut server) = Server::start() else { return };
    let store = HotStore::redis(&server.settings()).unwrap();
    recovered(&store).await;
    let meta = filled(&store, 3).await;

    server.signal("-KILL");
    server.process.wait().unwrap();
    let refused = store.load(meta.id, 10).await.unwrap_err();
    assert!(matches!(refused, HotError::Unavailable(_)), "{refused:?}");

    server.restart();
    recovered(&store).await;
    // The scripts are gone with the process, so this also sends them again.
    assert_eq!(seqs(&store.load(meta.id, 10).await.unwrap().unwrap().events), [1, 2, 3]);
    assert_eq!(store.append(&append(&meta, 3, 1)).await, Ok(Appended::Done));
    assert!(is_dirty(&store, meta.id).await);
}

#[tokio::test]
async fn an_address_that_is_not_redis_is_refused_at_once() {
    assert!(matches!(HotStore::redis(&settings("http://x")), Err(HotError::Unavailable(_))));
}

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use tokio::{task::JoinSet, time::Instant};

use super::*;
use crate::hot::HotError;

const LIMIT: Duration = Duration::from_millis(300);

/// A Redis of the test's own, that it may freeze and kill.
struct Server {
    port: u16,
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Self::spawn(port, folder.path())?;
        Some(Self { port, process, folder })
    }

    fn spawn(port: u16, folder: &Path) -> Option<Child> {
        let started = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
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
        self.process = Self::spawn(self.port, self.folder.path()).unwrap();
    }

    fn store(&self) -> HotStore {
        let settings = settings(&format!("redis://127.0.0.1:{}/0", self.port));
        HotStore::new(&Store { redis_timeout: LIMIT, ..settings }).unwrap()
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
async fn a_frozen_redis_costs_no_more_than_the_time_limit_and_comes_back_by_itself() {
    let Some(server) = Server::start() else { return };
    let store = Arc::new(server.store());
    recovered(&store).await;
    let id = SessionId::new();

    server.signal("-STOP");
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let store = Arc::clone(&store);
        calls.spawn(async move { store.watchers(id).await.err() });
    }
    for outcome in calls.join_all().await {
        assert!(matches!(outcome, Some(HotError::Timeout)), "{outcome:?}");
    }
    // By now it is known to be away, and nobody else waits for it.
    assert!(!store.is_up());
    assert!(matches!(store.watchers(id).await, Err(HotError::Unavailable(_))));
    assert!(begun.elapsed() < LIMIT * 6, "{:?}", begun.elapsed());

    server.signal("-CONT");
    recovered(&store).await;
    store.watch(id, "a/1").await.unwrap();
    assert_eq!(store.watchers(id).await.unwrap(), ["a/1"]);
}

#[tokio::test]
async fn a_killed_redis_is_unavailable_and_after_its_restart_scripts_work_again() {
    let Some(mut server) = Server::start() else { return };
    let store = server.store();
    recovered(&store).await;
    assert_eq!(store.claim("import", "a/1", MINUTE).await.unwrap(), None);
    assert!(store.renew("import", "a/1", MINUTE).await.unwrap());

    server.signal("-KILL");
    server.process.wait().unwrap();
    let refused = store.watchers(SessionId::new()).await.unwrap_err();
    assert!(matches!(refused, HotError::Unavailable(_)), "{refused:?}");

    server.restart();
    recovered(&store).await;
    // The scripts are gone with the process, so this sends them again.
    assert!(!store.renew("import", "a/1", MINUTE).await.unwrap());
}

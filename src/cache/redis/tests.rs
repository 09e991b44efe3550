//! Against a real Redis in `RUSHDESK_TEST_REDIS_URL`.

use std::time::Duration;

use deadpool_redis::redis::cmd;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{Replication, ReplicationError};
use crate::{
    cache::{
        Cache, CachedAnswer, Freshness, Origin, Question, Vote, Witness,
        store::Scope,
        tests::{answer, config, partition, question, quoted, site},
    },
    clock,
    config::{Secret, Store, StoreMode},
    domain::{PrincipalId, Timestamp},
    redis::{Handle, Redis},
};

fn redis_url() -> Option<String> {
    let url = std::env::var("RUSHDESK_TEST_REDIS_URL").ok();
    if url.is_none() {
        assert!(std::env::var("CI").is_err(), "RUSHDESK_TEST_REDIS_URL must be set under CI");
        println!("RUSHDESK_TEST_REDIS_URL is not set: nothing is tested");
    }
    url
}

fn store(url: &str, prefix: &str) -> Store {
    Store {
        mode: StoreMode::Distributed,
        mysql_url: Secret::default(),
        redis_url: Secret::new(url),
        redis_prefix: prefix.to_owned(),
        redis_timeout: Duration::from_millis(500),
        archive_timeout: Duration::from_secs(1),
        redis_pool: 1,
        archive_pool: 1,
        commit_batch: 1,
        beat: Duration::from_secs(1),
        dead_after: Duration::from_secs(10),
    }
}

/// A replica: one cache and its replication.
struct Replica {
    cache: Cache,
    replication: Replication,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Replica {
    fn start(url: &str, prefix: &str) -> Self {
        let cache = Cache::new(&config());
        let (tracker, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let replication =
            Replication::start(cache.clone(), &store(url, prefix), &tracker, shutdown.clone())
                .unwrap();
        Self { cache, replication, tracker, shutdown }
    }

    async fn warm(url: &str, prefix: &str) -> (Self, usize) {
        let replica = Self::start(url, prefix);
        let count =
            replica.replication.warm(Instant::now() + Duration::from_secs(5)).await.unwrap();
        (replica, count)
    }

    fn put(&self, asked: &Question, text: &str, made_at: Timestamp) {
        let answer = CachedAnswer { made_at, ..answer(text) };
        let (origin, vector) = (quoted(&answer), Some(vec![1.0, 0.0].into()));
        self.cache.put(&partition(), asked, vector, answer, origin, clock::now());
    }

    /// A visitor got this answer from the model here, without a look at what others got.
    fn written(&self, asked: &Question, text: &str) {
        let answer = CachedAnswer { made_at: clock::now(), ..answer(text) };
        let by = Witness::new(PrincipalId::new(), None);
        let origin = Origin::Written(Vote { by, message: answer.message_id });
        self.cache.put(&partition(), asked, None, answer, origin, clock::now());
    }

    fn text(&self, asked: &Question) -> Option<String> {
        self.cache
            .exact(&partition(), asked, Freshness::Fresh, clock::now())
            .map(|hit| hit.answer.text.clone())
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.tracker.close();
        tokio::time::timeout(Duration::from_secs(3), self.tracker.wait()).await.unwrap();
    }
}

/// Waits for what replicas promise within a second.
async fn soon(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while !check() {
        assert!(Instant::now() < deadline, "not within a second: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn prefix() -> String {
    format!("test-{}", Uuid::new_v4())
}

async fn raw(url: &str) -> Handle {
    Redis::open(&store(url, "")).unwrap().dedicated(Duration::ZERO).await.unwrap()
}

async fn keys_of(url: &str, prefix: &str) -> Vec<String> {
    cmd("KEYS").arg(format!("{prefix}:*")).query_async(&mut raw(url).await).await.unwrap()
}

fn ask() -> Question {
    question("do you ship to Canada")
}

#[tokio::test]
async fn an_entry_reaches_the_other_replica_and_a_purge_takes_it_away_there() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let ((a, _), (b, _)) = tokio::join!(Replica::warm(&url, &prefix), Replica::warm(&url, &prefix));
    a.put(&ask(), "Yes.", clock::now());
    soon("the entry is on the other replica", || b.text(&ask()).as_deref() == Some("Yes.")).await;
    let similar = question("is shipping to Canada possible");
    assert!(
        b.cache
            .semantic(&partition(), &similar, &[1.0, 0.0], Freshness::Fresh, clock::now())
            .is_some()
    );

    let purged_at = clock::now();
    assert_eq!(b.cache.purge_document(&site("shop"), "faq", purged_at), 1);
    soon("the purge is on the first replica", || a.text(&ask()).is_none()).await;
    a.put(&ask(), "stale", Timestamp::from_millis(purged_at.as_millis() - 1));
    assert_eq!(a.text(&ask()), None, "an answer that was begun before the purge stays out");
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn an_entry_without_trust_is_gone_everywhere_and_after_a_restart() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let ((a, _), (b, _)) = tokio::join!(Replica::warm(&url, &prefix), Replica::warm(&url, &prefix));
    a.put(&ask(), "wrong", clock::now());
    soon("the entry is on the other replica", || b.text(&ask()).is_some()).await;
    let id = b
        .cache
        .exact(&partition(), &ask(), Freshness::Fresh, clock::now())
        .unwrap()
        .answer
        .message_id;
    b.cache.distrust(id, clock::now());
    soon("the first replica does not trust it either", || a.text(&ask()).is_none()).await;
    let (c, count) = Replica::warm(&url, &prefix).await;
    assert_eq!((count, c.text(&ask())), (0, None));
    for replica in [a, b, c] {
        replica.stop().await;
    }
}

#[tokio::test]
async fn answers_made_for_an_erased_person_leave_redis_also_if_no_replica_has_them() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let (a, _) = Replica::warm(&url, &prefix).await;
    let (person, other) = (PrincipalId::new(), PrincipalId::new());
    let put = |words: &str, text: &str, person| {
        let answer = CachedAnswer { made_for: Some(person), made_at: clock::now(), ..answer(text) };
        let origin = quoted(&answer);
        a.cache.put(&partition(), &question(words), None, answer, origin, clock::now());
    };
    put("one", "quokkaberry", person);
    put("two", "quokkaberry", person);
    put("three", "wolfberry", other);
    let texts = async || {
        let mut raw = raw(&url).await;
        let mut texts = Vec::new();
        for key in keys_of(&url, &prefix).await.iter().filter(|key| key.contains(":entry:")) {
            let text: Option<String> = cmd("GET").arg(key).query_async(&mut raw).await.unwrap();
            texts.extend(text);
        }
        texts
    };
    soon("all are sent", || a.cache.shared.outbox.is_empty()).await;
    assert_eq!(texts().await.len(), 3);
    // As after an eviction.
    a.cache.write().clear();
    a.cache.forget(person, clock::now());
    soon("it is sent", || a.cache.forget(person, clock::now())).await;
    let left = texts().await;
    assert!(left.len() == 1 && left[0].contains("wolfberry"), "{left:?}");
    let keys = keys_of(&url, &prefix).await;
    assert!(!keys.iter().any(|key| key.contains(&format!(":person:{person}"))), "{keys:?}");
    // One that comes late is not taken.
    put("one", "quokkaberry", person);
    assert_eq!(a.text(&question("one")), None);
    // Neither by a replica that starts now.
    let (b, count) = Replica::warm(&url, &prefix).await;
    assert_eq!(count, 1);
    assert!(b.cache.read().has_purged(&Scope::Person(person)));
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn votes_and_doubts_of_all_replicas_count_together() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let ((a, _), (b, _)) = tokio::join!(Replica::warm(&url, &prefix), Replica::warm(&url, &prefix));
    // At the same moment: neither replica knows of the other vote.
    a.written(&ask(), "Yes.");
    b.written(&ask(), "Yes.");
    soon("the votes met", || a.text(&ask()).is_some() && b.text(&ask()).is_some()).await;
    let sent = |replica: &Replica| replica.cache.shared.outbox.is_empty();
    soon("everything is sent", || sent(&a) && sent(&b)).await;
    let (c, count) = Replica::warm(&url, &prefix).await;
    assert_eq!((count, c.text(&ask()).as_deref()), (1, Some("Yes.")));
    a.written(&ask(), "All is free.");
    soon("everything is sent", || sent(&a)).await;
    let replicas = [a, b, c];
    for replica in &replicas {
        assert_eq!(replica.text(&ask()).as_deref(), Some("Yes."));
    }
    let message = |replica: &Replica| {
        let hit = replica.cache.exact(&partition(), &ask(), Freshness::Fresh, clock::now());
        hit.unwrap().answer.message_id
    };
    // One doubt on each of two replicas, at the same moment.
    for replica in &replicas[..2] {
        let by = Witness::new(PrincipalId::new(), None);
        replica.cache.doubt(message(replica), by, clock::now());
        assert!(replica.text(&ask()).is_some());
    }
    for replica in &replicas {
        soon("two doubts are enough", || replica.text(&ask()).is_none()).await;
    }
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test]
async fn a_new_replica_warms_itself_and_a_purge_holds_after_a_restart() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let (a, count) = Replica::warm(&url, &prefix).await;
    assert_eq!(count, 0);
    let made_at = clock::now();
    for n in 0..300 {
        a.put(&question(&format!("topic{n}")), "x", made_at);
    }
    a.put(&ask(), "Yes.", made_at);
    a.stop().await;
    let (b, count) = Replica::warm(&url, &prefix).await;
    assert_eq!(count, 100, "as many as a replica may hold, the latest first");
    assert!(b.cache.purge_all(&site("shop"), clock::now()) >= 99);
    b.stop().await;
    let (c, count) = Replica::warm(&url, &prefix).await;
    assert_eq!((count, c.text(&ask())), (0, None));
    c.put(&ask(), "stale", made_at);
    assert_eq!(c.text(&ask()), None);
    c.stop().await;
}

#[tokio::test]
async fn every_key_expires_and_the_shared_entries_are_bounded() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let (a, _) = Replica::warm(&url, &prefix).await;
    for n in 0..250 {
        a.put(&question(&format!("topic{n}")), "x", clock::now());
    }
    a.cache.purge_tag(&site("shop"), "nothing", clock::now());
    a.stop().await;
    let keys = keys_of(&url, &prefix).await;
    assert!(keys.len() > 50 && keys.len() <= config().max_entries + 3, "{}", keys.len());
    let mut connection = raw(&url).await;
    for key in keys {
        assert!(key.contains("{cache}"));
        let left: i64 = cmd("PTTL").arg(&key).query_async(&mut connection).await.unwrap();
        assert!(left > 0, "{key} has no expiry");
        let limit = i64::try_from((config().ttl + config().stale).as_millis()).unwrap() * 2;
        assert!(left <= limit, "{key} lives {left} ms");
    }
}

#[tokio::test]
async fn a_replica_that_lost_the_thread_reads_everything_anew() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let Some(proxy) = Proxy::start(&url).await else { return };
    let (a, _) = Replica::warm(&url, &prefix).await;
    let (b, _) = Replica::warm(&proxy.url, &prefix).await;
    a.put(&ask(), "Yes.", clock::now());
    soon("the entry is on the other replica", || b.text(&ask()).is_some()).await;

    // While `b` is cut off, the entry goes and the log loses the record that says so.
    proxy.cut(true);
    a.cache.purge_tag(&site("shop"), "shipping", clock::now());
    a.put(&question("topic1"), "x", clock::now());
    soon("the purge is shared", || a.cache.shared.outbox.is_empty()).await;
    let log = format!("{prefix}:{{cache}}:log");
    let trim: usize =
        cmd("XTRIM").arg(log).arg("MAXLEN").arg(1).query_async(&mut raw(&url).await).await.unwrap();
    assert!(trim >= 1);
    assert!(b.text(&ask()).is_some(), "a replica that is cut off goes on with what it has");

    proxy.cut(false);
    eventually("the purge was found by reading anew", || b.text(&ask()).is_none()).await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn without_redis_the_cache_works_alone_and_catches_up_later() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let Some(proxy) = Proxy::start(&url).await else { return };
    let (a, _) = Replica::warm(&url, &prefix).await;
    let (b, _) = Replica::warm(&proxy.url, &prefix).await;
    let pay = question("can I pay by card");
    a.put(&pay, "Yes.", clock::now());
    soon("the entry is on the other replica", || b.text(&pay).is_some()).await;

    proxy.cut(true);
    b.put(&ask(), "alone", clock::now());
    assert_eq!(b.text(&ask()).as_deref(), Some("alone"));
    a.put(&question("topic1"), "x", clock::now());
    let entry = b
        .cache
        .exact(&partition(), &pay, Freshness::Fresh, clock::now())
        .unwrap()
        .answer
        .message_id;
    b.cache.distrust(entry, clock::now());

    proxy.cut(false);
    eventually("both know what the other did", || {
        a.text(&ask()).is_some() && b.text(&question("topic1")).is_some() && a.text(&pay).is_none()
    })
    .await;
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn purges_are_told_again_after_redis_lost_everything() {
    let Some(url) = redis_url() else { return };
    let prefix = prefix();
    let Some(proxy) = Proxy::start(&url).await else { return };
    let (a, _) = Replica::warm(&proxy.url, &prefix).await;
    let made_at = clock::now();
    a.put(&ask(), "Yes.", made_at);
    a.cache.purge_document(&site("shop"), "faq", clock::now());
    soon("the purge is shared", || a.cache.shared.outbox.is_empty()).await;
    proxy.cut(true);
    let keys = keys_of(&url, &prefix).await;
    let _: usize = cmd("DEL").arg(keys).query_async(&mut raw(&url).await).await.unwrap();
    proxy.cut(false);
    let mut connection = raw(&url).await;
    let deadline = Instant::now() + Duration::from_secs(6);
    loop {
        let purges = format!("{prefix}:{{cache}}:purges");
        let known: usize = cmd("ZCARD").arg(purges).query_async(&mut connection).await.unwrap();
        if known == 1 {
            break;
        }
        assert!(Instant::now() < deadline, "the purge was not told again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (b, _) = Replica::warm(&url, &prefix).await;
    b.put(&ask(), "stale", made_at);
    assert_eq!(b.text(&ask()), None);
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn a_start_without_redis_ends_its_wait_at_the_deadline() {
    let proxy = Proxy::start("redis://127.0.0.1:1/0").await.unwrap();
    proxy.cut(true);
    let replica = Replica::start(&proxy.url, "test");
    let wait = replica.replication.warm(Instant::now() + Duration::from_millis(50)).await;
    assert!(matches!(wait, Err(ReplicationError::Late)));
    replica.put(&ask(), "alone", clock::now());
    assert_eq!(replica.text(&ask()).as_deref(), Some("alone"));
    replica.stop().await;
}

/// As [`soon`], for what also needs a new connection.
async fn eventually(what: &str, check: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(6);
    while !check() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A wire to Redis that can be cut.
struct Proxy {
    url: String,
    is_cut: watch::Sender<bool>,
    _tasks: TaskTracker,
}

impl Proxy {
    /// `None` for a cluster: its nodes name each other, so nobody stays on the wire.
    async fn start(url: &str) -> Option<Self> {
        let Some(rest) = url.strip_prefix("redis://") else {
            println!("not run: only one server can be cut off");
            return None;
        };
        let target = rest.split('/').next().unwrap().to_owned();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url.replace(&target, &listener.local_addr().unwrap().to_string());
        let (is_cut, watched) = watch::channel(false);
        let tasks = TaskTracker::new();
        let wires = tasks.clone();
        tasks.spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, mut watched) = (target.clone(), watched.clone());
                wires.spawn(async move {
                    if *watched.borrow() {
                        return;
                    }
                    let Ok(mut far) = tokio::net::TcpStream::connect(target).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = watched.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Some(Self { url, is_cut, _tasks: tasks })
    }

    fn cut(&self, cut: bool) {
        self.is_cut.send_replace(cut);
    }
}

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    domain::{Append, Appended, RunningChange},
    hot::HotStore,
    journal::{Archivist, ArchivistStatus},
};

/// No wait of a test is longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Puts what `batch` holds into the hot store, one event at a time.
async fn heat(hot: &HotStore, batch: &SessionCopy) {
    let meta = SessionMeta { last_seq: 0, ..batch.meta.clone() };
    hot.create(&meta).await.unwrap();
    for event in &batch.events {
        let record =
            batch.idempotency.iter().find(|record| record.key == format!("k{}", event.seq));
        let append = Append {
            meta: SessionMeta { last_seq: event.seq, ..batch.meta.clone() },
            expected_seq: event.seq - 1,
            events: vec![event.clone()],
            idempotency: record.cloned(),
            running: RunningChange::Keep,
        };
        assert_eq!(hot.append(&append).await.unwrap(), Appended::Done);
    }
}

async fn count_dirty(hot: &HotStore) -> usize {
    let mut count = 0;
    for shard in 0..hot.shards() {
        count += hot.dirty(shard, 1_000).await.unwrap().len();
    }
    count
}

on_both! {
    async fn what_is_hot_reaches_the_archive_once_and_whole(archive) {
        let hot = Arc::new(HotStore::memory());
        let batches: Vec<_> = (0..120).map(|n| batch(1 + n % 3, "hello")).collect();
        for batch in &batches {
            heat(&hot, batch).await;
        }
        let archivist = Archivist::new(hot.clone(), archive.clone(), &settings());
        archivist.flush_all().await.unwrap();
        assert_eq!(count_dirty(&hot).await, 0);
        assert_eq!(archivist.status(), ArchivistStatus::default());
        for batch in &batches {
            assert_eq!(archive.events(batch.meta.id, 0, 100).await.unwrap(), batch.events);
            assert_eq!(archive.session(batch.meta.id).await.unwrap().unwrap(), batch.meta);
            assert!(archive.idempotency(batch.meta.id, "k1").await.unwrap().is_some());
        }
    }

    async fn a_session_that_went_on_in_two_places_is_merged_and_keeps_no_other_back(archive) {
        let hot = Arc::new(HotStore::memory());
        let mut mine = batch(1, "hello");
        let mut theirs = mine.clone();
        ask(&mut mine, "mine");
        ask(&mut theirs, "theirs");
        theirs.idempotency[1].key = "theirs".into();
        archive.commit(&[mine.clone()]).await.unwrap();
        let fine: Vec<_> = (0..5).map(|_| batch(1, "fine")).collect();
        heat(&hot, &theirs).await;
        for batch in &fine {
            heat(&hot, batch).await;
        }
        let archivist = Archivist::new(hot.clone(), archive.clone(), &settings());
        archivist.flush_all().await.unwrap();
        assert_eq!((count_dirty(&hot).await, archivist.status().backlog), (0, 0));
        for batch in &fine {
            assert_eq!(archive.events(batch.meta.id, 0, 10).await.unwrap(), batch.events);
        }
        let merged = archive.events(mine.meta.id, 0, 10).await.unwrap();
        assert_eq!(merged[..3], mine.events);
        assert_eq!(merged[3].turn_id, theirs.events[2].turn_id);
        assert_eq!(hot.load(mine.meta.id, 10).await.unwrap().unwrap().events, merged);
    }

    async fn archivists_of_two_replicas_do_no_harm_to_each_other(archive) {
        let hot = Arc::new(HotStore::memory());
        let batches: Vec<_> = (0..80).map(|_| batch(1, "shared")).collect();
        for batch in &batches {
            heat(&hot, batch).await;
        }
        let archivist = || Archivist::new(hot.clone(), archive.clone(), &settings());
        let (one, two) = (archivist(), archivist());
        let (one, two) = tokio::join!(one.flush_all(), two.flush_all());
        one.and(two).unwrap();
        for batch in &batches {
            assert_eq!(archive.events(batch.meta.id, 0, 10).await.unwrap(), batch.events);
        }
    }
}

#[tokio::test]
async fn while_the_archive_is_away_nothing_leaves_the_hot_store() {
    let hot = Arc::new(HotStore::memory());
    let store =
        config::Store { mysql_url: Secret::new("mysql://root@127.0.0.1:1/test"), ..settings() };
    let archive = Archive::connect_mysql(&store).unwrap();
    let archivist = Archivist::new(hot.clone(), archive, &store);
    for _ in 0..3 {
        heat(&hot, &batch(1, "waits")).await;
    }
    archivist.flush_all().await.unwrap_err();
    let status = archivist.status();
    assert_eq!((status.backlog, status.last_error), (3, Some("archive_unavailable")));
    assert_eq!(count_dirty(&hot).await, 3);
}

#[tokio::test]
async fn the_background_ends_at_once_and_the_last_flush_brings_what_came_last() {
    with_sqlite(async |archive| {
        let hot = Arc::new(HotStore::memory());
        let archivist = Archivist::new(hot.clone(), archive.clone(), &settings());
        let shutdown = CancellationToken::new();
        let batch = batch(1, "goodbye");
        let work = async {
            heat(&hot, &batch).await;
            shutdown.cancel();
        };
        tokio::join!(archivist.run(shutdown.clone()), work);
        assert!(archivist.flush_last(Instant::now() + PATIENCE).await);
        assert_eq!(archive.events(batch.meta.id, 0, 10).await.unwrap(), batch.events);
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_until_others_have_nothing_more_to_flush() {
    with_sqlite(async |archive| {
        let hot = Arc::new(HotStore::memory());
        let archivist = Archivist::new(hot.clone(), archive, &settings());
        heat(&hot, &batch(1, "first")).await;
        let busy = async {
            loop {
                heat(&hot, &batch(1, "and another")).await;
                tokio::task::yield_now().await;
            }
        };
        let last = archivist.flush_last(Instant::now() + Duration::from_millis(200));
        tokio::select! {
            flushed = tokio::time::timeout(PATIENCE, last) => assert_eq!(flushed, Ok(false)),
            () = busy => {}
        }
        assert!(count_dirty(&hot).await > 0);
    })
    .await;
}

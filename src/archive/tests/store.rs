use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::net::TcpListener;

use super::*;
use crate::archive::{ArchiveError, handle::Store, query::read};

on_both! {
    async fn migrating_again_applies_nothing(archive) {
        assert!(archive.migrate().await.unwrap().is_empty());
        archive.ping().await.unwrap();
    }

    async fn steps_that_nobody_waits_for_are_all_taken_or_none(archive) {
        for micros in [1, 50, 200, 800, 2_000, 5_000, 10_000] {
            let talk = Talk::of(20, "half");
            let left = archive.advance(talk.steps().into());
            let _ = tokio::time::timeout(Duration::from_micros(micros), left).await;
            // The same steps wait for whatever is still going on.
            archive.advance(talk.steps().into()).await.unwrap();
            let stored = archive.stored(talk.id(), 100).await.unwrap().unwrap();
            assert_eq!((stored.version, stored.events), (talk.version, talk.events));
        }
    }

    async fn readers_at_once_share_a_few_connections(archive) {
        let talk = Talk::of(1, "popular");
        keep(&archive, [&talk]).await;
        let reads = (0..100).map(|_| archive.session(talk.meta.id));
        for read in futures_util::future::join_all(reads).await {
            assert_eq!(read.unwrap().unwrap(), talk.meta);
        }
    }
}

#[tokio::test]
async fn a_first_migration_names_what_it_applied_and_a_restart_finds_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    let talk = Talk::of(1, "still here");
    let archive = Archive::open_sqlite(&path, &settings()).await.unwrap();
    assert!(!archive.migrate().await.unwrap().is_empty());
    keep(&archive, [&talk]).await;
    drop(archive);
    let archive = Archive::open_sqlite(&path, &settings()).await.unwrap();
    assert!(archive.migrate().await.unwrap().is_empty());
    assert_eq!(archive.events(talk.meta.id, 0, 10).await.unwrap(), talk.events);
}

impl Archive {
    /// Makes the disk of an SQLite archive as small as this, or as what is there already.
    pub(crate) async fn limit_pages(&self, pages: u32) {
        let Store::Sqlite { writer, .. } = &self.store else { unreachable!() };
        let mut lease = writer.take().await.unwrap();
        let pragma = format!("PRAGMA max_page_count = {pages}");
        let outcome = lease.connection.batch_execute(&pragma).await;
        writer.settle(lease, outcome).unwrap();
    }

    /// From now on a commit does not wait until it is on disk.
    pub(crate) async fn do_not_sync(&self) {
        let Store::Sqlite { writer, .. } = &self.store else { unreachable!() };
        let mut lease = writer.take().await.unwrap();
        let outcome = lease.connection.batch_execute("PRAGMA synchronous = OFF").await;
        writer.settle(lease, outcome).unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_reading_goes_on() {
    with_sqlite(async |archive| {
        let small = Talk::of(1, "fits");
        keep(&archive, [&small]).await;
        archive.limit_pages(100).await;
        let large = Talk::of(1, &"x".repeat(400_000));
        let outcome = archive.advance(large.steps().into()).await;
        assert_eq!(outcome, Err(ArchiveError::Full));
        assert_eq!(archive.session(large.meta.id).await.unwrap(), None, "nothing of it is kept");
        assert_eq!(archive.events(small.meta.id, 0, 10).await.unwrap(), small.events);
        archive.limit_pages(1_000_000).await;
        keep(&archive, [&large]).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_writer_ends_in_time() {
    with_sqlite(async |archive| {
        let Store::Sqlite { writer, .. } = &archive.store else { unreachable!() };
        let lease = writer.take().await.unwrap();
        let outcome = archive.advance(Talk::of(1, "waits").steps().into()).await;
        assert_eq!(outcome, Err(ArchiveError::Timeout));
        drop(lease);
        keep(&archive, [&Talk::of(1, "goes on")]).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_one_that_is_frozen_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = config::Store {
        mysql_url: Secret::new(format!("mysql://root:hush@{address}/test")),
        archive_timeout: Duration::from_millis(200),
        ..settings()
    };
    // It accepts and never says a word.
    let archive = Archive::connect_mysql(&store).unwrap();
    assert!(matches!(
        archive.ping().await,
        Err(ArchiveError::Timeout | ArchiveError::Unavailable(_))
    ));
    drop(listener);
    let error = Archive::connect_mysql(&store).unwrap().migrate().await.unwrap_err();
    assert_eq!(error.as_str(), "unavailable");
    assert!(!error.to_string().contains("hush"));
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    with_mysql(async |archive| {
        futures_util::future::join_all((0..8).map(|_| archive.ping())).await;
        let Store::Mysql(pool) = &archive.store else { unreachable!() };
        let mut lease = pool.take().await.unwrap();
        let killed = lease.connection.batch_execute("KILL CONNECTION_ID()").await;
        assert_eq!(pool.settle(lease, killed).unwrap_err().as_str(), "unavailable");
        archive.ping().await.unwrap();
        let cut = read!(&archive, |conn| {
            diesel::sql_query("SELECT nothing FROM nowhere").execute(conn).await
        });
        assert_eq!(cut.unwrap_err().as_str(), "rejected");
        archive.ping().await.unwrap();
    })
    .await;
}

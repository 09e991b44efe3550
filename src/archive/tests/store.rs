use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio::net::TcpListener;

use super::*;
use crate::archive::{ArchiveError, handle::Store, query::read};

on_both! {
    async fn migrating_again_applies_nothing(archive) {
        assert!(archive.migrate().await.unwrap().is_empty());
        archive.ping().await.unwrap();
    }

    async fn a_commit_that_nobody_waits_for_is_whole_or_absent(archive) {
        for micros in [1, 50, 200, 800, 2_000, 5_000, 10_000] {
            let batch = batch(20, "half");
            let _ = tokio::time::timeout(Duration::from_micros(micros), archive.commit(std::slice::from_ref(&batch))).await;
            // The next commit of the session waits for whatever is still going on.
            archive.commit(std::slice::from_ref(&batch)).await.unwrap();
            assert_eq!(archive.events(batch.meta.id, 0, 100).await.unwrap(), batch.events);
        }
    }

    async fn readers_at_once_share_a_few_connections(archive) {
        let batch = batch(1, "popular");
        archive.commit(std::slice::from_ref(&batch)).await.unwrap();
        let reads = (0..100).map(|_| archive.session(batch.meta.id));
        for read in futures_util::future::join_all(reads).await {
            assert_eq!(read.unwrap().unwrap(), batch.meta);
        }
    }
}

#[tokio::test]
async fn a_first_migration_names_what_it_applied_and_a_restart_finds_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    let batch = batch(1, "still here");
    let archive = Archive::open_sqlite(&path, &settings()).await.unwrap();
    assert!(!archive.migrate().await.unwrap().is_empty());
    archive.commit(std::slice::from_ref(&batch)).await.unwrap();
    drop(archive);
    let archive = Archive::open_sqlite(&path, &settings()).await.unwrap();
    assert!(archive.migrate().await.unwrap().is_empty());
    assert_eq!(archive.events(batch.meta.id, 0, 10).await.unwrap(), batch.events);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    std::fs::write(&path, "not a database, but long enough to be looked at ".repeat(50)).unwrap();
    let error = Archive::open_sqlite(&path, &settings()).await.unwrap_err();
    assert_eq!(error.as_str(), "corrupt", "{error}");
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
}

#[tokio::test]
async fn a_full_disk_is_told_apart_and_reading_goes_on() {
    with_sqlite(async |archive| {
        let small = batch(1, "fits");
        archive.commit(std::slice::from_ref(&small)).await.unwrap();
        archive.limit_pages(100).await;
        let large = batch(1, &"x".repeat(400_000));
        let outcome = archive.commit(std::slice::from_ref(&large)).await;
        assert_eq!(outcome, Err(ArchiveError::Full));
        assert_eq!(archive.session(large.meta.id).await.unwrap(), None, "nothing of it is kept");
        assert_eq!(archive.events(small.meta.id, 0, 10).await.unwrap(), small.events);
        archive.limit_pages(1_000_000).await;
        archive.commit(std::slice::from_ref(&large)).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_writer_ends_in_time() {
    with_sqlite(async |archive| {
        let Store::Sqlite { writer, .. } = &archive.store else { unreachable!() };
        let lease = writer.take().await.unwrap();
        let outcome = archive.commit(&[batch(1, "waits")]).await;
        assert_eq!(outcome, Err(ArchiveError::Timeout));
        drop(lease);
        archive.commit(&[batch(1, "goes on")]).await.unwrap();
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

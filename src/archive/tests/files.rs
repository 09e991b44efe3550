//! What stands in the files of an SQLite archive, and which files are refused.

use std::{
    fs,
    path::{Path, PathBuf},
};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};

use super::*;
use crate::archive::ArchiveError;

const FILES: [&str; 3] = ["archive.db", "archive.db-wal", "archive.db-shm"];

/// How often these bytes stand in the files of a database.
fn found(folder: &Path, text: &str) -> usize {
    let count = |name: &str| {
        let bytes = fs::read(folder.join(name)).unwrap_or_default();
        bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    };
    FILES.into_iter().map(count).sum()
}

async fn open(folder: &Path) -> Result<Archive, ArchiveError> {
    Archive::open_sqlite(&folder.join("archive.db"), &settings()).await
}

async fn made(folder: &Path) -> Archive {
    let archive = open(folder).await.unwrap();
    archive.migrate().await.unwrap();
    archive
}

#[tokio::test]
async fn a_new_database_is_readable_by_its_owner_only_in_any_folder() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let archive = made(folder.path()).await;
    keep(&archive, [&Talk::of(3, "hello")]).await;
    for name in FILES {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// A text of some length in which one word stands again and again.
fn text(word: &str, length: usize) -> String {
    format!("{word} ").repeat(length / word.len() + 1)
}

#[tokio::test]
async fn no_byte_of_an_erased_session_stays_in_a_file_however_pages_were_split() {
    let folder = tempfile::tempdir().unwrap();
    let archive = made(folder.path()).await;
    archive.do_not_sync().await;
    let lengths = [20, 300, 1_500, 9_000, 40, 5_000];
    let mut talks: Vec<(String, Talk)> = Vec::new();
    for _ in 0..24 {
        let talk = Talk::new();
        talks.push((format!("quokka-{}", talk.id()), talk));
    }
    keep(&archive, talks.iter().map(|(_, talk)| talk)).await;
    // Rows of all sessions stand next to each other, and pages are split between them.
    for round in 0..12 {
        for (nth, (word, talk)) in talks.iter_mut().enumerate() {
            let text = text(word, lengths[(round + nth) % lengths.len()]);
            let key = format!("{word}-{round}");
            talk.add(TurnId::new(), [question(&text), answer(&text)], Some(&key));
            assert_eq!(super::talk::take(&archive, talk.last()).await, talk.done());
        }
    }
    for (word, talk) in &talks[..12] {
        assert!(found(folder.path(), word) > 0);
        archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
        assert!(archive.scrub().await.unwrap());
        assert_eq!(found(folder.path(), word), 0, "something of it is left");
    }
    for (word, talk) in &talks[12..] {
        assert!(found(folder.path(), word) > 0);
        assert_eq!(archive.events(talk.id(), 0, 100).await.unwrap(), talk.events);
    }
}

#[tokio::test]
async fn a_copy_that_another_process_still_reads_is_removed_later() {
    let folder = tempfile::tempdir().unwrap();
    let archive = made(folder.path()).await;
    let talk = Talk::of(1, "quokkaberry");
    keep(&archive, [&talk]).await;
    let path = folder.path().join("archive.db").display().to_string();
    let mut reader = SqliteConnection::establish(&path).unwrap();
    reader.batch_execute("BEGIN; SELECT COUNT(*) FROM events").unwrap();
    archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
    assert!(!archive.scrub().await.unwrap());
    assert!(found(folder.path(), "quokkaberry") > 0);
    reader.batch_execute("COMMIT").unwrap();
    archive.scrub_again().await.unwrap();
    assert_eq!(found(folder.path(), "quokkaberry"), 0);
    // What a killed process left is removed by the next one.
    let talk = Talk::of(1, "wolfberry");
    keep(&archive, [&talk]).await;
    archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    copy_to(folder.path(), copy.path());
    assert!(found(copy.path(), "wolfberry") > 0);
    open(copy.path()).await.unwrap().scrub_again().await.unwrap();
    assert_eq!(found(copy.path(), "wolfberry"), 0);
}

/// The files as a killed process leaves them.
fn copy_to(from: &Path, to: &Path) {
    for name in &FILES[..2] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// A database with a log that is not empty.
async fn killed() -> (tempfile::TempDir, Vec<Talk>) {
    let folder = tempfile::tempdir().unwrap();
    let archive = made(folder.path()).await;
    archive.scrub().await.unwrap();
    let talks: Vec<Talk> = (0..20).map(|_| Talk::of(4, &"hello ".repeat(400))).collect();
    keep(&archive, &talks[..10]).await;
    archive.scrub().await.unwrap();
    keep(&archive, &talks[10..]).await;
    let copy = tempfile::tempdir().unwrap();
    copy_to(folder.path(), copy.path());
    assert!(fs::metadata(copy.path().join(FILES[1])).unwrap().len() > 0);
    (copy, talks)
}

async fn refused(folder: &Path, why: &str) {
    let before: Vec<_> = FILES[..2].iter().map(|name| fs::read(folder.join(name)).ok()).collect();
    let error = open(folder).await.unwrap_err();
    assert_eq!(error.as_str(), "corrupt", "{why}: {error}");
    assert!(error.to_string().contains(why), "{why}: {error}");
    let after: Vec<_> = FILES[..2].iter().map(|name| fs::read(folder.join(name)).ok()).collect();
    assert!(before == after, "{why}: nothing may change");
}

fn cut(path: &PathBuf, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[tokio::test]
async fn a_database_that_was_killed_is_opened_with_all_that_it_had() {
    let (folder, talks) = killed().await;
    let archive = open(folder.path()).await.unwrap();
    for talk in &talks {
        assert_eq!(archive.events(talk.id(), 0, 100).await.unwrap(), talk.events);
    }
    // Also in the middle of its growth, before and after its log was emptied.
    for _ in 0..6 {
        for talk in (0..4).map(|_| Talk::of(3, &"more ".repeat(900))) {
            keep(&archive, [&talk]).await;
            let copy = tempfile::tempdir().unwrap();
            copy_to(folder.path(), copy.path());
            let again = open(copy.path()).await.unwrap();
            assert_eq!(again.events(talk.id(), 0, 100).await.unwrap(), talk.events);
        }
        archive.scrub().await.unwrap();
    }
}

#[tokio::test]
async fn a_file_that_was_emptied_or_lost_beside_its_log_is_refused_and_the_log_is_kept() {
    let (folder, _) = killed().await;
    cut(&folder.path().join(FILES[0]), 0);
    refused(folder.path(), "the file is empty, but its -wal file has").await;
    fs::remove_file(folder.path().join(FILES[0])).unwrap();
    refused(folder.path(), "the file is missing, but its -wal file has").await;
    // Without a log it is a first start, perhaps one that was cut short.
    let empty = tempfile::tempdir().unwrap();
    fs::write(empty.path().join(FILES[0]), "").unwrap();
    made(empty.path()).await;
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_refused_wherever_that_happened() {
    for with_log in [true, false] {
        let (whole, _) = killed().await;
        if !with_log {
            open(whole.path()).await.unwrap().scrub().await.unwrap();
        }
        let length = fs::metadata(whole.path().join(FILES[0])).unwrap().len();
        for (cut_off, why) in [
            (1, "not an SQLite database"),
            (99, "not an SQLite database"),
            (100, "cut off"),
            (4_095, "cut off"),
            (4_096, "cut off"),
            (length / 2, "cut off"),
            (length - 4_096 * 3, "cut off"),
        ] {
            // The log may have the newest pages.
            if with_log && cut_off > length / 2 {
                continue;
            }
            let copy = tempfile::tempdir().unwrap();
            copy_to(whole.path(), copy.path());
            cut(&copy.path().join(FILES[0]), cut_off);
            refused(copy.path(), why).await;
        }
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_not_touched() {
    for content in [
        "x".repeat(10_000),
        "not a database, but long enough to be looked at ".repeat(50),
        "SQLite format 2\0".repeat(300),
        "PK\u{3}\u{4}".repeat(2_000),
        "{\"json\": true}".to_owned(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILES[0]), content).unwrap();
        refused(folder.path(), "not an SQLite database").await;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(FILES[0]), "SQLite format 3\0".repeat(300)).unwrap();
    refused(folder.path(), "the header of the file is damaged").await;
}

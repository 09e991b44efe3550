use super::*;
use crate::{archive::ArchiveError, domain::Appended, journal::JournalError};

#[tokio::test]
async fn a_full_disk_refuses_loses_nothing_and_takes_the_same_message_when_there_is_room() {
    let (_folder, archive) = archive().await;
    let journal = journal(&archive, Peers::alone("me/1".into()));
    let meta = meta();
    journal.create(&meta).await.unwrap();
    archive.limit_pages(1).await;
    let large = message(&meta, &"x".repeat(400_000));
    let refused = journal.append(&large).await.unwrap_err();
    assert!(matches!(refused, JournalError::Archive(ArchiveError::Full)), "{refused}");
    assert!(!refused.is_in_doubt());
    let opened = journal.open(meta.id).await.unwrap();
    assert_eq!((opened.version, opened.events), (Version::NEW, vec![]), "nothing of it is kept");
    archive.limit_pages(1_000_000).await;
    let Appended::Done(version) = journal.append(&large).await.unwrap() else { panic!() };
    let opened = journal.open(meta.id).await.unwrap();
    assert_eq!((opened.version, &opened.events), (version, &large.events));
    let again = Append { from: version, ..message(&opened.meta, "x") };
    let again = Append {
        meta: SessionMeta { last_seq: 2, ..again.meta },
        events: again.events.into_iter().map(|event| Event { seq: 2, ..event }).collect(),
        ..again
    };
    let replayed = Appended::Replayed(large.idempotency.unwrap());
    assert_eq!(journal.append(&again).await.unwrap(), replayed);
}

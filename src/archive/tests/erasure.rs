use super::{talk::take, *};
use crate::{
    archive::{Advanced, ArchiveError, AuditEntry, ErasureCounts, Erasures, RecordId},
    domain::Rating,
};

async fn assert_gone(archive: &Archive, talk: &Talk) {
    assert_eq!(archive.session(talk.id()).await.unwrap(), None);
    assert!(archive.stored(talk.id(), 10).await.unwrap().is_none());
    assert!(archive.events(talk.id(), 0, 10).await.unwrap().is_empty());
    assert_eq!(archive.idempotency(talk.id(), "k1").await.unwrap(), None);
    for event in &talk.events {
        let message = event.fact.message_id().unwrap();
        assert_eq!(archive.message_session(message).await.unwrap(), None);
    }
}

on_both! {
    async fn an_erased_session_stays_erased_whatever_comes_late(archive) {
        let mut talk = Talk::of(2, "my secret");
        let other = Talk::of(1, "stays");
        keep(&archive, [&talk, &other]).await;
        let feedback = super::feedback::rating(&talk, Rating::Up);
        archive.put_feedback(&feedback).await.unwrap();
        let entry = AuditEntry {
            id: RecordId::new(),
            site_id: site(),
            actor_id: PrincipalId::new(),
            actor_role: Role::Admin,
            action: "session.read".into(),
            target: talk.id().to_string(),
            detail: serde_json::json!({"note": "x"}),
            at: at(5),
        };
        archive.append_audit(&entry).await.unwrap();

        let owner = talk.meta.owner;
        assert_eq!(archive.erased_owner(talk.id()).await.unwrap(), None);
        let counts = archive.erase_session(talk.id(), owner).await.unwrap();
        assert_eq!(
            counts,
            ErasureCounts { events: 4, messages: 4, idempotency: 2, feedback: 1, tickets: 0, audit: 1 }
        );
        assert_eq!(archive.erased_owner(talk.id()).await.unwrap(), Some(owner));
        assert_gone(&archive, &talk).await;

        talk.ask("too late");
        let refused = vec![Advanced::Erased { owner }; 4];
        assert_eq!(archive.advance(talk.steps().into()).await.unwrap(), refused);
        assert_eq!(take(&archive, talk.last()).await, refused[0]);
        assert_eq!(take(&archive, talk.creation()).await, refused[0]);
        assert_eq!(archive.put_feedback(&feedback).await, Err(ArchiveError::Conflict));
        assert_gone(&archive, &talk).await;
        assert!(archive.feedback_of(talk.id()).await.unwrap().is_empty());
        let audit = archive.audit(&site(), None, 10).await.unwrap();
        assert_eq!(audit[0].detail, serde_json::Value::Null);
        assert_eq!(archive.events(other.id(), 0, 10).await.unwrap(), other.events);
        let again = archive.erase_session(talk.id(), owner).await.unwrap();
        assert_eq!(again.events, 0);
    }

    async fn a_session_may_be_erased_before_the_archive_has_seen_it(archive) {
        let talk = Talk::of(1, "late");
        let other = Talk::of(1, "lives");
        let counts = archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
        assert_eq!(counts, ErasureCounts::default());
        let steps = [talk.creation(), other.creation(), talk.last(), other.last()];
        let erased = Advanced::Erased { owner: talk.meta.owner };
        let taken = archive.advance(steps.into()).await.unwrap();
        assert_eq!(taken, [erased.clone(), Advanced::Done(Version::NEW), erased, other.done()]);
        assert_gone(&archive, &talk).await;
        assert_eq!(archive.events(other.id(), 0, 10).await.unwrap(), other.events);
    }

    async fn an_erasure_during_appends_leaves_nothing(archive) {
        for pause in 0..10 {
            let mut talk = Talk::new();
            keep(&archive, [&talk]).await;
            let (id, owner) = (talk.id(), talk.meta.owner);
            let erase = async {
                tokio::time::sleep(Duration::from_micros(300 * pause)).await;
                archive.erase_session(id, owner).await.unwrap();
            };
            let append = async {
                loop {
                    talk.add(TurnId::new(), [question("who"), answer("is first?")], None);
                    let taken = take(&archive, talk.last()).await;
                    if taken == (Advanced::Erased { owner }) {
                        break;
                    }
                    assert_eq!(taken, talk.done());
                }
            };
            // A session that is made at the same time is erased or never made.
            let late = Talk::of(1, "late");
            let (create, erase_late) = (
                archive.advance(late.steps().into()),
                archive.erase_session(late.id(), late.meta.owner),
            );
            let ((), (), created, erased) = tokio::join!(append, erase, create, erase_late);
            created.unwrap();
            erased.unwrap();
            assert_gone(&archive, &talk).await;
            assert_gone(&archive, &late).await;
        }
    }

    async fn the_newest_erasures_are_found_by_the_clock_of_the_archive(archive) {
        let (first, second) = (Talk::of(1, "first"), Talk::new());
        keep(&archive, [&first]).await;
        let (before, none) = archive.erased_since(at(0)).await.unwrap();
        assert_eq!(none, Erasures::default());
        for talk in [&first, &second] {
            archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
        }
        let (after, Erasures { sessions: mut found, customers }) =
            archive.erased_since(before).await.unwrap();
        assert!(customers.is_empty());
        found.sort_unstable();
        let mut erased = [first.id(), second.id()];
        erased.sort_unstable();
        assert_eq!(found, erased);
        let later = Timestamp::from_millis(after.as_millis() + 1);
        assert_eq!(archive.erased_since(later).await.unwrap().1, Erasures::default());
    }
}

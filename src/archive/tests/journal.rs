use super::*;
use crate::{
    archive::{ArchiveError, AuditEntry, ErasureCounts, Feedback, RecordId},
    domain::Rating,
};

fn rating(batch: &SessionCopy, rating: Rating) -> Feedback {
    Feedback {
        message_id: batch.events[1].fact.message_id().unwrap(),
        session_id: batch.meta.id,
        site_id: site(),
        principal_id: batch.meta.owner,
        rating,
        comment: Some("great 👍".into()),
        created_at: at(10),
        updated_at: at(10),
    }
}

on_both! {
    async fn a_committed_session_reads_back_as_it_was(archive) {
        let batch = batch(2, "Where is my parcel? 📦 أين طردي؟ \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}");
        archive.commit(std::slice::from_ref(&batch)).await.unwrap();
        let id = batch.meta.id;
        assert_eq!(archive.session(id).await.unwrap().unwrap(), batch.meta);
        assert_eq!(archive.events(id, 0, 100).await.unwrap(), batch.events);
        assert_eq!(archive.events(id, 1, 2).await.unwrap(), batch.events[1..3]);
        assert_eq!(archive.last_events(id, 3).await.unwrap(), batch.events[1..]);
        assert_eq!(archive.idempotency(id, "k3").await.unwrap().unwrap(), batch.idempotency[1]);
        assert_eq!(archive.idempotency(id, "K3").await.unwrap(), None, "keys compare exactly");
        let message = batch.events[2].fact.message_id().unwrap();
        assert_eq!(archive.message_session(message).await.unwrap(), Some(id));
        assert_eq!(archive.message_session(MessageId::new()).await.unwrap(), None);
        assert_eq!(archive.session(SessionId::new()).await.unwrap(), None);
    }

    async fn the_same_batch_twice_changes_nothing(archive) {
        let batch = batch(3, "hello");
        archive.commit(std::slice::from_ref(&batch)).await.unwrap();
        archive.commit(&[batch.clone(), batch.clone()]).await.unwrap();
        assert_eq!(archive.events(batch.meta.id, 0, 100).await.unwrap(), batch.events);
        assert_eq!(archive.session(batch.meta.id).await.unwrap().unwrap(), batch.meta);
        assert_eq!(archive.erase_session(batch.meta.id, batch.meta.owner).await.unwrap().messages, 6);
    }

    async fn a_journal_grows_by_overlapping_batches(archive) {
        let whole = batch(4, "hello");
        let upto = |last: usize| SessionCopy {
            meta: SessionMeta { last_seq: last as u64, updated_at: at(last as i64), ..whole.meta.clone() },
            events: whole.events[..last].to_vec(),
            idempotency: vec![],
        };
        archive.commit(&[upto(3)]).await.unwrap();
        archive.commit(&[SessionCopy { events: whole.events[1..6].to_vec(), ..upto(6) }]).await.unwrap();
        archive.commit(&[SessionCopy { events: whole.events[6..].to_vec(), ..upto(8) }]).await.unwrap();
        assert_eq!(archive.events(whole.meta.id, 0, 100).await.unwrap(), whole.events);
    }

    async fn what_is_known_of_a_session_never_goes_back(archive) {
        let newer = batch(2, "hello");
        let older = SessionCopy {
            meta: SessionMeta { last_seq: 2, updated_at: at(2), ..newer.meta.clone() },
            events: newer.events[..2].to_vec(),
            idempotency: vec![],
        };
        archive.commit(std::slice::from_ref(&newer)).await.unwrap();
        archive.commit(std::slice::from_ref(&older)).await.unwrap();
        assert_eq!(archive.session(newer.meta.id).await.unwrap().unwrap(), newer.meta);
        archive.commit(&[newer.clone(), older]).await.unwrap();
        assert_eq!(archive.session(newer.meta.id).await.unwrap().unwrap(), newer.meta);
        let closed = SessionMeta { state: SessionState::Closed, updated_at: at(99), ..newer.meta.clone() };
        archive.commit(&[SessionCopy { meta: closed.clone(), events: vec![], idempotency: vec![] }]).await.unwrap();
        assert_eq!(archive.session(newer.meta.id).await.unwrap().unwrap(), closed);
    }

    async fn another_fact_at_the_same_seq_is_a_conflict_and_nothing_of_it_is_kept(archive) {
        let mut mine = batch(1, "hello");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        let mut theirs = mine.clone();
        ask(&mut mine, "mine");
        archive.commit(std::slice::from_ref(&mine)).await.unwrap();
        ask(&mut theirs, "theirs");
        let other = batch(1, "innocent");
        let outcome = archive.commit(&[other.clone(), theirs]).await;
        assert_eq!(outcome, Err(ArchiveError::Conflict));
        assert_eq!(archive.events(mine.meta.id, 0, 100).await.unwrap(), mine.events);
        assert_eq!(archive.session(other.meta.id).await.unwrap(), None);
    }

    async fn a_turn_without_an_end_is_unfinished_until_it_has_one(archive) {
        let done = batch(1, "done");
        let mut open = batch(1, "open");
        let turn_id = ask(&mut open, "and then?");
        archive.commit(&[done, open.clone()]).await.unwrap();
        assert_eq!(archive.unfinished_turns(10).await.unwrap(), [open.meta.id]);
        let later = SessionCopy { events: vec![], idempotency: vec![], meta: SessionMeta { updated_at: at(50), ..open.meta.clone() } };
        archive.commit(&[later]).await.unwrap();
        assert_eq!(archive.unfinished_turns(10).await.unwrap(), [open.meta.id], "meta alone ends no turn");
        open.events.push(event(open.meta.id, 4, turn_id, Fact::TurnCancelled { message_id: MessageId::new(), text: String::new() }));
        open.meta.last_seq = 4;
        open.meta.updated_at = at(60);
        archive.commit(&[open]).await.unwrap();
        assert!(archive.unfinished_turns(10).await.unwrap().is_empty());
    }

    async fn sessions_of_an_owner_come_newest_first_page_by_page(archive) {
        let owner = PrincipalId::new();
        let mut batches: Vec<_> = (0..5).map(|_| batch(1, "hi")).collect();
        batches.iter_mut().for_each(|batch| batch.meta.owner = owner);
        batches.push(batch(1, "somebody else"));
        archive.commit(&batches).await.unwrap();
        let first = archive.sessions_of(owner, None, 3).await.unwrap();
        let rest = archive.sessions_of(owner, Some(first[2].id), 3).await.unwrap();
        let ids: Vec<_> = first.iter().chain(&rest).map(|meta| meta.id).collect();
        let expected: Vec<_> = batches[..5].iter().rev().map(|batch| batch.meta.id).collect();
        assert_eq!(ids, expected);
    }

    async fn an_erased_session_stays_erased(archive) {
        let batch = batch(2, "my secret");
        let other = super::super::batch(1, "stays");
        archive.commit(&[batch.clone(), other.clone()]).await.unwrap();
        archive.put_feedback(&rating(&batch, Rating::Up)).await.unwrap();
        let entry = AuditEntry {
            id: RecordId::new(),
            site_id: site(),
            actor_id: PrincipalId::new(),
            actor_role: Role::Admin,
            action: "session.read".into(),
            target: batch.meta.id.to_string(),
            detail: serde_json::json!({"note": "x"}),
            at: at(5),
        };
        archive.append_audit(&entry).await.unwrap();

        assert_eq!(archive.erased_owner(batch.meta.id).await.unwrap(), None);
        let counts = archive.erase_session(batch.meta.id, batch.meta.owner).await.unwrap();
        assert_eq!(counts, ErasureCounts { events: 4, messages: 4, idempotency: 2, feedback: 1, tickets: 0, audit: 1 });
        assert_eq!(archive.erased_owner(batch.meta.id).await.unwrap(), Some(batch.meta.owner));

        archive.commit(&[batch.clone(), other.clone()]).await.unwrap();
        assert_eq!(archive.put_feedback(&rating(&batch, Rating::Down)).await, Err(ArchiveError::Conflict));
        assert_eq!(archive.session(batch.meta.id).await.unwrap(), None);
        assert!(archive.events(batch.meta.id, 0, 10).await.unwrap().is_empty());
        assert_eq!(archive.idempotency(batch.meta.id, "k1").await.unwrap(), None);
        assert!(archive.feedback_of(batch.meta.id).await.unwrap().is_empty());
        assert_eq!(archive.audit(&site(), None, 10).await.unwrap()[0].detail, serde_json::Value::Null);
        assert_eq!(archive.events(other.meta.id, 0, 10).await.unwrap(), other.events);
    }

    async fn a_session_may_be_erased_before_the_archive_has_seen_it(archive) {
        let batch = batch(1, "late");
        let counts = archive.erase_session(batch.meta.id, batch.meta.owner).await.unwrap();
        assert_eq!(counts, ErasureCounts::default());
        archive.commit(std::slice::from_ref(&batch)).await.unwrap();
        assert_eq!(archive.session(batch.meta.id).await.unwrap(), None);
    }

    async fn an_erasure_during_flushes_leaves_nothing(archive) {
        for _ in 0..10 {
            let batch = batch(3, "race");
            let id = batch.meta.id;
            let flush = async {
                for _ in 0..5 {
                    archive.commit(std::slice::from_ref(&batch)).await.unwrap();
                }
            };
            let erase = async {
                tokio::task::yield_now().await;
                archive.erase_session(id, batch.meta.owner).await.unwrap();
            };
            tokio::join!(flush, erase);
            assert!(archive.events(id, 0, 10).await.unwrap().is_empty());
            assert_eq!(archive.session(id).await.unwrap(), None);
        }
    }

    async fn flushes_of_the_same_sessions_at_once_all_succeed(archive) {
        let batches: Vec<_> = (0..40).map(|n| batch(1 + n % 3, "same")).collect();
        let reversed: Vec<_> = batches.iter().rev().cloned().collect();
        let (a, b, c) = tokio::join!(archive.commit(&batches), archive.commit(&reversed), archive.commit(&batches[10..30]));
        a.and(b).and(c).unwrap();
        for batch in &batches {
            assert_eq!(archive.events(batch.meta.id, 0, 100).await.unwrap(), batch.events);
        }
    }

    async fn long_texts_survive_in_one_commit(archive) {
        let batches: Vec<_> = (0..30).map(|_| batch(1, &"é".repeat(100_000))).collect();
        archive.commit(&batches).await.unwrap();
        for batch in &batches {
            assert!(archive.events(batch.meta.id, 0, 10).await.unwrap() == batch.events);
        }
    }

    async fn a_rating_can_be_changed(archive) {
        let batch = batch(1, "hello");
        archive.put_feedback(&rating(&batch, Rating::Up)).await.unwrap();
        let later = Feedback { rating: Rating::Down, comment: None, created_at: at(70), updated_at: at(70), ..rating(&batch, Rating::Up) };
        archive.put_feedback(&later).await.unwrap();
        let kept = archive.feedback_of(batch.meta.id).await.unwrap();
        assert_eq!(kept, [Feedback { created_at: at(10), ..later }]);
    }
}

#[test]
fn a_failed_turn_shows_as_a_failed_message_with_its_partial_text() {
    let message_id = MessageId::new();
    let problem = Problem::new(ErrorCode::UpstreamTimeout);
    let fact = Fact::TurnFailed { message_id, text: "Your par".into(), problem };
    let event = event(SessionId::new(), 2, TurnId::new(), fact);
    let message = crate::archive::project(&event).unwrap();
    assert_eq!(
        (message.id, message.role, message.status),
        (message_id, MessageRole::Assistant, MessageStatus::Failed)
    );
    assert_eq!((message.text.as_str(), message.seq, message.route), ("Your par", 2, None));
}

//! Sessions come from the archive, are set right by it, and are erased.

use super::*;

#[tokio::test]
async fn restoring_makes_a_session_hot_and_never_overwrites_a_newer_one() {
    on_each(async |store| {
        let meta = SessionMeta { last_seq: 5, ..meta() };
        let old: Vec<Event> = (4..=5).map(|seq| event(meta.id, seq)).collect();
        store.restore(&cold(&meta, &old)).await.unwrap();
        assert!(!is_dirty(&store, meta.id).await);
        let session = store.load(meta.id, 10).await.unwrap().unwrap();
        assert_eq!((session.events, session.flushed_seq), (old.clone(), 5));
        let known = store.idempotency(meta.id, "key 4").await.unwrap().unwrap();
        assert_eq!(known.turn_id, old[0].turn_id);
        store.append(&append(&meta, 5, 1)).await.unwrap();
        store.restore(&cold(&meta, &old)).await.unwrap();
        let session = store.load(meta.id, 10).await.unwrap().unwrap();
        assert_eq!((session.meta.last_seq, session.flushed_seq), (6, 5));
        assert_eq!(seqs(&session.events), [4, 5, 6]);
        assert!(is_dirty(&store, meta.id).await);
        assert_eq!(seqs(&store.unflushed(meta.id).await.unwrap().unwrap().events), [6]);
        let gap = [event(meta.id, 3), event(meta.id, 5)];
        assert!(matches!(store.restore(&cold(&meta, &gap)).await, Err(HotError::Corrupt(_))));
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_replaced_by_what_the_archive_knows_unless_it_has_changed_meanwhile() {
    on_each(async |store| {
        let meta = filled(&store, 2).await;
        let step = Append { idempotency: Some(record("key")), ..append(&meta, 2, 1) };
        store.append(&step).await.unwrap();
        let events: Vec<Event> = (3..=6).map(|seq| event(meta.id, seq)).collect();
        let known = cold(&SessionMeta { last_seq: 6, ..meta.clone() }, &events);
        let keep = RunningChange::Keep;
        assert_eq!(store.replace(Some(2), &known, &keep).await, Ok(false));
        assert_eq!(store.replace(None, &known, &keep).await, Ok(false));
        let running = Running { turn_id: TurnId::new(), replica: "r/1".into() };
        let start = RunningChange::Start(running.clone());
        assert_eq!(store.replace(Some(3), &known, &start).await, Ok(true));
        let session = store.load(meta.id, 10).await.unwrap().unwrap();
        assert_eq!((session.events, session.flushed_seq), (events, 6));
        assert_eq!(session.running, Some(running));
        assert!(!is_dirty(&store, meta.id).await);
        for key in ["key", "key 3", "key 6"] {
            assert!(store.idempotency(meta.id, key).await.unwrap().is_some(), "{key}");
        }
        assert_eq!(store.append(&append(&meta, 6, 1)).await, Ok(Appended::Done));
        assert_eq!(seqs(&store.unflushed(meta.id).await.unwrap().unwrap().events), [7]);
        let other = self::meta();
        assert_eq!(store.replace(None, &cold(&other, &[]), &keep).await, Ok(true));
        assert_eq!(store.owned(other.owner, None, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn erasing_leaves_no_trace() {
    on_each(async |store| {
        let meta = created(&store).await;
        let step = Append { idempotency: Some(record("key")), ..append(&meta, 0, 2) };
        store.append(&step).await.unwrap();
        store.erase(meta.id, meta.owner).await.unwrap();
        assert!(store.load(meta.id, 10).await.unwrap().is_none());
        assert_eq!(store.idempotency(meta.id, "key").await, Ok(None));
        assert!(store.unflushed(meta.id).await.unwrap().is_none());
        assert!(store.owned(meta.owner, None, 10).await.unwrap().is_empty());
        assert!(!is_dirty(&store, meta.id).await);
        store.mark_flushed(meta.id, 2).await.unwrap();
        assert_eq!(store.append(&append(&meta, 2, 1)).await, Ok(Appended::Missing));
        store.erase(meta.id, meta.owner).await.unwrap();
    })
    .await;
}

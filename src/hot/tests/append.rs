//! A step of a session is taken whole, once, and only at its place.

use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn what_was_appended_is_loaded() {
    on_each(async |store| {
        let meta = created(&store).await;
        let step = append(&meta, 0, 3);
        assert_eq!(store.append(&step).await, Ok(Appended::Done));
        let session = store.load(meta.id, 10).await.unwrap().unwrap();
        assert_eq!(session.meta, step.meta);
        assert_eq!(session.events, step.events);
        assert_eq!((session.running, session.flushed_seq), (None, 0));
        assert_eq!(seqs(&store.load(meta.id, 2).await.unwrap().unwrap().events), [2, 3]);
        assert!(store.load(meta.id, 0).await.unwrap().unwrap().events.is_empty());
        assert!(store.load(SessionId::new(), 10).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_parallel_appends_exactly_one_wins_each_seq() {
    on_each(async |store| {
        let meta = created(&store).await;
        let mut writers = JoinSet::new();
        for _ in 0..50 {
            let (store, meta) = (store.clone(), meta.clone());
            writers.spawn(async move {
                let (mut won, mut next) = (Vec::new(), 0);
                while next < 10 {
                    match store.append(&append(&meta, next, 1)).await.unwrap() {
                        Appended::Done => {
                            next += 1;
                            won.push(next);
                        }
                        Appended::Conflict { last_seq } => next = last_seq,
                        other => panic!("{other:?}"),
                    }
                }
                won
            });
        }
        let mut won: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
        won.sort_unstable();
        let session = store.load(meta.id, 1000).await.unwrap().unwrap();
        assert_eq!(won, seqs(&session.events));
        assert_eq!(won, (1..=session.meta.last_seq).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_idempotency_key_five_times_in_parallel_is_written_once() {
    on_each(async |store| {
        let meta = created(&store).await;
        let mut writers = JoinSet::new();
        for _ in 0..5 {
            let (store, meta) = (store.clone(), meta.clone());
            writers.spawn(async move {
                let step = Append { idempotency: Some(record("key")), ..append(&meta, 0, 1) };
                (step.idempotency.clone(), store.append(&step).await.unwrap())
            });
        }
        let mut written = None;
        let mut replayed = Vec::new();
        for (mine, outcome) in writers.join_all().await {
            match outcome {
                Appended::Done => assert!(written.replace(mine.unwrap()).is_none(), "twice"),
                Appended::Replayed(record) => replayed.push(record),
                other => panic!("{other:?}"),
            }
        }
        let written = written.unwrap();
        assert_eq!(replayed, vec![written.clone(); 4]);
        assert_eq!(store.idempotency(meta.id, "key").await, Ok(Some(written)));
        assert_eq!(store.idempotency(meta.id, "other").await, Ok(None));
        assert_eq!(store.load(meta.id, 10).await.unwrap().unwrap().meta.last_seq, 1);
    })
    .await;
}

#[tokio::test]
async fn a_running_turn_starts_stays_and_is_cleared() {
    on_each(async |store| {
        let meta = created(&store).await;
        let running = Running { turn_id: TurnId::new(), replica: "a/1".into() };
        let running_now = async || store.load(meta.id, 0).await.unwrap().unwrap().running;
        for (seq, change, expected) in [
            (0, RunningChange::Start(running.clone()), Some(running.clone())),
            (1, RunningChange::Keep, Some(running)),
            (2, RunningChange::Clear, None),
        ] {
            store.append(&Append { running: change, ..append(&meta, seq, 1) }).await.unwrap();
            assert_eq!(running_now().await, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn a_turn_is_taken_over_without_an_event_and_only_at_the_expected_seq() {
    on_each(async |store| {
        let meta = filled(&store, 1).await;
        store.mark_flushed(meta.id, 1).await.unwrap();
        let running = Running { turn_id: TurnId::new(), replica: "b/1".into() };
        let take_over = |seq| Append {
            running: RunningChange::Start(running.clone()),
            ..append(&meta, seq, 0)
        };
        let conflict = Appended::Conflict { last_seq: 1 };
        assert_eq!(store.append(&take_over(0)).await, Ok(conflict));
        assert_eq!(store.append(&take_over(1)).await, Ok(Appended::Done));
        assert_eq!(store.load(meta.id, 0).await.unwrap().unwrap().running, Some(running.clone()));
        assert!(!is_dirty(&store, meta.id).await);
    })
    .await;
}

#[tokio::test]
async fn an_append_to_a_session_that_is_not_hot_says_so() {
    on_each(async |store| {
        assert_eq!(store.append(&append(&meta(), 0, 1)).await, Ok(Appended::Missing));
    })
    .await;
}

#[tokio::test]
async fn an_append_with_a_gap_is_refused() {
    on_each(async |store| {
        let meta = created(&store).await;
        let mut gap = append(&meta, 0, 2);
        gap.events[1].seq = 3;
        let mut wrong_end = append(&meta, 0, 2);
        wrong_end.meta.last_seq = 3;
        let bare = Append { idempotency: Some(record("key")), ..append(&meta, 0, 0) };
        for step in [gap, wrong_end, bare] {
            assert!(matches!(store.append(&step).await, Err(HotError::Corrupt(_))));
        }
        assert_eq!(store.load(meta.id, 10).await.unwrap().unwrap().meta.last_seq, 0);
    })
    .await;
}

#[tokio::test]
async fn creating_twice_changes_nothing() {
    on_each(async |store| {
        let meta = filled(&store, 2).await;
        store.create(&meta).await.unwrap();
        assert_eq!(store.load(meta.id, 10).await.unwrap().unwrap().meta.last_seq, 2);
    })
    .await;
}

//! One suite of sentences for both stores; what only one of them can show lies in the modules below.

mod memory;
mod redis;

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::*;
use crate::{
    clock,
    domain::{Controller, Fact, MessageId, SessionState, SiteId, Timestamp, TurnId},
};

/// Runs a scenario on the memory store and, where there is one, on a Redis under a prefix of its own.
async fn on_each(scenario: impl AsyncFn(Arc<HotStore>)) {
    println!("on memory");
    Box::pin(scenario(Arc::new(HotStore::memory()))).await;
    if let Some(store) = redis::store() {
        println!("on Redis");
        Box::pin(scenario(Arc::new(HotStore::Redis(Box::new(store))))).await;
    }
}

fn meta() -> SessionMeta {
    let now = clock::now();
    SessionMeta {
        id: SessionId::new(),
        site_id: SiteId::parse("shop").unwrap(),
        owner: PrincipalId::new(),
        created_at: now,
        updated_at: now,
        last_seq: 0,
        state: SessionState::Open,
        controller: Controller::Bot,
        epoch: 0,
        locale: "en".into(),
    }
}

fn event(session_id: SessionId, seq: u64) -> Event {
    Event {
        v: 1,
        seq,
        session_id,
        turn_id: TurnId::new(),
        epoch: 0,
        at: Timestamp::from_millis(1_793_000_000_000),
        fact: Fact::MessageCreated {
            message_id: MessageId::new(),
            text: format!("question {seq}"),
            client_message_id: None,
        },
    }
}

/// `count` events after `expected_seq`.
fn append(meta: &SessionMeta, expected_seq: u64, count: u64) -> Append {
    let last_seq = expected_seq + count;
    Append {
        meta: SessionMeta { last_seq, ..meta.clone() },
        expected_seq,
        events: (expected_seq + 1..=last_seq).map(|seq| event(meta.id, seq)).collect(),
        idempotency: None,
        running: RunningChange::Keep,
    }
}

fn record(key: &str) -> IdempotencyRecord {
    IdempotencyRecord {
        key: key.into(),
        body_hash: "00".repeat(32),
        turn_id: TurnId::new(),
        trace: None,
    }
}

/// With a record for each event, `key <seq>`.
fn cold(meta: &SessionMeta, events: &[Event]) -> Cold {
    let record_of = |event: &Event| IdempotencyRecord {
        turn_id: event.turn_id,
        ..record(&format!("key {}", event.seq))
    };
    let idempotency = events.iter().map(record_of).collect();
    Cold { meta: meta.clone(), events: events.to_vec(), idempotency }
}

async fn created(store: &HotStore) -> SessionMeta {
    let meta = meta();
    store.create(&meta).await.unwrap();
    meta
}

async fn filled(store: &HotStore, count: u64) -> SessionMeta {
    let meta = created(store).await;
    assert_eq!(store.append(&append(&meta, 0, count)).await, Ok(Appended::Done));
    meta
}

async fn is_dirty(store: &HotStore, id: SessionId) -> bool {
    let mut found = 0;
    for shard in 0..store.shards() {
        found += store.dirty(shard, 1000).await.unwrap().iter().filter(|d| **d == id).count();
    }
    assert!(found <= 1, "dirty twice");
    found == 1
}

fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

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

#[tokio::test]
async fn an_empty_session_reaches_the_archive() {
    on_each(async |store| {
        let meta = created(&store).await;
        assert!(is_dirty(&store, meta.id).await);
        let unflushed = store.unflushed(meta.id).await.unwrap().unwrap();
        assert_eq!((unflushed.meta, unflushed.events), (meta.clone(), Vec::new()));
        store.mark_flushed(meta.id, 0).await.unwrap();
        assert!(!is_dirty(&store, meta.id).await);
    })
    .await;
}

#[tokio::test]
async fn an_append_between_reading_and_marking_stays_dirty() {
    on_each(async |store| {
        let meta = created(&store).await;
        let early = Append { idempotency: Some(record("early")), ..append(&meta, 0, 2) };
        store.append(&early).await.unwrap();
        let read = store.unflushed(meta.id).await.unwrap().unwrap();
        assert_eq!(read.idempotency, [early.idempotency.unwrap()]);
        let later = Append { idempotency: Some(record("late")), ..append(&meta, 2, 1) };
        store.append(&later).await.unwrap();
        store.mark_flushed(meta.id, read.meta.last_seq).await.unwrap();
        assert!(is_dirty(&store, meta.id).await);
        let rest = store.unflushed(meta.id).await.unwrap().unwrap();
        assert_eq!(seqs(&rest.events), [3]);
        assert_eq!(rest.idempotency, [later.idempotency.unwrap()]);
        store.mark_flushed(meta.id, 3).await.unwrap();
        assert!(!is_dirty(&store, meta.id).await);
        let rest = store.unflushed(meta.id).await.unwrap().unwrap();
        assert!(rest.events.is_empty() && rest.idempotency.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_late_mark_of_another_replica_does_not_go_back() {
    on_each(async |store| {
        let meta = filled(&store, 3).await;
        store.mark_flushed(meta.id, 3).await.unwrap();
        store.mark_flushed(meta.id, 1).await.unwrap();
        assert_eq!(store.load(meta.id, 0).await.unwrap().unwrap().flushed_seq, 3);
        store.mark_flushed(meta.id, u64::MAX).await.unwrap();
        assert_eq!(store.load(meta.id, 0).await.unwrap().unwrap().flushed_seq, 3);
    })
    .await;
}

#[tokio::test]
async fn the_longest_waiting_is_flushed_first_and_a_busy_session_goes_to_the_end() {
    on_each(async |store| {
        let first = created(&store).await;
        // Another session of the same shard: the shard is made of the lowest bits.
        let second = SessionMeta {
            id: SessionId(uuid::Uuid::from_u128(first.id.0.as_u128() ^ (1 << 20))),
            ..meta()
        };
        tokio::time::sleep(Duration::from_millis(5)).await; // Redis orders by its own clock.
        store.create(&second).await.unwrap();
        let shard = keys::shard_of(first.id);
        assert_eq!(store.dirty(shard, 10).await, Ok(vec![first.id, second.id]));
        assert_eq!(store.dirty(shard, 1).await, Ok(vec![first.id]));
        assert_eq!(store.dirty(shard, 0).await, Ok(vec![]));
        tokio::time::sleep(Duration::from_millis(5)).await;
        store.append(&append(&first, 0, 1)).await.unwrap();
        store.mark_flushed(first.id, 0).await.unwrap();
        assert_eq!(store.dirty(shard, 10).await, Ok(vec![second.id, first.id]));
    })
    .await;
}

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
async fn events_are_paged_and_none_are_invented_where_the_tail_was_trimmed() {
    on_each(async |store| {
        let total = TAIL as u64 + 50;
        let meta = filled(&store, total).await;
        let after = async |seq, limit| {
            store.events(meta.id, seq, limit).await.unwrap().map(|events| seqs(&events))
        };
        assert_eq!(after(0, 3).await, Some(vec![1, 2, 3]));
        store.mark_flushed(meta.id, 20).await.unwrap();
        assert_eq!(after(0, 3).await, None, "20 are flushed and beyond the tail");
        assert_eq!(after(19, 2).await, None);
        assert_eq!(after(20, 2).await, Some(vec![21, 22]), "unflushed events stay");
        store.mark_flushed(meta.id, total).await.unwrap();
        assert_eq!(after(49, 1).await, None);
        assert_eq!(after(50, 1).await, Some(vec![51]));
        assert_eq!(after(total - 1, 10).await, Some(vec![total]));
        assert_eq!(after(50, 0).await, Some(vec![]));
        for beyond in [total, total + 1, u64::MAX] {
            assert_eq!(after(beyond, 10).await, Some(vec![]));
        }
        assert_eq!(store.events(SessionId::new(), 0, 10).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn old_idempotency_records_go_once_they_are_flushed() {
    on_each(async |store| {
        let meta = created(&store).await;
        let total = RECORDS as u64 + 4;
        for seq in 0..total {
            let idempotency = Some(record(&format!("key {}", seq + 1)));
            store.append(&Append { idempotency, ..append(&meta, seq, 1) }).await.unwrap();
        }
        let has = async |seq: u64| {
            store.idempotency(meta.id, &format!("key {seq}")).await.unwrap().is_some()
        };
        let unflushed = store.unflushed(meta.id).await.unwrap().unwrap();
        assert_eq!(unflushed.idempotency.len() as u64, total);
        assert_eq!(unflushed.idempotency[0].key, "key 1");
        store.mark_flushed(meta.id, 2).await.unwrap();
        assert!(!has(2).await && has(3).await, "only flushed ones go");
        store.mark_flushed(meta.id, total).await.unwrap();
        assert!(!has(4).await && has(5).await && has(total).await);
    })
    .await;
}

#[tokio::test]
async fn an_owner_pages_through_own_sessions_newest_first() {
    on_each(async |store| {
        let owner = PrincipalId::new();
        let mut ids = Vec::new();
        for _ in 0..5 {
            let meta = SessionMeta { owner, ..meta() };
            store.create(&meta).await.unwrap();
            ids.push(meta.id);
        }
        created(&store).await;
        ids.reverse();
        let page = async |before, limit| -> Vec<SessionId> {
            let metas = store.owned(owner, before, limit).await.unwrap();
            metas.into_iter().map(|meta| meta.id).collect()
        };
        assert_eq!(page(None, 10).await, ids);
        assert_eq!(page(None, 2).await, ids[..2]);
        assert_eq!(page(Some(ids[1]), 2).await, ids[2..4]);
        assert_eq!(page(Some(ids[4]), 2).await, []);
        assert_eq!(page(None, 0).await, []);
        store.erase(ids[0], owner).await.unwrap();
        assert_eq!(page(None, 2).await, ids[1..3]);
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

#[tokio::test]
async fn a_newer_boot_of_the_same_name_means_that_the_old_one_is_dead() {
    on_each(async |store| {
        let ttl = Duration::from_secs(10);
        let alive = async |replica| store.liveness(replica).await.unwrap() == Liveness::Alive;
        assert!(!alive("a/1").await);
        store.beat("a/1", ttl).await.unwrap();
        store.beat("b/1", ttl).await.unwrap();
        assert!(alive("a/1").await && alive("b/1").await);
        store.beat("a/2", ttl).await.unwrap();
        store.beat("a/1", ttl).await.unwrap();
        assert!(!alive("a/1").await && alive("a/2").await && alive("b/1").await);
        assert_eq!(store.liveness("a/1").await, Ok(Liveness::Replaced));
        assert_eq!(store.liveness("c/1").await, Ok(Liveness::Silent));
        assert!(matches!(store.liveness("a").await, Err(HotError::Corrupt(_))));
    })
    .await;
}

#[tokio::test]
async fn the_store_answers_a_ping() {
    on_each(async |store| assert_eq!(store.ping().await, Ok(()))).await;
}

#[test]
fn shards_are_used_evenly() {
    let shards: HashSet<u16> = (0..2000).map(|_| keys::shard_of(SessionId::new())).collect();
    assert_eq!(shards.len(), usize::from(SHARDS));
}

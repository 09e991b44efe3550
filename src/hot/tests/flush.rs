//! What is not flushed stays and is dirty; what is flushed goes when there is enough of it.

use std::collections::HashSet;

use super::*;

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

#[test]
fn shards_are_used_evenly() {
    let shards: HashSet<u16> = (0..2000).map(|_| keys::shard_of(SessionId::new())).collect();
    assert_eq!(shards.len(), usize::from(SHARDS));
}

//! Idle time and size of the memory store, under stopped time.

use super::*;
use crate::hot::keys::shard_of;

const TTL: Duration = Duration::from_secs(60);

fn store(max_sessions: usize) -> HotStore {
    HotStore::Memory(MemoryHot::new(TTL, max_sessions))
}

async fn flushed(store: &HotStore) -> SessionMeta {
    let meta = filled(store, 1).await;
    store.mark_flushed(meta.id, 1).await.unwrap();
    meta
}

#[tokio::test(start_paused = true)]
async fn a_flushed_session_goes_after_its_idle_time_and_leaves_nothing() {
    let store = store(1000);
    let meta = flushed(&store).await;
    tokio::time::advance(TTL - Duration::from_secs(1)).await;
    assert!(store.load(meta.id, 0).await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(2)).await;
    assert!(store.load(meta.id, 0).await.unwrap().is_none());
    assert!(store.owned(meta.owner, None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unflushed_session_stays_however_long_it_waits() {
    let store = store(1000);
    let meta = flushed(&store).await;
    store.append(&append(&meta, 1, 1)).await.unwrap();
    tokio::time::advance(TTL * 100).await;
    assert_eq!(seqs(&store.unflushed(meta.id).await.unwrap().unwrap().events), [2]);
}

#[tokio::test(start_paused = true)]
async fn too_many_sessions_cost_the_oldest_flushed_ones_only() {
    let store = store(3 * usize::from(SHARDS));
    let kept = filled(&store, 1).await;
    let mut metas = Vec::new();
    while metas.len() < 5 {
        tokio::time::advance(Duration::from_millis(1)).await;
        let meta = flushed(&store).await;
        // Each shard bounds itself: only the company of `kept` is looked at.
        if shard_of(meta.id) == shard_of(kept.id) {
            metas.push(meta);
        }
    }
    let mut hot = Vec::new();
    for meta in &metas {
        hot.push(store.load(meta.id, 0).await.unwrap().is_some());
    }
    assert_eq!(hot, [false, false, false, true, true]);
    assert!(store.load(kept.id, 0).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_stops_beating_is_dead() {
    let store = store(64);
    store.beat("a/1", Duration::from_secs(10)).await.unwrap();
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(store.is_beating("a/1").await, Ok(false));
}

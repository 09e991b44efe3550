//! One suite of sentences for both stores; `memory` and `redis` hold what only one of them can
//! show.

mod append;
mod flush;
mod memory;
mod redis;
mod restore;

use std::{sync::Arc, time::Duration};

use super::{session::*, *};
use crate::{
    clock,
    domain::{
        Append, Appended, Controller, Event, Fact, IdempotencyRecord, MessageId, PrincipalId,
        Running, RunningChange, SessionCopy, SessionId, SessionMeta, SessionState, SiteId,
        Timestamp, TurnId,
    },
};

/// Runs a scenario on the memory store and, where there is one, on a Redis under a prefix of its
/// own.
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
fn cold(meta: &SessionMeta, events: &[Event]) -> SessionCopy {
    let record_of = |event: &Event| IdempotencyRecord {
        turn_id: event.turn_id,
        ..record(&format!("key {}", event.seq))
    };
    let idempotency = events.iter().map(record_of).collect();
    SessionCopy { meta: meta.clone(), events: events.to_vec(), idempotency }
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
async fn processes_of_one_name_live_side_by_side_until_one_is_known_to_be_dead() {
    on_each(async |store| {
        let ttl = Duration::from_secs(60);
        let beating = async |replica| store.is_beating(replica).await.unwrap();
        assert!(!beating("a/1").await);
        store.beat("a/1", ttl).await.unwrap();
        store.beat("a/2", ttl).await.unwrap();
        assert!(beating("a/1").await && beating("a/2").await && !beating("a").await);
        store.bury("a/1").await.unwrap();
        assert!(!beating("a/1").await && beating("a/2").await);
        // Said of one that lives after all, it does no lasting harm.
        store.beat("a/1", ttl).await.unwrap();
        assert!(beating("a/1").await);
    })
    .await;
}

#[tokio::test]
async fn the_store_answers_a_ping() {
    on_each(async |store| assert_eq!(store.ping().await, Ok(()))).await;
}

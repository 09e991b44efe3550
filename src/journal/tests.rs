//! The journal on a disk that is full for a while, and with replicas that die.

use std::{sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Archivist, Fallback, Journal, JournalError, Safety};
use crate::{
    archive::{Archive, ArchiveError, GroupCommit},
    clock,
    config::{Config, Sources},
    domain::{
        Append, Appended, Controller, Event, Fact, IdempotencyRecord, MessageId, PrincipalId,
        Running, RunningChange, SessionId, SessionMeta, SessionState, SiteId, TurnId,
    },
    hot::HotStore,
    relay::Relay,
};

pub fn meta() -> SessionMeta {
    let now = clock::now();
    SessionMeta {
        id: SessionId::new(),
        site_id: SiteId::parse("demo").unwrap(),
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

fn step(meta: &SessionMeta, text: &str) -> Append {
    let (turn_id, seq) = (TurnId::new(), meta.last_seq + 1);
    let fact = Fact::MessageCreated {
        message_id: MessageId::new(),
        text: text.into(),
        client_message_id: None,
    };
    let event = Event { v: 1, seq, session_id: meta.id, turn_id, epoch: 0, at: clock::now(), fact };
    Append {
        meta: SessionMeta { last_seq: seq, ..meta.clone() },
        expected_seq: meta.last_seq,
        events: vec![event],
        idempotency: Some(IdempotencyRecord {
            key: "key".into(),
            body_hash: "b".repeat(64),
            turn_id,
            trace: None,
        }),
        running: RunningChange::Keep,
    }
}

#[tokio::test]
async fn open_turns_of_dead_replicas_are_found_and_those_of_living_ones_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Config::load(&Sources::default()).unwrap().store;
    let archive = Archive::open_sqlite(&folder.path().join("archive.db"), &store).await.unwrap();
    archive.migrate().await.unwrap();
    let hot = Arc::new(HotStore::memory());
    let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
    let relay = Relay::start(Arc::clone(&hot), "me/1".into(), &tasks, &stopping);
    let safety = Safety::Hot(Arc::new(Fallback::new(Duration::from_secs(60))), relay);
    let journal = Journal::new(Arc::clone(&hot), archive.clone(), 64, safety);
    let grace = Duration::from_secs(12);
    hot.beat("alive/1", grace).await.unwrap();
    let mut begun = Vec::new();
    for replica in ["dead/1", "alive/1"] {
        let meta = meta();
        journal.create(&meta).await.unwrap();
        let mut step = step(&meta, "hello");
        let turn_id = step.events[0].turn_id;
        step.running = RunningChange::Start(Running { turn_id, replica: replica.into() });
        assert_eq!(journal.append(&step).await.unwrap(), Appended::Done);
        begun.push(meta.id);
    }
    assert!(journal.orphans(10, grace).await.unwrap().is_empty(), "the archive has none yet");
    Archivist::new(Arc::clone(&hot), archive, &store).flush_all().await.unwrap();
    assert_eq!(journal.orphans(10, grace).await.unwrap(), begun[..1]);
    stopping.cancel();
}

#[tokio::test]
async fn a_full_disk_refuses_loses_nothing_and_takes_the_same_message_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = Config::load(&Sources::default()).unwrap().store;
    let archive = Archive::open_sqlite(&folder.path().join("archive.db"), &store).await.unwrap();
    archive.migrate().await.unwrap();
    let tasks = TaskTracker::new();
    let group = GroupCommit::start(archive.clone(), 16, &tasks);
    let hot = Arc::new(HotStore::memory());
    let journal = Journal::new(Arc::clone(&hot), archive.clone(), 64, Safety::Disk(group));
    let meta = meta();
    journal.create(&meta).await.unwrap();
    archive.limit_pages(1).await;
    let large = step(&meta, &"x".repeat(400_000));
    let refused = journal.append(&large).await.unwrap_err();
    assert!(matches!(refused, JournalError::Archive(ArchiveError::Full)), "{refused}");
    let opened = journal.open(meta.id).await.unwrap();
    assert_eq!((opened.meta.last_seq, opened.events.len()), (0, 0), "nothing of it is kept");
    archive.limit_pages(1_000_000).await;
    assert_eq!(journal.append(&large).await.unwrap(), Appended::Done);
    let opened = journal.open(meta.id).await.unwrap();
    assert_eq!(opened.events, large.events);
    assert_eq!(archive.events(meta.id, 0, 10).await.unwrap(), large.events);
    let again = journal.append(&step(&opened.meta, "x")).await.unwrap();
    assert!(matches!(again, Appended::Replayed(_)));
}

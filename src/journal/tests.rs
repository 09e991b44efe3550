//! The journal on a disk that is full for a while, and with replicas that die.

mod abandoned;
mod disk;

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use super::Journal;
use crate::{
    archive::{Archive, GroupCommit},
    clock,
    config::{Config, Sources},
    domain::{
        Append, Controller, Event, Fact, IdempotencyRecord, MessageId, PrincipalId, SessionId,
        SessionMeta, SessionState, SiteId, TurnId, Version,
    },
    peers::Peers,
};

const DEAD_AFTER: Duration = Duration::from_secs(10);

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
        context: None,
        handoff: None,
    }
}

/// An empty archive in a file.
async fn archive() -> (TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let store = Config::load(&Sources::default()).unwrap().store;
    let archive = Archive::open_sqlite(&folder.path().join("archive.db"), &store).await.unwrap();
    archive.migrate().await.unwrap();
    (folder, archive)
}

fn journal(archive: &Archive, peers: Peers) -> Journal {
    let commits = GroupCommit::start(archive.clone(), 16, &TaskTracker::new());
    Journal::new(archive.clone(), commits, Arc::new(peers), None, 64)
}

/// The first message of a session that was just made, with the key `key`.
fn message(meta: &SessionMeta, text: &str) -> Append {
    let turn_id = TurnId::new();
    let fact = Fact::MessageCreated {
        message_id: MessageId::new(),
        text: text.into(),
        client_message_id: None,
    };
    let event =
        Event { v: 1, seq: 1, session_id: meta.id, turn_id, epoch: 0, at: clock::now(), fact };
    Append {
        meta: SessionMeta { last_seq: 1, ..meta.clone() },
        from: Version::NEW,
        takes_over: true,
        events: vec![event],
        idempotency: Some(IdempotencyRecord {
            key: "key".into(),
            body_hash: "b".repeat(64),
            turn_id,
            trace: None,
        }),
        drafts: Vec::new(),
        decided: None,
    }
}

//! One suite on both databases. SQLite runs on a file of its own; MariaDB or MySQL on a fresh
//! database for each test at `RUSHDESK_TEST_MYSQL_URL`.

mod accounts;
mod append;
mod customers;
mod erasure;
mod feedback;
mod files;
mod group;
mod journal;
mod knowledge;
mod open_turns;
mod replicas;
mod store;
mod talk;
mod tickets;
mod upgrade;

use std::time::Duration;

use diesel_async::{AsyncConnection as _, AsyncMysqlConnection, SimpleAsyncConnection as _};

use self::talk::{Talk, keep};
use super::Archive;
use crate::{
    config::{self, Secret, StoreMode},
    domain::*,
};

const MYSQL_URL: &str = "RUSHDESK_TEST_MYSQL_URL";

/// `async fn name(archive) { … }` as two tests, `name::sqlite` and `name::mysql`, each on an empty,
/// migrated archive.
macro_rules! on_both {
    ($(async fn $name:ident($archive:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn check($archive: $crate::archive::Archive) $body

            #[tokio::test]
            async fn sqlite() {
                $crate::archive::tests::with_sqlite(check).await;
            }

            #[tokio::test]
            async fn mysql() {
                $crate::archive::tests::with_mysql(check).await;
            }
        }
    )+};
}
use on_both;

async fn with_sqlite(check: impl AsyncFnOnce(Archive)) {
    with_empty_sqlite(async |archive| {
        archive.migrate().await.unwrap();
        check(archive).await;
    })
    .await;
}

async fn with_mysql(check: impl AsyncFnOnce(Archive)) {
    with_empty_mysql(async |archive| {
        archive.migrate().await.unwrap();
        check(archive).await;
    })
    .await;
}

async fn with_empty_sqlite(check: impl AsyncFnOnce(Archive)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    check(Archive::open_sqlite(&path, &settings()).await.unwrap()).await;
}

async fn with_empty_mysql(check: impl AsyncFnOnce(Archive)) {
    let Ok(url) = std::env::var(MYSQL_URL) else {
        assert!(std::env::var("CI").is_err(), "{MYSQL_URL} must be set under CI");
        eprintln!("skipped: {MYSQL_URL} is not set");
        return;
    };
    let mut server = AsyncMysqlConnection::establish(&url).await.unwrap();
    let name = format!("rushdesk_{}", uuid::Uuid::now_v7().simple());
    server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (server_url, _) = url.rsplit_once('/').unwrap();
    let store =
        config::Store { mysql_url: Secret::new(format!("{server_url}/{name}")), ..settings() };
    check(Archive::connect_mysql(&store).unwrap()).await;
    server.batch_execute(&format!("DROP DATABASE {name}")).await.unwrap();
}

fn settings() -> config::Store {
    config::Store {
        mode: StoreMode::Embedded,
        mysql_url: Secret::default(),
        redis_url: Secret::default(),
        redis_prefix: "test".into(),
        redis_timeout: Duration::from_millis(500),
        archive_timeout: Duration::from_secs(30),
        redis_pool: 4,
        archive_pool: 4,
        commit_batch: 50,
        beat: Duration::from_secs(1),
        dead_after: Duration::from_secs(10),
    }
}

fn site() -> SiteId {
    SiteId::parse("demo").unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn meta(last_seq: u64) -> SessionMeta {
    SessionMeta {
        id: SessionId::new(),
        site_id: site(),
        owner: PrincipalId::new(),
        created_at: at(0),
        updated_at: at(last_seq.cast_signed()),
        last_seq,
        state: SessionState::Open,
        controller: Controller::Bot,
        epoch: 0,
        locale: "en".into(),
        context: None,
        handoff: None,
    }
}

fn event(session_id: SessionId, seq: u64, turn_id: TurnId, fact: Fact) -> Event {
    Event { v: 1, seq, session_id, turn_id, epoch: 0, at: at(seq.cast_signed()), fact }
}

fn question(text: &str) -> Fact {
    Fact::MessageCreated {
        message_id: MessageId::new(),
        text: text.into(),
        client_message_id: Some("c-1".into()),
    }
}

fn answer(text: &str) -> Fact {
    let citation = Citation {
        id: "1".into(),
        document_id: "returns".into(),
        title: "Returns".into(),
        url: None,
        quote: "30 days".into(),
    };
    Fact::AnswerCompleted(Answer {
        citations: vec![citation],
        ..Answer::new(text, Route::Knowledge)
    })
}

//! The same service on real Redis and MariaDB.

use actix_web::rt::test;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};

use super::{
    fake_model::{FakeModel, WORDS},
    harness::*,
};

/// A database and a Redis prefix of its own; the database goes with the value.
pub struct Stores {
    pub settings: OwnedSettings,
}

impl Stores {
    /// `None` where the stores are not there (never under CI).
    pub async fn new() -> Option<Self> {
        let mysql = store_url("RUSHDESK_TEST_MYSQL_URL")?;
        let redis = store_url("RUSHDESK_TEST_REDIS_URL")?;
        let name = format!("it_{}", uuid::Uuid::now_v7().simple());
        let mut connection = AsyncMysqlConnection::establish(&mysql).await.unwrap();
        let sql = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        connection.batch_execute(&sql).await.unwrap();
        let server = mysql.rsplit_once('/').unwrap().0;
        let site = "[{id=\"demo\",name=\"Demo\",site_key=\"pk_demo\"}]";
        let settings = vec![
            ("store.mode", "distributed".to_owned()),
            ("store.mysql_url", format!("{server}/{name}")),
            ("store.redis_url", redis),
            ("store.redis_prefix", name),
            // Long, so that a busy machine does not fail what is not about time.
            ("store.redis_timeout_ms", "5000".to_owned()),
            ("store.archive_timeout_ms", "15000".to_owned()),
            ("auth.jwt_secret", "0123456789abcdef0123456789abcdef".to_owned()),
            ("sites", site.to_owned()),
        ];
        Some(Self { settings })
    }

    /// A connection of the test's own to the database.
    pub async fn connect(&self) -> AsyncMysqlConnection {
        let url = self.settings.iter().find(|(key, _)| *key == "store.mysql_url");
        AsyncMysqlConnection::establish(&url.unwrap().1).await.unwrap()
    }

    pub fn with(&self, more: &[(&'static str, String)]) -> OwnedSettings {
        self.settings.iter().chain(more).cloned().collect()
    }
}

#[test]
async fn a_conversation_is_in_the_archive_and_a_new_process_goes_on_with_it() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[backend("ok", &fake.url)]);
    let app = TestApp::with(&settings).await;
    let (shopper, session) = app.chatting().await;
    shopper.ask(&session, "When do boots ship?").await;
    assert_eq!(app.archived(&session).await, 2);
    let told = shopper.messages(&session).await;
    assert_eq!(told[1]["text"], WORDS.concat());
    app.stop().await;
    let app = TestApp::with(&settings).await;
    let shopper = shopper.at(&app);
    assert_eq!(shopper.messages(&session).await, told);
    let turn = shopper.ask(&session, "And tents, when do they ship?").await;
    assert_eq!(turn["message"]["seq"], 3);
    assert_eq!(app.archived(&session).await, 4);
    assert_eq!(shopper.session_ids().await, [session]);
    app.stop().await;
}

#[test]
async fn two_replicas_share_sessions_limits_and_the_cache() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[
        backend("ok", &fake.url),
        ("limits.visitor_burst", "3".to_owned()),
        ("cache.confirmations", "1".to_owned()),
    ]);
    let one = TestApp::with(&settings).await;
    let two = TestApp::with(&settings).await;
    let here = one.visitor().await;
    let there = here.at(&two);
    let session = here.session().await;
    here.ask(&session, "Which payment methods do you accept?").await;
    assert_eq!(there.messages(&session).await, here.messages(&session).await);
    let (other, other_session) = two.chatting().await;
    settle("the answer is cached on the other replica", async || two.cached().await == 1).await;
    let turn = other.ask(&other_session, "which payment methods do you accept").await;
    assert_eq!(turn["answer"]["route"], "exact", "{turn}");
    // Three messages are allowed in all, wherever they are sent.
    for (shopper, expected) in [(&there, 200), (&here, 200), (&there, 429)] {
        let own = shopper.session().await;
        assert_eq!(status_of(shopper.message(&own, "k", "What are your hours?")).await, expected);
    }
    one.stop().await;
    two.stop().await;
}

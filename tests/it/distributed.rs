//! The same service on real Redis and MariaDB.

use actix_web::rt::test;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};
use serde_json::Value;

use super::{
    fake_model::{FakeModel, WORDS},
    harness::*,
};

/// A database and a Redis prefix of its own; the database goes with the value.
pub struct Stores {
    pub settings: Vec<(&'static str, String)>,
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
            ("store.flush_interval_ms", "100".to_owned()),
            ("auth.jwt_secret", "0123456789abcdef0123456789abcdef".to_owned()),
            ("sites", site.to_owned()),
        ];
        Some(Self { settings })
    }

    pub fn with(&self, more: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
        self.settings.iter().chain(more).cloned().collect()
    }
}

async fn archived(app: &TestApp, session: &str) -> Vec<Value> {
    let id = session.parse().unwrap();
    let events = app.archive().events(id, 0, 100).await.unwrap();
    events.iter().map(|event| serde_json::to_value(event).unwrap()).collect()
}

#[test]
async fn a_conversation_goes_through_redis_to_the_archive_and_comes_back_cold() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let app = TestApp::with(&stores.with(&[backend("ok", &fake.url)])).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    shopper.ask(&session, "When do boots ship?").await;
    settle("the events are archived", async || archived(&app, &session).await.len() == 2).await;
    let hot = shopper.messages(&session).await;
    assert_eq!(hot[1]["text"], WORDS.concat());
    // The hot store forgets; a new process knows the session from the archive alone.
    app.forget_hot(&session).await;
    let token = shopper.token.clone();
    app.stop().await;
    let app = TestApp::with(&stores.with(&[backend("ok", &fake.url)])).await;
    let shopper = Shopper { app: &app, token };
    assert_eq!(shopper.messages(&session).await, hot);
    let turn = shopper.ask(&session, "And tents, when do they ship?").await;
    assert_eq!(turn["message"]["seq"], 3);
    settle("the new events are archived", async || archived(&app, &session).await.len() == 4).await;
    let listed = body(shopper.get("/v1/sessions").send().await.unwrap()).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    app.stop().await;
}

#[test]
async fn a_drain_leaves_nothing_unflushed() {
    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&[("store.flush_interval_ms", "60000".to_owned())]);
    let app = TestApp::with(&settings).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    shopper.ask(&session, "What is the price guarantee?").await;
    assert!(archived(&app, &session).await.is_empty(), "flushed before the interval");
    app.stop().await;
    let app = TestApp::with(&settings).await;
    assert_eq!(archived(&app, &session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn two_replicas_share_sessions_limits_and_the_cache() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let settings =
        stores.with(&[backend("ok", &fake.url), ("limits.visitor_burst", "3".to_owned())]);
    let one = TestApp::with(&settings).await;
    let two = TestApp::with(&settings).await;
    let here = one.visitor().await;
    let there = Shopper { app: &two, token: here.token.clone() };
    let session = here.session().await;
    here.ask(&session, "Which payment methods do you accept?").await;
    assert_eq!(there.messages(&session).await, here.messages(&session).await);
    let other = two.visitor().await;
    let other_session = other.session().await;
    settle("the answer is cached on the other replica", async || {
        let listed = two.cached().await;
        listed == 1
    })
    .await;
    let turn = other.ask(&other_session, "which payment methods do you accept").await;
    assert_eq!(turn["answer"]["route"], "exact", "{turn}");
    // Three messages are allowed in all, wherever they are sent.
    for (shopper, expected) in [(&there, 200), (&here, 200), (&there, 429)] {
        let own = shopper.session().await;
        let response = shopper.message(&own, "k", "What are your hours?").send().await.unwrap();
        assert_eq!(response.status(), expected);
    }
    one.stop().await;
    two.stop().await;
}

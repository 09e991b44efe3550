//! A store freezes or dies under a running service. Without Redis it goes on. Without the archive a message is refused
//! and taken later. Nothing acknowledged is lost.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
    servers::Server,
};

/// Redis of the test's own, MariaDB shared.
async fn on_own_redis() -> Option<(Server, OwnedSettings)> {
    let stores = Stores::new().await?;
    let redis = Server::redis().await?;
    let settings = stores.with(&[
        ("store.redis_url", redis.redis_url()),
        ("store.redis_timeout_ms", "800".to_owned()),
        // Who tries again and again is not to be refused for that.
        ("limits.visitor_burst", "100000".to_owned()),
    ]);
    Some((redis, settings))
}

/// Texts of a session's messages by role, and a check of what must hold of every history.
pub async fn told(shopper: &Shopper, session: &str) -> Vec<String> {
    let messages = shopper.messages(session).await;
    let seqs: Vec<u64> = messages.iter().map(|m| m["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "{messages:?}");
    let questions = messages.iter().filter(|message| message["role"] == "user");
    questions.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

pub async fn hot_store(app: &TestApp) -> Value {
    body(app.get("/readyz").send().await.unwrap()).await["hot_store"].clone()
}

async fn redis_is_back(app: &TestApp) {
    settle("the redis is reachable again", async || hot_store(app).await == "ok").await;
}

async fn goes_on_without_redis(app: &TestApp, shopper: &Shopper, session: &str) {
    shopper.ask(session, "Second question?").await;
    shopper.ask(session, "Third question?").await;
    assert_eq!(told(shopper, session).await.len(), 3);
    assert_eq!(status_of(app.get("/readyz")).await, StatusCode::OK);
    // Others come and go meanwhile.
    let (other, other_session) = app.chatting().await;
    other.ask(&other_session, "Is anybody there?").await;
    assert_eq!(told(&other, &other_session).await, ["Is anybody there?"]);
    // The same request again is the same turn.
    let send = || shopper.message(session, "twice", "Fourth question?").send();
    let first = body(send().await.unwrap()).await;
    let again = send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(body(again).await["turn_id"], first["turn_id"]);
}

#[test]
async fn a_service_goes_on_while_redis_is_frozen() {
    let Some((redis, settings)) = on_own_redis().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    redis.freeze();
    goes_on_without_redis(&app, &shopper, &session).await;
    redis.thaw();
    redis_is_back(&app).await;
    shopper.ask(&session, "Fifth question?").await;
    assert_eq!(told(&shopper, &session).await.len(), 5);
    let again = shopper.message(&session, "twice", "Fourth question?").send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    // Another replica knows only what lies in the stores.
    let two = TestApp::with(&settings).await;
    let there = shopper.at(&two);
    settle("the other replica tells all of it", async || told(&there, &session).await.len() == 5)
        .await;
    app.stop().await;
    two.stop().await;
}

#[test]
async fn a_killed_redis_takes_nothing_acknowledged_with_it() {
    let Some((mut redis, settings)) = on_own_redis().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    redis.kill();
    goes_on_without_redis(&app, &shopper, &session).await;
    // It comes back and knows nothing.
    redis.restart().await;
    redis_is_back(&app).await;
    shopper.ask(&session, "Fifth question?").await;
    let two = TestApp::with(&settings).await;
    let there = shopper.at(&two);
    assert_eq!(told(&there, &session).await.len(), 5);
    app.stop().await;
    two.stop().await;
}

#[test]
async fn a_turn_that_loses_redis_under_way_ends_whole() {
    let Some((mut redis, settings)) = on_own_redis().await else { return };
    let fake = FakeModel::start().await;
    let settings: OwnedSettings =
        settings.into_iter().chain([backend("step", &fake.url)]).collect();
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    fake.steps.add_permits(3);
    let mut events = shopper.stream(&session, "When do boots ship?").await;
    events.until("answer.delta").await;
    redis.kill();
    fake.steps.add_permits(100);
    let end = events.until("answer.completed").await;
    assert_eq!(end.last().unwrap().data["text"], WORDS.concat());
    let history = shopper.messages(&session).await;
    assert_eq!(history[1]["text"], WORDS.concat());
    redis.restart().await;
    redis_is_back(&app).await;
    assert_eq!(shopper.messages(&session).await, history);
    app.stop().await;
    fake.stop().await;
}

#[test]
async fn what_was_erased_while_redis_was_away_is_gone_on_every_replica() {
    let Some((redis, settings)) = on_own_redis().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    let two = TestApp::with(&settings).await;
    let there = shopper.at(&two);
    shopper.ask(&session, "Forget me.").await;
    let mut reading = there.events(&session, None).await;
    reading.until("answer.completed").await;
    redis.freeze();
    sent(shopper.erase(&session)).await;
    let last = reading.rest().await.pop().unwrap();
    assert_eq!((last.name.as_str(), &last.data["problem"]["code"]), ("error", &json!("erased")));
    redis.thaw();
    redis_is_back(&app).await;
    refused(shopper.view(&session), 410, "erased").await;
    refused(there.view(&session), 410, "erased").await;
    app.stop().await;
    two.stop().await;
}

/// MariaDB of the test's own, which answers within a second or not at all.
async fn on_own_mariadb() -> Option<(Server, OwnedSettings)> {
    let stores = Stores::new().await?;
    let mariadb = Server::mariadb().await?;
    let settings = stores.with(&[
        ("store.mysql_url", mariadb.mysql_url()),
        ("store.archive_timeout_ms", "1000".to_owned()),
        ("limits.visitor_burst", "100000".to_owned()),
    ]);
    Some((mariadb, settings))
}

#[test]
async fn without_the_archive_a_message_is_refused_clearly_and_taken_again_later() {
    let Some((mut mariadb, settings)) = on_own_mariadb().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    mariadb.kill();
    let response = shopper.message(&session, "lost", "Second question?").send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    let (status, code, _) = problem(response).await;
    assert_eq!((status, code.as_str()), (503, "dependency_unavailable"));
    refused(app.get("/readyz"), 503, "dependency_unavailable").await;
    mariadb.restart().await;
    settle("the same request is taken", async || {
        status_of(shopper.message(&session, "lost", "Second question?")).await == StatusCode::OK
    })
    .await;
    assert_eq!(told(&shopper, &session).await, ["First question?", "Second question?"]);
    app.stop().await;
}

#[test]
async fn a_message_in_doubt_is_taken_once_and_answered_though_its_client_was_refused() {
    let Some((mariadb, settings)) = on_own_mariadb().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    mariadb.freeze();
    refused(shopper.message(&session, "doubt", "Second question?"), 503, "dependency_unavailable")
        .await;
    // Another message of the session must wait until it is known what became of the first one.
    refused(shopper.message(&session, "next", "Third question?"), 503, "dependency_unavailable")
        .await;
    mariadb.thaw();
    // The client does not repeat it.
    settle("it is answered", async || app.archived(&session).await == 4).await;
    let again = sent(shopper.message(&session, "doubt", "Second question?")).await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(told(&shopper, &session).await, ["First question?", "Second question?"]);
    app.stop().await;
}

#[test]
async fn an_answer_that_ends_while_the_archive_is_away_is_whole_when_it_is_back() {
    let Some((mut mariadb, settings)) = on_own_mariadb().await else { return };
    let fake = FakeModel::start().await;
    let settings: OwnedSettings =
        settings.into_iter().chain([backend("step", &fake.url)]).collect();
    for frozen in [true, false] {
        let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
        fake.steps.add_permits(3);
        let mut events = shopper.stream(&session, "When do boots ship?").await;
        events.until("answer.delta").await;
        match frozen {
            true => mariadb.freeze(),
            false => mariadb.kill(),
        }
        fake.steps.add_permits(1_000);
        app.slots_free().await;
        match frozen {
            true => mariadb.thaw(),
            false => mariadb.restart().await,
        }
        let end = events.until("answer.completed").await;
        assert_eq!(end.last().unwrap().data["text"], WORDS.concat());
        settle("the history can be read", async || {
            status_of(shopper.history(&session)).await == StatusCode::OK
        })
        .await;
        let history = shopper.messages(&session).await;
        assert_eq!((history.len(), history[1]["text"].as_str()), (2, Some(&*WORDS.concat())));
        app.stop().await;
    }
    fake.stop().await;
}

#[test]
async fn a_paused_replica_is_taken_over_and_finds_that_out() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    // Its beats are so rare that the other one takes it for dead while it streams.
    let slow = stores.with(&[
        backend("step", &fake.url),
        ("store.beat_ms", "600000".to_owned()),
        ("store.dead_after_ms", "6000000".to_owned()),
    ]);
    let quick = stores.with(&[
        backend("step", &fake.url),
        ("store.beat_ms", "50".to_owned()),
        ("store.dead_after_ms", "300".to_owned()),
    ]);
    let sleeper = TestApp::with(&slow).await;
    let (here, session) = sleeper.chatting().await;
    fake.steps.add_permits(3);
    let mut own = here.stream(&session, "When do boots ship?").await;
    own.until("answer.delta").await;
    let other = TestApp::with(&quick).await;
    let there = here.at(&other);
    settle("the turn is ended", async || {
        there.messages(&session).await.get(1).is_some_and(|answer| answer["status"] == "failed")
    })
    .await;
    fake.steps.add_permits(1_000);
    let next = there.ask(&session, "And when do tents ship?").await;
    assert_eq!(next["message"]["seq"], 3);
    // It wakes up: its answer comes too late, and it shows the end that the turn has.
    let end = own.rest().await.pop().unwrap();
    assert_eq!((end.name.as_str(), end.id.as_deref()), ("turn.failed", Some("2")));
    let third = here.ask(&session, "And socks?").await;
    assert_eq!(third["message"]["seq"], 5);
    assert_eq!(here.messages(&session).await, there.messages(&session).await);
    sleeper.stop().await;
    other.stop().await;
    fake.stop().await;
}

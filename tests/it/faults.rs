//! A store freezes or dies under a running service: it goes on with the other one, nothing acknowledged is lost, and
//! everything is as before when the store is back.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
    servers::Server,
};

/// Redis of the test's own, MariaDB shared; nothing is flushed unless the test waits for it.
async fn on_own_redis() -> Option<(Server, OwnedSettings)> {
    let stores = Stores::new().await?;
    let redis = Server::redis().await?;
    let settings = stores.with(&[
        ("store.redis_url", redis.redis_url()),
        ("store.redis_timeout_ms", "800".to_owned()),
        ("store.flush_interval_ms", "600000".to_owned()),
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

/// Waits until the hot store has been found again and knows the session as the archive does.
async fn recovered(app: &TestApp, session: &str, last_seq: u64) {
    settle("the redis is reachable again", async || hot_store(app).await == "ok").await;
    settle("the session is hot again", async || app.hot_seq(session).await == Some(last_seq)).await;
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
async fn a_frozen_redis_is_replaced_by_the_archive_and_taken_back_when_it_thaws() {
    let Some((redis, settings)) = on_own_redis().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    redis.freeze();
    goes_on_without_redis(&app, &shopper, &session).await;
    redis.thaw();
    recovered(&app, &session, 8).await;
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
    let app = TestApp::with(&settings).await;
    let shopper = app.visitor().await;
    let (session, quiet) = (shopper.session().await, shopper.session().await);
    shopper.ask(&session, "First question?").await;
    shopper.ask(&quiet, "Only Redis has this.").await;
    assert!(
        app.archive().session(quiet.parse().unwrap()).await.unwrap().is_none(),
        "flushed early"
    );
    redis.kill();
    goes_on_without_redis(&app, &shopper, &session).await;
    assert_eq!(told(&shopper, &quiet).await, ["Only Redis has this."]);
    // It comes back and knows nothing.
    redis.restart().await;
    recovered(&app, &session, 8).await;
    shopper.ask(&session, "Fifth question?").await;
    shopper.ask(&quiet, "Still there?").await;
    let two = TestApp::with(&settings).await;
    let there = shopper.at(&two);
    settle("the other replica tells all of it", async || {
        told(&there, &session).await.len() == 5 && told(&there, &quiet).await.len() == 2
    })
    .await;
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
    recovered(&app, &session, 2).await;
    assert_eq!(shopper.messages(&session).await, history);
    app.stop().await;
    fake.stop().await;
}

#[test]
async fn what_was_erased_while_redis_was_away_stays_erased() {
    let Some((redis, settings)) = on_own_redis().await else { return };
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "Forget me.").await;
    redis.freeze();
    sent(shopper.erase(&session)).await;
    refused(shopper.view(&session), 410, "erased").await;
    redis.thaw();
    settle("the hot copy is gone", async || {
        hot_store(&app).await == "ok" && app.hot_seq(&session).await.is_none()
    })
    .await;
    refused(shopper.view(&session), 410, "erased").await;
    app.stop().await;
}

#[test]
async fn without_mysql_shoppers_come_and_chat_and_all_of_it_is_archived_later() {
    let Some(stores) = Stores::new().await else { return };
    let Some(mut mariadb) = Server::mariadb().await else { return };
    let settings = stores.with(&[
        ("store.mysql_url", mariadb.mysql_url()),
        ("store.archive_timeout_ms", "1500".to_owned()),
    ]);
    let app = TestApp::with(&settings).await;
    let known = app.visitor().await;
    let session = known.session().await;
    known.ask(&session, "First question?").await;
    for frozen in [true, false] {
        if frozen {
            mariadb.freeze()
        } else {
            mariadb.kill()
        }
        known.ask(&session, "Next question?").await;
        let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
        let stranger = app.signed_in(&tokens);
        let own = stranger.session().await;
        stranger.ask(&own, "I am new here.").await;
        assert_eq!(told(&stranger, &own).await, ["I am new here."]);
        assert_eq!(status_of(app.get("/readyz")).await, StatusCode::OK);
        if frozen {
            mariadb.thaw()
        } else {
            mariadb.restart().await
        }
        settle("what was said is archived", async || app.archived(&own).await == 2).await;
        sent(app.auth("refresh", &json!({"refresh_token": tokens["refresh_token"]}))).await;
    }
    assert_eq!(told(&known, &session).await.len(), 3);
    app.stop().await;
}

#[test]
async fn without_both_stores_a_message_is_refused_clearly_and_taken_again_later() {
    let Some((mut redis, settings)) = on_own_redis().await else { return };
    let Some(mut mariadb) = Server::mariadb().await else { return };
    let more =
        [("store.mysql_url", mariadb.mysql_url()), ("store.archive_timeout_ms", "1000".to_owned())];
    let settings: OwnedSettings = settings.into_iter().chain(more).collect();
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, "First question?").await;
    redis.kill();
    mariadb.kill();
    let lost = shopper.message(&session, "lost", "Second question?");
    let response = lost.send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    let (status, code, _) = problem(response).await;
    assert_eq!((status, code.as_str()), (503, "dependency_unavailable"));
    refused(app.get("/readyz"), 503, "dependency_unavailable").await;
    mariadb.restart().await;
    redis.restart().await;
    settle("the same request is taken", async || {
        status_of(shopper.message(&session, "lost", "Second question?")).await == StatusCode::OK
    })
    .await;
    assert_eq!(told(&shopper, &session).await, ["First question?", "Second question?"]);
    app.stop().await;
}

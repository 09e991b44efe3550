//! What a replica of a newer build writes: facts that this build does not know pass through every store
//! and every reader, and change nothing about a turn.

use actix_web::rt::test;
use rushdesk::domain::{Append, Appended, Event as Fact, SessionMeta, TurnId};
use serde_json::json;

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
};

const QUESTION: &str = "When do boots ship?";

/// Appends a fact of an invented type through the journal of `app`, under this public epoch.
async fn wave(app: &TestApp, session: &str, epoch: u32) -> u64 {
    let journal = &app.app().journal;
    let opened = journal.open(session.parse().unwrap()).await.unwrap();
    let (seq, meta, from) = (opened.meta.last_seq + 1, opened.meta, opened.version);
    let event: Fact = serde_json::from_value(json!({
        "v": 1, "seq": seq, "session_id": session, "turn_id": TurnId::new(), "epoch": epoch,
        "at": rushdesk::clock::now(), "type": "agent.waved", "hand": {"left": [1, null]},
    }))
    .unwrap();
    let meta = SessionMeta { last_seq: seq, epoch, ..meta };
    // Inside a turn only its owner appends; otherwise the replica becomes the owner.
    let takes_over = from.open_turn.is_none();
    let (events, idempotency, drafts, decided) = (vec![event], None, Vec::new(), None);
    let append = Append { meta, from, takes_over, events, idempotency, drafts, decided };
    assert!(matches!(journal.append(&append).await.unwrap(), Appended::Done(_)));
    seq
}

/// This replica, and one of the newer build, which shares its stores.
async fn with_newer() -> Option<(FakeModel, TestApp, TestApp)> {
    let stores = Stores::new().await?;
    let fake = FakeModel::start().await;
    let settings = stores.with(&[backend("step", &fake.url)]);
    Some((fake, TestApp::with(&settings).await, TestApp::with(&settings).await))
}

#[test]
async fn an_unknown_fact_reaches_readers_of_every_kind_and_the_archive() {
    let Some((fake, app, newer)) = with_newer().await else { return };
    fake.steps.add_permits(1_000);
    let (shopper, session) = app.chatting().await;
    shopper.ask(&session, QUESTION).await;
    let mut events = shopper.events(&session, Some("2")).await;
    let mut socket = Socket::open(&shopper, &session, Some("2")).await;
    let seq = wave(&newer, &session, 0).await;
    let seen = events.until("agent.waved").await;
    let waved = seen.last().unwrap();
    assert_eq!((seq, waved.id.as_deref()), (3, Some("3")));
    assert_eq!(waved.data["hand"], json!({"left": [1, null]}));
    let frames = socket.until("agent.waved").await;
    assert_eq!(frames.last().unwrap()["hand"], json!({"left": [1, null]}));
    // The session goes on, hot and cold.
    shopper.ask(&session, "And slippers?").await;
    assert_eq!(app.archived(&session).await, 5);
    app.forget(&session).await;
    shopper.ask(&session, "And sandals?").await;
    let roles: Vec<_> = shopper.messages(&session).await;
    assert_eq!(roles.len(), 6, "an aside is no message: {roles:?}");
    let again = shopper.events(&session, Some("2")).await.until("answer.completed").await;
    let names: Vec<_> = again.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["agent.waved", "message.created", "answer.completed"]);
    drop((events, socket));
    app.stop().await;
    newer.stop().await;
    fake.stop().await;
}

#[test]
async fn an_unknown_fact_inside_a_turn_is_no_end_of_it() {
    let Some((fake, app, newer)) = with_newer().await else { return };
    let (shopper, session) = app.chatting().await;
    fake.steps.add_permits(3);
    let mut own = shopper.stream(&session, QUESTION).await;
    let mut all = shopper.events(&session, None).await;
    own.until("answer.delta").await;
    wave(&app, &session, 0).await;
    fake.steps.add_permits(1_000);
    let end = own.rest().await;
    let end = end.last().unwrap();
    assert_eq!((end.id.as_deref(), &end.data["text"]), (Some("3"), &json!(WORDS.concat())));
    let seen = all.until("answer.completed").await;
    let durable: Vec<_> = seen.iter().filter_map(|event| event.id.as_deref()).collect();
    assert!(durable.contains(&"2"), "the reader missed the aside: {durable:?}");
    drop((own, all));
    app.stop().await;
    newer.stop().await;
    fake.stop().await;
}

#[test]
async fn the_late_end_of_a_turn_under_an_older_epoch_is_a_cancelled_turn() {
    let Some((fake, app, newer)) = with_newer().await else { return };
    let (shopper, session) = app.chatting().await;
    fake.steps.add_permits(3);
    let mut own = shopper.stream(&session, QUESTION).await;
    own.until("answer.delta").await;
    wave(&app, &session, 1).await;
    fake.steps.add_permits(1_000);
    let rest = own.rest().await;
    let replaced = rest.iter().rfind(|event| event.name == "answer.replaced").unwrap();
    assert_eq!(replaced.data["reason"], "control_changed");
    let end = rest.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["epoch"]), ("turn.cancelled", &json!(1)));
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "cancelled");
    assert_eq!(messages[1]["text"], "", "the bot said something after it lost control");
    drop(own);
    app.stop().await;
    newer.stop().await;
    fake.stop().await;
}

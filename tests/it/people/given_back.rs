//! An agent who vanishes with a conversation loses it: it goes back to the queue, and the shopper
//! is told, once.

use std::time::Duration;

use actix_web::rt::test;
use futures_util::future::join_all;
use serde_json::json;

use super::{WISH, id_of, names, on_duty, takeover::generous};
use crate::{crash, distributed::Stores, harness::*, servers::free_port};

/// Long enough for a busy machine.
const SILENCE: Duration = Duration::from_secs(3);

fn impatient() -> OwnedSettings {
    let silence = SILENCE.as_millis().to_string();
    vec![("handoff.away_after_ms", silence.clone()), ("handoff.give_back_after_ms", silence)]
}

const LOST: [&str; 5] =
    ["handoff.ended", "control.changed", "handoff.requested", "handoff.queued", "answer.completed"];

#[test]
async fn somebody_else_takes_over_from_an_agent_who_is_silent() {
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &impatient()).await;
    let (mara, noor) = (on_duty(&app, "Mara").await, app.agent("Noor").await);
    let turn = shopper.ask(&session, "Ich möchte mit einem Menschen sprechen").await;
    assert_eq!(turn["answer"]["route"], "human", "{turn}");
    ok(mara.accept(&session)).await;
    let mut events = shopper.events(&session, Some("6")).await;
    // Another one asked before Mara fell silent, and has waited for longer than this one will have.
    ok(noor.presence("online", 3)).await;
    let (other, waits) = app.chatting().await;
    ok(other.handoff(&waits)).await;
    settle("the conversation is in the queue", async || {
        ok(noor.presence("online", 3)).await;
        ok(noor.desk()).await["waiting"].as_array().unwrap().len() == 2
    })
    .await;
    let desk = ok(noor.desk()).await;
    let (first, second) = (&desk["waiting"][0], &desk["waiting"][1]);
    assert_eq!(
        (&first["session_id"], &first["position"], &first["urgent"]),
        (&json!(session), &json!(1), &json!(true))
    );
    assert_eq!((&second["session_id"], second["urgent"].is_null()), (&json!(waits), true));
    let seen = events.until("answer.completed").await;
    assert_eq!(names(&seen), LOST);
    let ended = &seen[0].data;
    assert_eq!(
        (&ended["by"], &ended["to"], &ended["reason"]),
        (&json!("service"), &json!("queue"), &json!("agent_away"))
    );
    let text = seen[4].data["text"].as_str().unwrap();
    assert!(text.contains("nicht mehr da") && text.contains("übernimmt"), "{text}");
    refused(mara.say(&session, "late", "I am back", 9), 409, "control_conflict").await;
    assert_eq!(ok(noor.accept(&session)).await["controller"], json!(of(&noor).await));
    drop(events);
    app.stop().await;
}

async fn of(agent: &Shopper) -> String {
    format!("agent:{}", id_of(agent).await)
}

#[test]
async fn with_nobody_there_the_shopper_reads_what_works_instead_and_the_agent_may_come_back() {
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &impatient()).await;
    let agent = on_duty(&app, "Mara").await;
    shopper.ask(&session, WISH).await;
    ok(agent.accept(&session)).await;
    let mut events = shopper.events(&session, Some("6")).await;
    let seen = events.until("answer.completed").await;
    assert_eq!(names(&seen), LOST);
    let text = seen[4].data["text"].as_str().unwrap();
    assert!(text.contains("at the moment nobody else is"), "{text}");
    assert_eq!(ok(agent.desk()).await["waiting"][0]["session_id"], json!(session));
    assert_eq!(ok(agent.accept(&session)).await["epoch"], 3);
    drop(events);
    app.stop().await;
}

#[test]
async fn an_agent_of_whom_something_is_heard_keeps_the_conversation() {
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &impatient()).await;
    let (mara, noor) = (app.agent("Mara").await, app.agent("Noor").await);
    // Neither of them is on duty: one says so again and again, the other one only writes.
    ok(mara.accept(&session)).await;
    let second = shopper.session().await;
    ok(noor.accept(&second)).await;
    for nth in 0..4 {
        tokio::time::sleep(SILENCE / 2).await;
        ok(mara.presence("away", 1)).await;
        sent(noor.say(&second, &format!("n{nth}"), "One moment", 0)).await;
    }
    for (session, agent) in [(&session, &mara), (&second, &noor)] {
        let view = ok(shopper.view(session)).await;
        assert_eq!(view["controller"], json!(of(agent).await));
    }
    app.stop().await;
}

/// Conversations that are lost at once.
const MANY: usize = 20;

#[test]
async fn two_replicas_give_each_conversation_back_once_though_one_is_killed() {
    let Some(stores) = Stores::new().await else { return };
    let settings = stores.with(&[impatient(), generous()].concat());
    let one = TestApp::with(&settings).await;
    let two = crash::Server::start(&settings, free_port()).await;
    let agent = on_duty(&one, "Mara").await;
    let shopper = one.visitor().await;
    let sessions = join_all((0..MANY).map(async |_| {
        let session = shopper.session().await;
        ok(agent.accept(&session)).await;
        session
    }))
    .await;
    // In the middle of it.
    settle("the first one is given back", async || {
        let views = join_all(sessions.iter().map(|session| ok(shopper.view(session)))).await;
        views.iter().any(|view| view["controller"] == "bot")
    })
    .await;
    drop(two);
    settle("all are given back", async || {
        let views = join_all(sessions.iter().map(|session| ok(shopper.view(session)))).await;
        views.iter().all(|view| view["controller"] == "bot")
    })
    .await;
    // A second one would come with the next round.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    for session in &sessions {
        let view = ok(shopper.view(session)).await;
        assert_eq!((&view["epoch"], &view["last_seq"]), (&json!(2), &json!(8)), "{view}");
        let seen = shopper.events(session, Some("3")).await.until("answer.completed").await;
        assert_eq!(names(&seen), LOST);
    }
    let desk = ok(agent.desk()).await;
    assert_eq!(desk["waiting"].as_array().unwrap().len(), MANY);
    one.stop().await;
}

#[test]
async fn nobody_is_given_a_conversation_who_is_away_or_has_enough() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let (mara, noor) = (on_duty(&app, "Mara").await, app.agent("Noor").await);
    ok(mara.accept(&session)).await;
    let to = id_of(&noor).await;
    let unavailable = async |why: &str| {
        let problem = refused(mara.transfer(&session, &to), 409, "agent_unavailable").await;
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    };
    unavailable("away").await;
    ok(noor.presence("online", 1)).await;
    let second = shopper.session().await;
    ok(noor.accept(&second)).await;
    unavailable("takes 1 at once").await;
    ok(noor.close(&second)).await;
    assert_eq!(ok(mara.transfer(&session, &to)).await["controller"], json!(of(&noor).await));
    app.stop().await;
}

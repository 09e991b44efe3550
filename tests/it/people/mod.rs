//! Conversations that people take over.

mod control;
mod csat;
mod desk_events;
mod disabled;
mod ended;
mod given_back;
mod notes;
mod takeover;
mod typing;

use actix_web::rt::test;
use serde_json::{Value, json};

use crate::harness::*;

/// How the service answers a wish for a person.
const WISH: &str = "I want to talk to a human";

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn id_of(person: &Shopper) -> String {
    ok(person.me()).await["id"].as_str().unwrap().to_owned()
}

/// An agent of the demo shop who is on duty.
async fn on_duty(app: &TestApp, name: &str) -> Shopper {
    let agent = app.agent(name).await;
    ok(agent.presence("online", 3)).await;
    agent
}

#[test]
async fn a_person_is_asked_for_comes_speaks_and_leaves() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    let mut events = shopper.events(&session, None).await;
    let waits = ok(shopper.handoff(&session)).await;
    assert!(waits["handoff"].is_string(), "{waits}");
    assert_eq!((&waits["controller"], &waits["epoch"]), (&json!("bot"), &json!(0)));
    assert_eq!(ok(shopper.handoff(&session)).await["handoff"], waits["handoff"], "once is enough");
    let desk = ok(agent.desk()).await;
    let waiting = &desk["waiting"][0];
    assert_eq!((&waiting["session_id"], &waiting["position"]), (&json!(session), &json!(1)));
    assert_eq!(desk["agents"][0]["name"], "Mara");
    let has = ok(agent.accept(&session)).await;
    let controller = format!("agent:{}", id_of(&agent).await);
    assert_eq!((&has["controller"], &has["epoch"]), (&json!(controller), &json!(1)));
    let desk = ok(agent.desk()).await;
    assert_eq!(
        (desk["waiting"].as_array().unwrap().len(), &desk["active"][0]["session_id"]),
        (0, &json!(session))
    );
    let response = agent.say(&session, "k1", "Hello, this is Mara.", 0).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let said = body(response).await;
    let message = &said["message"];
    assert_eq!((&message["role"], &message["agent"]["name"]), (&json!("agent"), &json!("Mara")));
    let delivered = shopper.message(&session, "s1", "Hi Mara!").send().await.unwrap();
    assert_eq!(delivered.status(), 202);
    let delivered = body(delivered).await;
    assert_eq!((&delivered["status"], &delivered["seq"]), (&json!("delivered"), &json!(6)));
    let left = ok(agent.release(&session, "bot")).await;
    assert_eq!((&left["controller"], &left["epoch"]), (&json!("bot"), &json!(2)));
    assert!(left["handoff"].is_null(), "{left}");
    let turn = shopper.ask(&session, "What is the price guarantee?").await;
    assert_eq!(turn["status"], "completed", "the assistant answers again: {turn}");
    let seen = events.until("answer.completed").await;
    let durable = names(&seen);
    let expected = [
        "handoff.requested",
        "handoff.queued",
        "handoff.accepted",
        "control.changed",
        "agent.message",
        "message.delivered",
        "handoff.ended",
        "control.changed",
        "message.created",
    ];
    assert_eq!(durable[..expected.len()], expected);
    let epochs: Vec<_> =
        seen[..9].iter().map(|event| event.data["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, [0, 0, 0, 1, 1, 1, 1, 2, 2]);
    let roles: Vec<Value> =
        shopper.messages(&session).await.iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles, ["agent", "user", "user", "assistant"]);
    drop(events);
    app.stop().await;
}

#[test]
async fn nobody_is_promised_who_is_not_there() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = app.agent("Mara").await;
    for away in [false, true] {
        if away {
            // Somebody who says that they are away is not there.
            ok(agent.presence("online", 1)).await;
            ok(agent.presence("away", 1)).await;
        }
        refused(shopper.handoff(&session), 409, "nobody_on_duty").await;
        let turn = shopper.ask(&session, WISH).await;
        assert_ne!(turn["answer"]["route"], "human", "{turn}");
    }
    let desk = ok(agent.desk()).await;
    assert_eq!(desk, json!({ "waiting": [], "active": [], "agents": [] }));
    app.stop().await;
}

#[test]
async fn an_agent_who_is_not_heard_of_is_away() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("handoff.away_after_ms", "300".to_owned())]).await;
    let agent = on_duty(&app, "Mara").await;
    settle("the agent is away", async || ok(agent.desk()).await["agents"] == json!([])).await;
    refused(shopper.handoff(&session), 409, "nobody_on_duty").await;
    app.stop().await;
}

#[test]
async fn a_wish_for_a_person_is_a_handoff_and_the_answer_says_what_is_so() {
    let app = TestApp::start().await;
    let agent = on_duty(&app, "Mara").await;
    for (wish, word) in [(WISH, "person"), ("Ich möchte mit einem Menschen sprechen", "Mensch")] {
        let (shopper, session) = app.chatting().await;
        let turn = shopper.ask(&session, wish).await;
        let answer = &turn["answer"];
        assert_eq!(answer["route"], "human", "{turn}");
        assert!(answer["text"].as_str().unwrap().contains(word), "{answer}");
        let view = ok(shopper.view(&session)).await;
        let desk = ok(agent.desk()).await;
        let waiting = desk["waiting"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&waiting["handoff_id"], &waiting["session_id"]),
            (&view["handoff"], &json!(session))
        );
        // Once more is no second handoff, and simple questions are still answered.
        let again = shopper.ask(&session, wish).await;
        assert_eq!(again["answer"]["route"], "human");
        assert_ne!(again["answer"]["text"], answer["text"], "it knows that somebody waits");
        assert_eq!(ok(shopper.view(&session)).await["handoff"], view["handoff"]);
        shopper.ask(&session, "What is the price guarantee?").await;
        let events = shopper.events(&session, Some("1")).await.until("answer.completed").await;
        let facts = names(&events);
        assert_eq!(facts, ["handoff.requested", "handoff.queued", "answer.completed"]);
    }
    // The second one was told that there is one before.
    let desk = ok(agent.desk()).await;
    assert_eq!(desk["waiting"][1]["position"], 2);
    app.stop().await;
}

#[test]
async fn a_shopper_who_waits_may_go_back_to_the_assistant() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    for is_taken in [false, true] {
        ok(shopper.handoff(&session)).await;
        if is_taken {
            ok(agent.accept(&session)).await;
        }
        let back = ok(shopper.release(&session, "bot")).await;
        assert_eq!((&back["controller"], back["handoff"].is_null()), (&json!("bot"), true));
        let desk = ok(agent.desk()).await;
        assert_eq!((&desk["waiting"], &desk["active"]), (&json!([]), &json!([])));
    }
    refused(shopper.release(&session, "queue"), 403, "forbidden").await;
    app.stop().await;
}

#[test]
async fn a_handoff_that_nobody_takes_ends_and_says_how_to_reach_the_shop() {
    let settings = [("handoff.wait_ms", "300".to_owned())];
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    let agent = on_duty(&app, "Mara").await;
    let mut events = shopper.events(&session, None).await;
    ok(shopper.handoff(&session)).await;
    let seen = events.until("answer.completed").await;
    let expected = ["handoff.requested", "handoff.queued", "handoff.ended", "answer.completed"];
    assert_eq!(names(&seen), expected);
    let ended = &seen[2].data;
    assert_eq!((&ended["by"], &ended["to"]), (&json!("service"), &json!("bot")));
    assert!(seen[3].data["text"].as_str().unwrap().contains("in time"), "{seen:?}");
    assert_eq!(ok(agent.desk()).await["waiting"], json!([]));
    assert!(ok(shopper.view(&session)).await["handoff"].is_null());
    drop(events);
    app.stop().await;
}

#[test]
async fn the_model_knows_later_what_a_person_said() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    sent(shopper.message(&session, "s1", "Is the blue kayak still there?")).await;
    sent(agent.say(&session, "a1", "Yes, the last one is put aside for you.", 4)).await;
    ok(agent.release(&session, "bot")).await;
    shopper.ask(&session, "And how long will it be kept for me?").await;
    let prompt = app.model().last_prompt();
    for said in ["blue kayak", "put aside for you"] {
        assert!(prompt.contains(said), "{said}: {prompt}");
    }
    app.stop().await;
}

#[test]
async fn an_erased_conversation_leaves_the_desk() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    ok(shopper.handoff(&session)).await;
    sent(shopper.erase(&session)).await;
    assert_eq!(ok(agent.desk()).await["waiting"], json!([]));
    refused(agent.accept(&session), 404, "not_found").await;
    app.stop().await;
}

#[test]
async fn what_a_shopper_asks_of_people_costs_quota_like_a_message() {
    let settings = [("limits.visitor_burst", "3".to_owned())];
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    on_duty(&app, "Mara").await;
    for to in ["bot", "queue", "bot"] {
        match to {
            "bot" => ok(shopper.release(&session, "bot")).await,
            _ => ok(shopper.handoff(&session)).await,
        };
    }
    for request in
        [shopper.handoff(&session), shopper.release(&session, "bot"), shopper.close(&session)]
    {
        refused(request, 429, "rate_limited").await;
    }
    app.stop().await;
}

#[test]
async fn with_nobody_there_the_shopper_reads_when_somebody_is() {
    // The demo shop is closed today, and open all of the other days.
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let hours =
        format!("hours={{zone=\"Etc/UTC\",open=[\"mon-sun 00:00-24:00\"],closed=[\"{today}\"]}}");
    let sites = format!("[{{id=\"demo\",name=\"Demo\",site_key=\"pk_demo\",{hours}}}]");
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &[("sites", sites)]).await;
    let turn = shopper.ask(&session, WISH).await;
    let text = turn["answer"]["text"].as_str().unwrap();
    assert!(text.contains("Our team is here again: ") && text.contains("00:00"), "{text}");
    let agent = on_duty(&app, "Mara").await;
    let turn = shopper.ask(&session, WISH).await;
    let text = turn["answer"]["text"].as_str().unwrap();
    assert!(!text.contains("here again"), "somebody is there after all: {text}");
    ok(agent.presence("away", 1)).await;
    app.stop().await;
}

//! Service levels and tickets from outside: what a turn gets at each level, and that no question is left behind.

use actix_web::rt::test;
use rushdesk::{
    domain::{Answer, Fact, Route, Ticket, TicketId},
    session::deliver::{self, Deliver, Delivered},
};
use serde_json::{Value, json};

use super::{
    distributed::Stores,
    fake_model::{FakeModel, WORDS},
    harness::*,
};

/// Nothing in the demo shop's knowledge answers this.
const UNKNOWN: &str = "Zzyzx qwerty?";

async fn pin(app: &TestApp, level: Option<u8>) -> Value {
    ok(app.admin().await.set_modes(&json!({ "service_level": level }))).await
}

/// The messages that answer a ticket.
fn late(messages: &[Value]) -> Vec<&Value> {
    messages.iter().filter(|message| message["ticket"]["state"] == "answered").collect()
}

/// Asks at level 4 and gives the ticket's id.
async fn open_ticket(shopper: &Shopper, session: &str) -> String {
    let turn = shopper.ask(session, UNKNOWN).await;
    assert_eq!(turn["answer"]["route"], "template", "{turn}");
    assert_eq!(turn["answer"]["service_level"], 4, "{turn}");
    assert_eq!(turn["answer"]["ticket"]["state"], "open", "{turn}");
    turn["answer"]["ticket"]["id"].as_str().unwrap().to_owned()
}

async fn answered_once(app: &TestApp, shopper: &Shopper, session: &str, ticket: &str) {
    settle("the ticket's answer is in the session", async || {
        !late(&shopper.messages(session).await).is_empty()
    })
    .await;
    settle("the ticket is closed", async || app.archive().open_tickets().await.unwrap() == 0).await;
    let messages = shopper.messages(session).await;
    let late = late(&messages);
    assert_eq!(late.len(), 1, "{messages:?}");
    assert_eq!(late[0]["ticket"]["id"], ticket);
    assert_eq!(late[0]["text"], WORDS.concat());
    assert_eq!(late[0]["role"], "assistant");
}

#[test]
async fn a_question_at_the_last_level_is_kept_and_answered_when_service_is_back() {
    let app = TestApp::with_model("ok").await;
    assert_eq!(pin(&app, Some(4)).await["in_force"], 4);
    let (shopper, session) = app.chatting().await;
    let ticket = open_ticket(&shopper, &session).await;
    assert_eq!(app.archive().open_tickets().await.unwrap(), 1);
    assert_eq!(app.model().requests(), 0, "an order keeps the model out");
    // What the knowledge is sure of is answered all the same, and a greeting is no ticket.
    let other = shopper.session().await;
    let known = shopper.ask(&other, "How long do I have to return something?").await;
    assert_eq!(known["answer"]["route"], "knowledge", "{known}");
    assert_eq!(shopper.ask(&session, "Hello!").await["answer"].get("ticket"), None);

    let mut events = shopper.events(&session, Some("4")).await;
    pin(&app, None).await;
    let end = events.until("answer.completed").await.pop().unwrap();
    assert_eq!(end.data["ticket"], json!({"id": ticket, "state": "answered"}));
    assert_eq!((end.id.as_deref(), &end.data["seq"]), (Some("5"), &json!(5)));
    assert_eq!(end.data["service_level"], 0);
    answered_once(&app, &shopper, &session, &ticket).await;
    // The conversation goes on.
    let next = shopper.ask(&session, "When do boots ship?").await;
    assert_eq!(next["message"]["seq"], 6, "{next}");
    drop(events);
    app.stop().await;
}

#[test]
async fn a_ticket_and_a_pin_survive_a_restart() {
    let fake = FakeModel::start().await;
    let settings = [backend("ok", &fake.url)];
    let app = TestApp::with(&settings).await;
    pin(&app, Some(4)).await;
    let (shopper, session) = app.chatting().await;
    let ticket = open_ticket(&shopper, &session).await;
    let data = app.stop().await;

    let app = TestApp::in_folder(data, &settings).await;
    let shopper = shopper.at(&app);
    let now = app.status().await;
    assert_eq!((&now["service_level"], &now["pinned"]), (&json!(4), &json!(true)), "{now}");
    assert_eq!(app.archive().open_tickets().await.unwrap(), 1);
    pin(&app, None).await;
    answered_once(&app, &shopper, &session, &ticket).await;
    app.stop().await;
}

#[test]
async fn a_ticket_goes_through_redis_and_mariadb_and_is_answered_by_another_process() {
    let Some(stores) = Stores::new().await else { return };
    let fake = FakeModel::start().await;
    let settings = stores.with(&[backend("ok", &fake.url)]);
    let app = TestApp::with(&settings).await;
    let other = TestApp::with(&settings).await;
    pin(&app, Some(4)).await;
    settle("the other replica holds the level", async || other.status().await["pinned"] == true)
        .await;
    let (shopper, session) = app.chatting().await;
    let ticket = open_ticket(&shopper, &session).await;
    app.stop().await;

    assert_eq!(other.archive().open_tickets().await.unwrap(), 1);
    let shopper = shopper.at(&other);
    pin(&other, None).await;
    answered_once(&other, &shopper, &session, &ticket).await;
    other.stop().await;
}

#[test]
async fn an_answer_to_a_ticket_waits_for_the_turn_that_runs() {
    let app = TestApp::with_model("step").await;
    pin(&app, Some(4)).await;
    let (shopper, session) = app.chatting().await;
    let ticket = open_ticket(&shopper, &session).await;
    pin(&app, Some(0)).await;
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("message.created").await;
    settle("both are at the model", async || app.model().open() == 2).await;
    app.model().steps.add_permits(100);
    assert_eq!(stream.rest().await.last().unwrap().data["text"], WORDS.concat());
    answered_once(&app, &shopper, &session, &ticket).await;
    assert_eq!(shopper.messages(&session).await.len(), 5);
    app.stop().await;
}

#[test]
async fn a_delivery_that_is_done_again_changes_nothing() {
    let app = TestApp::with(&[backend("ok", "http://127.0.0.1:9")]).await;
    pin(&app, Some(4)).await;
    let (shopper, session) = app.chatting().await;
    let ticket: TicketId = open_ticket(&shopper, &session).await.parse().unwrap();
    let answer = Fact::AnswerCompleted(Answer {
        ticket: Some(Ticket::answered(ticket)),
        ..Answer::new(WORDS.concat(), Route::Model)
    });
    let deliver = async || {
        let message = || Deliver { key: deliver::key(ticket), ending: answer.clone().into() };
        app.app().sessions.ask(session.parse().unwrap(), message).await.unwrap()
    };
    assert_eq!(deliver().await, Delivered::Now);
    assert_eq!(deliver().await, Delivered::Before);
    // Also when the session has been away meanwhile.
    app.forget(&session).await;
    assert_eq!(shopper.messages(&session).await.len(), 3);
    assert_eq!(deliver().await, Delivered::Before);
    answered_once(&app, &shopper, &session, &ticket.to_string()).await;
    app.stop().await;
}

#[test]
async fn erasing_a_session_erases_its_ticket() {
    let app = TestApp::with_model("ok").await;
    pin(&app, Some(4)).await;
    let (shopper, session) = app.chatting().await;
    open_ticket(&shopper, &session).await;
    let receipt = ok(shopper.erase(&session)).await;
    assert_eq!(receipt["tickets"], 1, "{receipt}");
    assert_eq!(app.archive().open_tickets().await.unwrap(), 0);
    app.stop().await;
}

/// One slot, one place in the queue, and a ladder that stays where it is.
async fn full_house(tickets: bool) -> TestApp {
    let settings = [
        ("inference.max_queue", "1".to_owned()),
        ("brownout.climb_ms", "[600000, 600001, 600002, 600003]".to_owned()),
        ("brownout.longest_wait_ms", "[60000, 60000, 60000, 60000, 60000]".to_owned()),
        ("brownout.tickets", tickets.to_string()),
    ];
    TestApp::with_slots(1, "step", &settings).await
}

#[test]
async fn whoever_finds_the_queue_full_gets_a_ticket_and_then_the_answer() {
    let app = full_house(true).await;
    let (first, session) = app.chatting().await;
    let mut answered = first.stream(&session, "Zzyzx one?").await;
    settle("the model is busy", async || app.model().open() == 1).await;
    let (second, session) = app.chatting().await;
    let mut queued = second.stream(&session, "Zzyzx two?").await;
    settle("somebody waits", async || app.status().await["queue_depth"] == 1).await;
    let (third, session) = app.chatting().await;
    let turn = third.ask(&session, "Zzyzx three?").await;
    assert_eq!(turn["answer"]["service_level"], 0, "{turn}");
    let ticket = turn["answer"]["ticket"]["id"].as_str().unwrap_or_else(|| panic!("{turn}"));
    app.model().steps.add_permits(200);
    for stream in [&mut answered, &mut queued] {
        assert_eq!(stream.rest().await.last().unwrap().data["text"], WORDS.concat());
    }
    answered_once(&app, &third, &session, ticket).await;
    app.stop().await;
}

#[test]
async fn without_tickets_whoever_finds_the_queue_full_is_told_when_to_come_back() {
    let app = full_house(false).await;
    let mut streams = Vec::new();
    for n in 0..2 {
        let (shopper, session) = app.chatting().await;
        streams.push(shopper.stream(&session, &format!("Zzyzx number {n}?")).await);
    }
    settle("somebody waits", async || app.status().await["queue_depth"] == 1).await;
    let (shopper, session) = app.chatting().await;
    let turn = body(shopper.message(&session, "k", UNKNOWN).send().await.unwrap()).await;
    assert_eq!(turn["problem"]["code"], "overloaded", "{turn}");
    assert!(turn["problem"]["retry_after_ms"].is_u64(), "{turn}");
    app.model().steps.add_permits(200);
    for stream in &mut streams {
        assert_eq!(stream.rest().await.last().unwrap().name, "answer.completed");
    }
    app.stop().await;
}

#[test]
async fn the_level_is_told_and_from_the_first_one_answers_are_short_and_stay_out_of_the_cache() {
    let app = TestApp::with_model("ok").await;
    let question = "Which payment methods do you accept?";
    let mut asked = Vec::new();
    for level in [Some(1), Some(2), None] {
        pin(&app, level).await;
        let (shopper, session) = app.chatting().await;
        let events = shopper.stream(&session, question).await.rest().await;
        let level = json!(level.unwrap_or(0));
        for name in ["turn.started", "answer.completed"] {
            let event = events.iter().find(|event| event.name == name).unwrap();
            assert_eq!(event.data["service_level"], level, "{event:?}");
        }
        asked.push(app.model().last_body()["max_tokens"].clone());
        assert_eq!(app.model().last_prompt().contains("two short sentences"), level != 0);
        assert_eq!(app.cached().await, usize::from(level == 0));
    }
    assert_eq!(asked, [json!(160), json!(160), json!(512)]);
    assert_eq!(app.model().requests(), 3);
    app.stop().await;
}

#[test]
async fn a_question_that_others_ask_too_is_answered_in_full_and_then_from_the_cache() {
    let settings = [
        ("brownout.climb_ms", "[1, 600000, 600000, 600000]".to_owned()),
        ("brownout.dwell_ms", "1".to_owned()),
    ];
    let app = TestApp::with_slots(1, "step", &settings).await;
    // One holds the slot and one waits for it; the way down takes a minute of calm.
    let (first, second) = (app.visitor().await, app.visitor().await);
    app.model().steps.add_permits(2);
    let mut held = first.stream(&first.session().await, UNKNOWN).await;
    held.until("answer.delta").await;
    let mut waits = second.stream(&second.session().await, "Xyzzy plugh?").await;
    settle("somebody waits", async || app.status().await["service_level"] == 1).await;
    app.model().steps.add_permits(1000);
    held.until("answer.completed").await;
    waits.until("answer.completed").await;
    let before = app.model().requests();
    let (mut routes, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let turn = app.ask("Which payment methods do you accept?").await;
        assert_eq!(turn["answer"]["service_level"], 1, "{turn}");
        routes.push(turn["answer"]["route"].clone());
        asked.push(app.model().last_body()["max_tokens"].clone());
    }
    assert_eq!(routes, ["model", "model", "model", "exact"]);
    assert_eq!(asked[..3], [json!(160), json!(512), json!(512)]);
    assert_eq!(app.model().requests(), before + 3);
    app.stop().await;
}

#[test]
async fn from_the_second_level_on_a_small_model_answers() {
    let fake = FakeModel::start().await;
    let backend = |name: &str, tier: &str| {
        let url = &fake.url;
        format!(
            "{{name=\"{name}\",kind=\"vllm\",url=\"{url}\",model=\"{name}\",slots=4,tier=\"{tier}\"}}"
        )
    };
    let both = format!("[{}, {}]", backend("large", "full"), backend("little", "small"));
    let app = TestApp::with(&[("inference.backends", both)]).await;
    let shopper = app.visitor().await;
    for (level, model) in [(1, "large"), (2, "little")] {
        pin(&app, Some(level)).await;
        let session = shopper.session().await;
        assert_eq!(shopper.ask(&session, UNKNOWN).await["answer"]["route"], "model");
        assert_eq!(fake.last_body()["model"], model);
    }
    app.stop().await;
}

#[test]
async fn at_the_third_level_the_knowledge_comes_before_the_model() {
    let app = TestApp::with_model("ok").await;
    pin(&app, Some(3)).await;
    let shopper = app.visitor().await;
    for (question, route, requests) in
        [("How long do I have to return something?", "knowledge", 0), (UNKNOWN, "model", 1)]
    {
        let session = shopper.session().await;
        let turn = shopper.ask(&session, question).await;
        assert_eq!(turn["answer"]["route"], route, "{turn}");
        assert_eq!(turn["answer"]["service_level"], 3, "{turn}");
        assert_eq!(app.model().requests(), requests);
    }
    app.stop().await;
}

#[test]
async fn a_client_that_cannot_be_reached_later_gets_an_honest_no_instead_of_a_ticket() {
    let app = TestApp::with_model("ok").await;
    pin(&app, Some(4)).await;
    let shopper = app.visitor().await;
    let ask = json!({"model": "rushdesk", "messages": [{"role": "user", "content": UNKNOWN}]});
    let response = shopper.complete(&ask).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!((app.model().requests(), app.archive().open_tickets().await.unwrap()), (0, 0));
    app.stop().await;
}

#[test]
async fn only_an_admin_sets_the_level_and_it_is_written_down() {
    let app = TestApp::start().await;
    let (shopper, admin) = (app.visitor().await, app.admin().await);
    refused(shopper.modes(), 403, "forbidden").await;
    refused(shopper.set_modes(&json!({"service_level": 4})), 403, "forbidden").await;
    refused(admin.set_modes(&json!({"service_level": 5})), 422, "schema_violation").await;
    for wrong in [json!({}), json!({"service_level": "high"}), json!({"level": 1})] {
        let response = admin.set_modes(&wrong).send().await.unwrap();
        assert!([400, 422].contains(&response.status().as_u16()), "{response:?}");
    }
    assert_eq!(app.status().await["pinned"], false);
    let set = ok(admin.set_modes(&json!({"service_level": 2}))).await;
    assert_eq!(set, json!({"service_level": 2, "in_force": 2, "automatic": 0}));
    assert_eq!(ok(admin.modes()).await, set);
    assert_eq!(app.status().await["service_level"], 2);
    sent(admin.set_modes(&json!({"service_level": null}))).await;
    assert_eq!(app.status().await["service_level"], 0);
    let audit = ok(admin.audit()).await;
    assert_eq!(audit["items"][1]["action"], "modes.set", "{audit}");
    assert_eq!(audit["items"][1]["detail"], json!({"service_level": 2}));
    app.stop().await;
}

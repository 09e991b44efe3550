//! The life of a session: made, listed, read hot and cold, kept over a restart, erased; and what operators see.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    fake_model::{FakeModel, WORDS},
    harness::*,
};

const QUESTION: &str = "What is the price guarantee?";

#[test]
async fn a_new_session_has_the_shape_of_the_contract() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let request = shopper.new_session(&json!({"locale": "de-AT"}));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let session = body(response).await;
    assert_eq!(location, format!("/v1/sessions/{}", session["id"].as_str().unwrap()));
    assert_eq!(session["site_id"], "demo");
    assert_eq!(session["last_seq"], 0);
    assert_eq!((&session["state"], &session["controller"]), (&json!("open"), &json!("bot")));
    assert_eq!((&session["epoch"], &session["locale"]), (&json!(0), &json!("de-AT")));
    assert!(session.get("owner").is_none(), "{session}");
    let read = ok(shopper.get(&location)).await;
    assert_eq!(read, session);
    for locale in ["", "-", "d e", "<b>", "x-".repeat(20).as_str()] {
        let request = shopper.new_session(&json!({ "locale": locale }));
        refused(request, 422, "schema_violation").await;
    }
    app.stop().await;
}

#[test]
async fn sessions_are_listed_newest_first_and_page_by_page() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.insert(0, shopper.session().await);
    }
    app.visitor().await.session().await;
    // Those that left memory are listed like others.
    app.forget(&expected[1]).await;
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let after = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = shopper.get(&format!("/v1/sessions?limit=2{after}")).send().await.unwrap();
        let page = body(page).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        pages += 1;
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (expected, 3));
    app.stop().await;
}

#[test]
async fn the_history_comes_page_by_page_without_a_gap() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    for _ in 0..3 {
        shopper.ask(&session, QUESTION).await;
    }
    let whole = shopper.messages(&session).await;
    let seqs: Vec<_> = whole.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    let (mut seen, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let path = format!("/v1/sessions/{session}/messages?limit=4&after_seq={after}");
        let page = ok(shopper.get(&path)).await;
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, whole);
    app.stop().await;
}

#[test]
async fn the_history_is_the_same_hot_passivated_and_cold() {
    let settings =
        [("sessions.idle_timeout_s", "0".to_owned()), ("sessions.max_sessions", "1".to_owned())];
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    shopper.ask(&session, QUESTION).await;
    let hot = shopper.messages(&session).await;
    assert_eq!(hot.len(), 2);
    // There is room for one: another session is served once the first has left.
    let other = shopper.session().await;
    settle("the first session made room", async || {
        status_of(shopper.view(&other)).await == StatusCode::OK
    })
    .await;
    let history = async || {
        let response = shopper.history(&session).send().await.unwrap();
        response.status().is_success().then_some(response)
    };
    settle("the other made room", async || history().await.is_some()).await;
    settle("the passivated session reads the same", async || match history().await {
        Some(response) => body(response).await["items"] == json!(hot),
        None => false,
    })
    .await;
    app.forget(&session).await;
    settle("the cold session reads the same", async || match history().await {
        Some(response) => body(response).await["items"] == json!(hot),
        None => false,
    })
    .await;
    app.stop().await;
}

#[test]
async fn a_restart_keeps_what_was_said_and_goes_on_without_a_gap() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, QUESTION).await;
    let first = ok(shopper.message(&session, "before", QUESTION)).await;
    let before = shopper.messages(&session).await;
    let meta = ok(shopper.view(&session)).await;

    let app = TestApp::in_folder(app.stop().await, &[]).await;
    let shopper = shopper.at(&app);
    assert_eq!(shopper.messages(&session).await, before);
    assert_eq!(ok(shopper.view(&session)).await, meta);
    let list = ok(shopper.sessions()).await;
    assert_eq!(list["items"], json!([meta]));

    let again = shopper.message(&session, "before", QUESTION).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    let again = body(again).await;
    assert_eq!(again["turn_id"], first["turn_id"]);
    assert_eq!(again["answer"], first["answer"]);
    let other = shopper.message(&session, "before", "Something else");
    refused(other, 422, "idempotency_key_reused").await;
    assert_eq!(shopper.messages(&session).await, before);

    shopper.ask(&session, QUESTION).await;
    let seqs: Vec<_> =
        shopper.messages(&session).await.iter().map(|m| m["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    let mut events = shopper.events(&session, Some("3")).await;
    let ids: Vec<_> = [events.next().await, events.next().await, events.next().await]
        .map(|event| event.unwrap().id.unwrap())
        .into();
    assert_eq!(ids, ["4", "5", "6"]);
    drop(events);
    app.stop().await;
}

#[test]
async fn the_model_hears_after_a_restart_what_was_said_before() {
    let fake = FakeModel::start().await;
    let settings = [backend("ok", &fake.url)];
    let app = TestApp::with(&settings).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    shopper.ask(&session, "When do boots ship?").await;
    let app = TestApp::in_folder(app.stop().await, &settings).await;
    let shopper = shopper.at(&app);
    shopper.ask(&session, "And how much is that?").await;
    let prompt = fake.last_prompt();
    assert!(prompt.contains("When do boots ship?") && prompt.contains(&WORDS.concat()), "{prompt}");
    app.stop().await;
}

#[test]
async fn an_erased_session_leaves_a_receipt_and_nothing_else_also_over_a_restart() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let kept = shopper.session().await;
    let turn =
        shopper.ask(&session, "My mail is eva@example.com. What is the price guarantee?").await;
    let answer = turn["answer"]["message_id"].as_str().unwrap();
    sent(shopper.rate(answer, "up")).await;
    assert_eq!(shopper.messages(&session).await[1]["feedback"], "up");

    let receipt = ok(shopper.erase(&session)).await;
    assert_eq!(receipt["session_id"], session.as_str());
    assert!(receipt["erased_at"].is_string(), "{receipt}");
    let counts = [&receipt["events"], &receipt["messages"], &receipt["feedback"]];
    assert_eq!(counts, [&json!(2), &json!(2), &json!(1)], "{receipt}");

    let gone = async |shopper: &Shopper| {
        refused(shopper.view(&session), 410, "erased").await;
        refused(shopper.history(&session), 410, "erased").await;
        refused(shopper.follow(&session), 410, "erased").await;
        refused(shopper.message(&session, "k", "hello"), 410, "erased").await;
        refused(shopper.erase(&session), 410, "erased").await;
        refused(shopper.rate(answer, "down"), 404, "not_found").await;
        assert_eq!(shopper.session_ids().await, [kept.as_str()]);
    };
    gone(&shopper).await;
    let app = TestApp::in_folder(app.stop().await, &[]).await;
    gone(&shopper.at(&app)).await;
    app.stop().await;
}

#[test]
async fn erasing_a_session_ends_its_turn_and_its_readers() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut follower = shopper.events(&session, None).await;
    app.model().steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("answer.delta").await;
    sent(shopper.erase(&session)).await;
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    stream.rest().await;
    let last = follower.rest().await.pop().unwrap();
    assert!(["error", "turn.cancelled"].contains(&last.name.as_str()), "{last:?}");
    refused(shopper.view(&session), 410, "erased").await;
    app.stop().await;
}

#[test]
async fn an_idle_session_makes_room_and_a_busy_one_does_not() {
    let settings = [("sessions.max_sessions", "1".to_owned())];
    let (app, shopper, first) = TestApp::chat_with("step", &settings).await;
    let second = shopper.session().await;
    let mut stream = shopper.stream(&first, QUESTION).await;
    stream.until("message.created").await;
    // The only place is taken by a turn that runs.
    let response = shopper.message(&second, "k", QUESTION).send().await.unwrap();
    let retry_after = response.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    let (status, code, problem) = problem(response).await;
    assert_eq!((status, code.as_str()), (503, "overloaded"));
    assert_eq!(retry_after, problem["retry_after_ms"].as_u64().unwrap().div_ceil(1_000));
    app.model().steps.add_permits(1_000);
    stream.until("answer.completed").await;
    drop(stream);
    // Each makes room for the other, and nothing is lost.
    for session in [&second, &first, &second] {
        shopper.ask(session, QUESTION).await;
    }
    assert_eq!(shopper.messages(&first).await.len(), 4);
    assert_eq!(shopper.messages(&second).await.len(), 4);
    app.stop().await;
}

#[test]
async fn a_visitor_who_reads_hundreds_of_sessions_shuts_nobody_out() {
    let app = TestApp::with(&[("sessions.max_sessions", "20".to_owned())]).await;
    let hostile = app.visitor().await;
    for _ in 0..60 {
        let session = hostile.session().await;
        assert_eq!(status_of(hostile.view(&session)).await, StatusCode::OK);
    }
    let (shopper, session) = app.chatting().await;
    shopper.ask(&session, QUESTION).await;
    assert_eq!(shopper.messages(&session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn a_replica_that_runs_all_the_turns_it_may_refuses_the_next_one() {
    let settings = [("sessions.max_turns", "1".to_owned())];
    let (app, shopper, first) = TestApp::chat_with("step", &settings).await;
    let second = shopper.session().await;
    let mut stream = shopper.stream(&first, "When do boots ship?").await;
    stream.until("message.created").await;
    let problem = refused(shopper.message(&second, "k", "And tents?"), 503, "overloaded").await;
    assert!(problem["retry_after_ms"].is_u64(), "{problem}");
    assert_eq!(shopper.messages(&second).await, Vec::<Value>::new());
    app.model().steps.add_permits(100);
    stream.until("answer.completed").await;
    drop(stream);
    let again = async || status_of(shopper.message(&second, "k", "And tents?")).await;
    settle("there is room again", async || again().await == StatusCode::OK).await;
    app.stop().await;
}

#[test]
async fn what_the_service_refuses_costs_the_shopper_nothing() {
    let settings = [
        ("sessions.max_turns", "1".to_owned()),
        ("limits.visitor_burst", "2".to_owned()),
        ("limits.visitor_messages_per_hour", "1".to_owned()),
    ];
    let (app, shopper, first) = TestApp::chat_with("step", &settings).await;
    let second = shopper.session().await;
    let mut stream = shopper.stream(&first, "When do boots ship?").await;
    stream.until("message.created").await;
    for _ in 0..3 {
        refused(shopper.message(&second, "k", "And tents?"), 503, "overloaded").await;
    }
    app.model().steps.add_permits(100);
    stream.until("answer.completed").await;
    drop(stream);
    settle("there is room again", async || {
        let again = shopper.message(&second, "k", "And tents?").send().await.unwrap();
        assert_ne!(again.status(), StatusCode::TOO_MANY_REQUESTS);
        again.status() == StatusCode::OK
    })
    .await;
    refused(shopper.message(&second, "other", "And pegs?"), 429, "rate_limited").await;
    app.stop().await;
}

#[test]
async fn live_sessions_do_not_hold_up_a_stop() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, QUESTION).await;
    // It fails if the background waits for a session until its time is over.
    app.stop().await;
}

#[test]
async fn operators_and_shoppers_can_ask_how_the_service_is() {
    let app = TestApp::start().await;
    let ask = async |path: &str| {
        let response = app.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(response.headers().contains_key("x-request-id"), "{path}");
        response
    };
    assert_eq!(body(ask("/livez").await).await["status"], "alive");
    assert_eq!(body(ask("/startupz").await).await["status"], "started");
    let ready = body(ask("/readyz").await).await;
    assert_eq!(ready["status"], "ready");
    assert_eq!((&ready["embedder"], &ready["model"]), (&json!("absent"), &json!("absent")));
    let status = body(ask("/v1/status").await).await;
    assert_eq!((&status["service_level"], &status["draining"]), (&json!(0), &json!(false)));
    assert!(status["queue_wait_ms"].is_u64(), "{status}");
    assert!(body(ask("/openapi.json").await).await["paths"]["/v1/sessions"].is_object());
    assert!(ask("/docs/").await.text().await.unwrap().contains("swagger"));
    let page = ask("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'"), "{policy}");
    app.stop().await;
}

#[test]
async fn metrics_count_what_happened_and_name_nobody() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let turn = shopper.ask(&session, "Do you know the word quokkaberry?").await;
    sent(shopper.view(&session)).await;
    let metrics = app.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = metrics.lines().find(|line| {
        line.starts_with("rushdesk_http_requests_total") && line.contains("/v1/sessions/{id}\"")
    });
    assert!(line.is_some(), "{metrics}");
    let turn = turn["turn_id"].as_str().unwrap();
    for secret in [session.as_str(), turn, "quokkaberry", &shopper.token] {
        assert!(!metrics.contains(secret), "{secret} is in the metrics");
    }
    app.stop().await;
}

//! One question, one answer: whatever happens in between.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    fake_model::{FakeModel, WORDS},
    harness::*,
};

#[test]
async fn a_question_is_answered_from_the_knowledge_with_its_source() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let turn = shopper.ask(&session, "How long do I have to return something?").await;
    let answer = &turn["answer"];
    assert_eq!(answer["route"], "knowledge", "{turn}");
    assert!(answer["text"].as_str().unwrap().contains("30 days"), "{answer}");
    let citation = &answer["citations"][0];
    assert!(citation["title"].is_string() && citation["quote"].is_string(), "{answer}");
    assert_eq!(answer["finish_reason"], "stop");
    app.stop().await;
}

#[test]
async fn what_the_shop_cannot_know_gets_an_honest_template_and_no_source() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let turn = shopper.ask(&session, "Who won the football world cup in 1998?").await;
    assert_eq!(turn["answer"]["route"], "template", "{turn}");
    assert_eq!(turn["answer"]["citations"], json!([]));
    app.stop().await;
}

#[test]
async fn a_streamed_turn_begins_with_the_message_and_ends_with_one_terminal_event() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("ok", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let events = shopper.stream(&session, "When do boots ship?").await.rest().await;
    assert_eq!(events.first().unwrap().name, "message.created");
    assert_eq!(events.first().unwrap().id.as_deref(), Some("1"));
    let last = events.last().unwrap();
    assert_eq!((last.name.as_str(), last.id.as_deref()), ("answer.completed", Some("2")));
    assert_eq!(last.data["text"], WORDS.concat());
    assert_eq!(text_of(&events), WORDS.concat());
    assert_eq!(last.data["usage"], json!({"prompt_tokens": 9, "completion_tokens": 6}));
    let ids: Vec<String> =
        events.iter().filter(|e| e.name == "answer.delta").filter_map(|e| e.id.clone()).collect();
    let expected: Vec<String> = (0..ids.len()).map(|index| format!("1.{index}")).collect();
    assert_eq!(ids, expected);
    for event in &events {
        assert_eq!(event.data["type"], event.name);
        for field in ["v", "seq", "session_id", "turn_id", "epoch", "at"] {
            assert!(!event.data[field].is_null(), "{field} is missing: {event:?}");
        }
    }
    app.stop().await;
    fake.stop().await;
}

#[test]
async fn five_equal_requests_at_once_are_one_turn() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("slow", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let ask = || shopper.message(&session, "same-key", "When do boots ship?").send();
    let answers = futures_util::future::join_all((0..5).map(|_| ask())).await;
    let mut turns = Vec::new();
    let mut replayed = 0;
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        replayed += usize::from(answer.headers().contains_key("idempotency-replayed"));
        turns.push(body(answer).await["turn_id"].clone());
    }
    assert!(turns.iter().all(|turn| *turn == turns[0]), "{turns:?}");
    assert_eq!(replayed, 4);
    assert_eq!(fake.requests(), 1);
    assert_eq!(shopper.messages(&session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn a_key_that_is_used_for_another_text_is_refused_and_a_repeat_gets_the_same_turn() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let first =
        body(shopper.message(&session, "k", "What is the price guarantee?").send().await.unwrap())
            .await;
    let other = shopper.message(&session, "k", "Something else").send().await.unwrap();
    let (status, code, _) = problem(other).await;
    assert_eq!((status, code.as_str()), (422, "idempotency_key_reused"));
    let again =
        shopper.message(&session, "k", "What is the price guarantee?").send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(body(again).await["answer"]["message_id"], first["answer"]["message_id"]);
    app.stop().await;
}

#[test]
async fn a_second_turn_is_refused_while_one_is_answering() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut first = shopper.stream(&session, "When do boots ship?").await;
    first.until("message.created").await;
    let second = shopper.message(&session, "two", "And tents?").send().await.unwrap();
    let (status, code, body) = problem(second).await;
    assert_eq!((status, code.as_str()), (409, "turn_active"));
    assert!(body["retry_after_ms"].is_u64());
    fake.steps.add_permits(100);
    first.until("answer.completed").await;
    shopper.ask(&session, "And tents?").await;
    app.stop().await;
}

#[test]
async fn a_cancelled_turn_ends_visibly_and_closes_the_connection_to_the_model() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    fake.steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    let seen = stream.until("answer.delta").await;
    let turn = seen[0].data["turn_id"].as_str().unwrap().to_owned();
    let cancel = || shopper.post(&format!("/v1/sessions/{session}/turns/{turn}/cancel")).send();
    assert_eq!(body(cancel().await.unwrap()).await["status"], "stopping");
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().name, "turn.cancelled");
    settle("the model's connection is closed", async || fake.open() == 0).await;
    assert_eq!(body(cancel().await.unwrap()).await["status"], "not_running");
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "cancelled");
    assert!(messages[1]["text"].as_str().unwrap().starts_with("All"), "{messages:?}");
    app.stop().await;
}

#[test]
async fn a_turn_whose_reader_left_frees_the_model_after_the_grace() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    fake.steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("answer.delta").await;
    drop(stream);
    settle("the model's connection is closed", async || fake.open() == 0).await;
    settle("the turn ended", async || {
        shopper.messages(&session).await.get(1).is_some_and(|m| m["status"] == "cancelled")
    })
    .await;
    app.stop().await;
}

#[test]
async fn whoever_prefers_to_come_back_gets_202_and_the_answer_later() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let request = shopper.message(&session, "k", "When do boots ship?");
    let response = request.header("prefer", "respond-async").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let turn = body(response).await;
    assert_eq!(turn["status"], "running");
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "streaming");
    fake.steps.add_permits(100);
    settle("the answer is complete", async || {
        shopper.messages(&session).await.get(1).is_some_and(|m| m["text"] == WORDS.concat())
    })
    .await;
    app.stop().await;
}

#[test]
async fn a_model_that_fails_before_its_first_word_is_replaced_by_the_knowledge() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("broken", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let turn = shopper.ask(&session, "How long do I have to return something?").await;
    assert_eq!(turn["answer"]["route"], "knowledge", "{turn}");
    app.stop().await;
}

#[test]
async fn an_error_in_the_stream_or_an_end_without_end_fails_the_turn_visibly() {
    for model in ["error_frame", "no_end"] {
        let fake = FakeModel::start().await;
        let app = TestApp::with_model(model, &fake).await;
        let shopper = app.visitor().await;
        let session = shopper.session().await;
        let events = shopper.stream(&session, "When do boots ship?").await.rest().await;
        let last = events.last().unwrap();
        assert_eq!(last.name, "turn.failed", "{model}");
        assert_eq!(last.data["problem"]["code"], "dependency_unavailable", "{model}");
        let messages = shopper.messages(&session).await;
        assert_eq!(messages[1]["status"], "failed", "{model}");
        assert!(messages[1]["text"].as_str().unwrap().starts_with("All"), "{model}");
        app.stop().await;
    }
}

#[test]
async fn a_stalled_model_fails_the_turn_in_time_and_frees_its_slot() {
    let fake = FakeModel::start().await;
    let settings =
        [backend("stall", &fake.url), ("inference.first_token_timeout_ms", "300".to_owned())];
    let app = TestApp::with(&settings).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let request = shopper.message(&session, "k", "Zzyzx qwerty?");
    let turn = body(request.send().await.unwrap()).await;
    assert_eq!(turn["problem"]["code"], "upstream_timeout", "{turn}");
    settle("the model's connection is closed", async || fake.open() == 0).await;
    app.stop().await;
}

#[test]
async fn personal_data_never_reaches_the_model_and_comes_back_to_its_owner() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("ok", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let text = "My mail is eva@example.com, where is order 00123842?";
    shopper.ask(&session, text).await;
    let prompt = fake.last_prompt();
    assert!(!prompt.contains("eva@example.com"), "{prompt}");
    assert!(prompt.contains("00123842"), "{prompt}");
    assert_eq!(shopper.messages(&session).await[0]["text"], text);
    app.stop().await;
}

#[test]
async fn a_follow_up_is_asked_with_what_was_said_before() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("ok", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    shopper.ask(&session, "When do boots ship?").await;
    shopper.ask(&session, "And how much is that?").await;
    let prompt: Value = serde_json::from_str(&fake.last_prompt()).unwrap();
    let texts: Vec<&str> =
        prompt.as_array().unwrap()[1..].iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["When do boots ship?", &WORDS.concat(), "And how much is that?"]);
    app.stop().await;
}

#[test]
async fn links_and_tags_of_a_model_do_not_leave_as_such() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("links", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let turn = shopper.ask(&session, "When do boots ship?").await;
    assert!(!turn["answer"]["text"].as_str().unwrap().contains("javascript:"), "{turn}");
    app.stop().await;
}

#[test]
async fn a_visitor_over_the_limit_is_told_when_to_come_back() {
    let app = TestApp::with(&[("limits.visitor_burst", "2".to_owned())]).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    for _ in 0..2 {
        shopper.ask(&session, "What is the price guarantee?").await;
    }
    let refused = shopper.message(&session, "k", "hello there").send().await.unwrap();
    let retry_after = refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    let (status, code, body) = problem(refused).await;
    assert_eq!((status, code.as_str()), (429, "rate_limited"));
    assert_eq!(retry_after, body["retry_after_ms"].as_u64().unwrap().div_ceil(1_000));
    let other = app.visitor().await;
    let session = other.session().await;
    other.ask(&session, "What is the price guarantee?").await;
    app.stop().await;
}

//! One question, one answer: whatever happens in between.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{fake_model::WORDS, harness::*};

#[test]
async fn a_question_is_answered_from_the_knowledge_with_its_source() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
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
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let turn = shopper.ask(&session, "Who won the football world cup in 1998?").await;
    assert_eq!(turn["answer"]["route"], "template", "{turn}");
    assert_eq!(turn["answer"]["citations"], json!([]));
    app.stop().await;
}

#[test]
async fn a_streamed_turn_begins_with_the_message_and_ends_with_one_terminal_event() {
    let (app, shopper, session) = TestApp::chat("ok").await;
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
}

#[test]
async fn five_equal_requests_at_once_are_one_turn() {
    let (app, shopper, session) = TestApp::chat("slow").await;
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
    assert_eq!(app.model().requests(), 1);
    assert_eq!(shopper.messages(&session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn a_key_that_is_used_for_another_text_is_refused_and_a_repeat_gets_the_same_turn() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let first = ok(shopper.message(&session, "k", "What is the price guarantee?")).await;
    let other = shopper.message(&session, "k", "Something else");
    refused(other, 422, "idempotency_key_reused").await;
    let again =
        shopper.message(&session, "k", "What is the price guarantee?").send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(body(again).await["answer"]["message_id"], first["answer"]["message_id"]);
    app.stop().await;
}

#[test]
async fn a_second_turn_is_refused_while_one_is_answering() {
    let (app, shopper, session) = TestApp::chat("step").await;
    app.model().steps.add_permits(3);
    let mut first = shopper.stream(&session, "When do boots ship?").await;
    first.until("answer.delta").await;
    let second = shopper.message(&session, "two", "And tents?");
    assert!(refused(second, 409, "turn_active").await["retry_after_ms"].is_u64());
    app.model().steps.add_permits(100);
    first.until("answer.completed").await;
    shopper.ask(&session, "And tents?").await;
    app.stop().await;
}

#[test]
async fn a_message_that_follows_at_once_is_answered_together_with_the_one_before() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut first = shopper.stream(&session, "When do boots").await;
    first.until("message.created").await;
    let mut second = shopper.stream(&session, "ship to Norway?").await;
    let rest = first.rest().await;
    let end = rest.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["reason"]), ("turn.cancelled", &json!("superseded")));
    second.until("message.created").await;
    app.model().steps.add_permits(100);
    second.until("answer.completed").await;
    let asked = app.model().last_body()["messages"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(asked["content"], "When do boots ship to Norway?");
    let messages = shopper.messages(&session).await;
    let roles: Vec<&str> = messages.iter().filter_map(|m| m["role"].as_str()).collect();
    assert_eq!(roles, ["user", "user", "assistant"]);
    app.stop().await;
}

#[test]
async fn a_message_that_follows_late_or_makes_too_long_a_question_is_refused() {
    let (app, shopper, session) =
        TestApp::chat_with("step", &[("turn.gather_ms", "0".into())]).await;
    let mut first = shopper.stream(&session, "When do boots ship?").await;
    first.until("message.created").await;
    refused(shopper.message(&session, "two", "And tents?"), 409, "turn_active").await;
    app.model().steps.add_permits(100);
    first.until("answer.completed").await;
    app.stop().await;
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut first = shopper.stream(&session, &"boots ".repeat(400)).await;
    first.until("message.created").await;
    let long = "tents ".repeat(300);
    refused(shopper.message(&session, "two", &long), 409, "turn_active").await;
    app.model().steps.add_permits(100);
    first.until("answer.completed").await;
    app.stop().await;
}

#[test]
async fn a_cancelled_turn_ends_visibly_and_closes_the_connection_to_the_model() {
    let (app, shopper, session) = TestApp::chat("step").await;
    app.model().steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    let seen = stream.until("answer.delta").await;
    let turn = seen[0].data["turn_id"].as_str().unwrap().to_owned();
    assert_eq!(ok(shopper.cancel(&session, &turn)).await["status"], "stopping");
    let rest = stream.rest().await;
    assert_eq!(rest.last().unwrap().name, "turn.cancelled");
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    assert_eq!(ok(shopper.cancel(&session, &turn)).await["status"], "not_running");
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "cancelled");
    assert!(messages[1]["text"].as_str().unwrap().starts_with("All"), "{messages:?}");
    app.stop().await;
}

#[test]
async fn a_turn_whose_reader_left_frees_the_model_after_the_grace() {
    let (app, shopper, session) = TestApp::chat("step").await;
    app.model().steps.add_permits(3);
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("answer.delta").await;
    drop(stream);
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    settle("the turn ended", async || {
        shopper.messages(&session).await.get(1).is_some_and(|m| m["status"] == "cancelled")
    })
    .await;
    app.stop().await;
}

#[test]
async fn whoever_prefers_to_come_back_gets_202_and_the_answer_later() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let request = shopper.message(&session, "k", "When do boots ship?");
    let response = request.header("prefer", "respond-async").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let turn = body(response).await;
    assert_eq!(turn["status"], "running");
    let messages = shopper.messages(&session).await;
    assert_eq!(messages[1]["status"], "streaming");
    app.model().steps.add_permits(100);
    settle("the answer is complete", async || {
        shopper.messages(&session).await.get(1).is_some_and(|m| m["text"] == WORDS.concat())
    })
    .await;
    app.stop().await;
}

#[test]
async fn a_model_that_fails_before_its_first_word_is_replaced_by_the_knowledge() {
    let (app, shopper, session) = TestApp::chat("broken").await;
    let turn = shopper.ask(&session, "How long do I have to return something?").await;
    assert_eq!(turn["answer"]["route"], "knowledge", "{turn}");
    app.stop().await;
}

#[test]
async fn an_error_in_the_stream_or_an_end_without_end_fails_the_turn_visibly() {
    for model in ["error_frame", "no_end"] {
        let (app, shopper, session) = TestApp::chat(model).await;
        // The pages have nothing on it.
        let events = shopper.stream(&session, "Zzyzx qwerty?").await.rest().await;
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
    let settings = [("inference.first_token_timeout_ms", "300".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("stall", &settings).await;
    let request = shopper.message(&session, "k", "Zzyzx qwerty?");
    let turn = body(request.send().await.unwrap()).await;
    assert_eq!(turn["problem"]["code"], "upstream_timeout", "{turn}");
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    app.stop().await;
}

#[test]
async fn personal_data_never_reaches_the_model_and_comes_back_to_its_owner() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let text = "My mail is eva@example.com, where is order 00123842?";
    shopper.ask(&session, text).await;
    let prompt = app.model().last_prompt();
    assert!(!prompt.contains("eva@example.com"), "{prompt}");
    assert!(prompt.contains("00123842"), "{prompt}");
    assert_eq!(shopper.messages(&session).await[0]["text"], text);
    app.stop().await;
}

#[test]
async fn a_follow_up_is_asked_with_what_was_said_before() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    shopper.ask(&session, "When do boots ship?").await;
    shopper.ask(&session, "And how much is that?").await;
    let prompt: Value = serde_json::from_str(&app.model().last_prompt()).unwrap();
    let texts: Vec<&str> =
        prompt.as_array().unwrap()[1..].iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["When do boots ship?", &WORDS.concat(), "And how much is that?"]);
    app.stop().await;
}

#[test]
async fn links_and_tags_of_a_model_do_not_leave_as_such() {
    let (app, shopper, session) = TestApp::chat("links").await;
    let turn = shopper.ask(&session, "When do boots ship?").await;
    assert!(!turn["answer"]["text"].as_str().unwrap().contains("javascript:"), "{turn}");
    app.stop().await;
}

#[test]
async fn a_visitor_over_the_limit_is_told_when_to_come_back() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("limits.visitor_burst", "2".to_owned())]).await;
    for _ in 0..2 {
        shopper.ask(&session, "What is the price guarantee?").await;
    }
    let refused = shopper.message(&session, "k", "hello there").send().await.unwrap();
    let retry_after = refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap();
    let (status, code, body) = problem(refused).await;
    assert_eq!((status, code.as_str()), (429, "rate_limited"));
    assert_eq!(retry_after, body["retry_after_ms"].as_u64().unwrap().div_ceil(1_000));
    app.ask("What is the price guarantee?").await;
    app.stop().await;
}

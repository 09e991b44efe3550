//! One conversation: its personal data, and turns that share an answer with others.

use actix_web::rt::test;
use serde_json::json;

use super::{fake_model::WORDS, harness::*};

const QUESTION: &str = "Which payment methods do you accept?";

#[test]
async fn an_address_of_an_earlier_turn_is_restored_and_never_confused_with_another() {
    let (app, shopper, session) = TestApp::chat("recalls").await;
    shopper.ask(&session, "I am ann@example.com").await;
    shopper.ask(&session, "and my husband is bob@example.com").await;
    let turn = shopper.ask(&session, "what was my first address?").await;
    let prompt = app.model().last_prompt();
    assert!(prompt.contains("I am [EMAIL_1]"), "{prompt}");
    assert!(prompt.contains("my husband is [EMAIL_2]"), "{prompt}");
    assert!(!prompt.contains("@example.com"), "{prompt}");
    let text = turn["answer"]["text"].as_str().unwrap();
    assert_eq!(text, "Your addresses: ann@example.com and bob@example.com.");
    app.stop().await;
}

#[test]
async fn an_answer_from_a_conversation_with_personal_data_serves_nobody_else() {
    let (app, ann, session) = TestApp::chat("recalls").await;
    ann.ask(&session, "I am ann@example.com and my husband is bob@example.com").await;
    let turn = ann.ask(&session, QUESTION).await;
    assert!(turn["answer"]["text"].as_str().unwrap().contains("ann@example.com"), "{turn}");
    let turn = app.ask(QUESTION).await;
    assert_eq!(turn["answer"]["route"], "model", "{turn}");
    assert!(!turn["answer"]["text"].as_str().unwrap().contains("ann@example.com"), "{turn}");
    app.stop().await;
}

#[test]
async fn a_completion_that_its_client_abandons_does_not_hold_up_those_who_follow_it() {
    // Longer than any wait of a test.
    let settings = [("turn.timeout_ms", "600000".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("step", &settings).await;
    let body = json!({"stream": true, "messages": [{"role": "user", "content": QUESTION}]});
    let completion = sent(shopper.complete(&body)).await;
    app.model().steps.add_permits(3);
    let mut following = shopper.stream(&session, QUESTION).await;
    following.until("answer.delta").await;
    assert_eq!(app.model().requests(), 1);
    drop(completion);
    settle("the follower asks by itself", async || app.model().requests() == 2).await;
    app.model().steps.add_permits(100);
    let rest = following.rest().await;
    assert!(rest.iter().any(|event| event.name == "answer.replaced"), "{rest:?}");
    assert_eq!(rest.last().unwrap().data["text"], WORDS.concat());
    app.stop().await;
}

#[test]
async fn the_pages_answer_in_the_place_of_a_model_that_broke() {
    let (app, shopper, session) = TestApp::chat("no_end").await;
    let mut stream = shopper.stream(&session, "How long do I have to send something back?").await;
    let events = stream.rest().await;
    let replaced = events.iter().rfind(|event| event.name == "answer.replaced").unwrap();
    assert_eq!(replaced.data["reason"], "model_failed");
    let end = events.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["route"]), ("answer.completed", &json!("knowledge")));
    assert!(!end.data["citations"].as_array().unwrap().is_empty());
    assert!(end.data["text"].as_str().unwrap().starts_with("You have 30 days"), "{end:?}");
    app.stop().await;
}

//! What the service answers by itself: small talk, the wish for a person, questions back; in the language of the shopper.

use actix_web::rt::test;
use serde_json::{Value, json};

use super::harness::*;

async fn answers(app: &TestApp, messages: &[&str]) -> Vec<Value> {
    let (shopper, session) = app.chatting().await;
    let mut answers = Vec::new();
    for message in messages {
        answers.push(shopper.ask(&session, message).await["answer"].take());
    }
    answers
}

#[test]
async fn small_talk_is_answered_in_its_language_without_a_search() {
    let app = TestApp::start().await;
    for (message, language, begin) in
        [("Guten Tag", "de", "Hallo!"), ("merci", "fr", "Avec plaisir"), ("bye", "en", "Goodbye")]
    {
        let answer = &answers(&app, &[message]).await[0];
        assert_eq!((&answer["route"], &answer["language"]), (&json!("template"), &json!(language)));
        assert_eq!(answer["intent"]["topic"], "smalltalk");
        assert!(answer["text"].as_str().unwrap().starts_with(begin), "{answer}");
        assert!(answer["timings"]["retrieve_ms"].is_null(), "{answer}");
    }
    app.stop().await;
}

#[test]
async fn who_asks_for_a_person_or_says_yes_to_one_gets_the_contact_page() {
    let app = TestApp::start().await;
    let asked = answers(&app, &["I want to talk to a human"]).await;
    let offered = answers(&app, &["Zzyzx qwerty?", "yes please"]).await;
    assert_eq!(offered[0]["choices"].as_array().unwrap().len(), 3, "{}", offered[0]);
    for answer in [&asked[0], &offered[1]] {
        assert_eq!(answer["citations"][0]["document_id"], "contact", "{answer}");
        assert!(answer["text"].as_str().unwrap().contains("+49 381 555 0140"), "{answer}");
    }
    let declined = &answers(&app, &["Zzyzx qwerty?", "no thanks"]).await[1];
    assert!(declined["text"].as_str().unwrap().starts_with("All right."), "{declined}");
    assert_eq!(app.cached().await, 0, "it answers no other question");
    app.stop().await;
}

#[test]
async fn the_contact_page_is_in_the_language_of_the_shopper_or_in_english_and_has_the_telephone() {
    let app = TestApp::start().await;
    for (wish, page) in [
        ("Ich möchte mit einem Menschen sprechen", "erreichen Sie telefonisch"),
        ("Ik wil met een medewerker spreken", "by telephone"),
        ("Chcę porozmawiać z człowiekiem", "by telephone"),
    ] {
        let answer = &answers(&app, &[wish]).await[0];
        let text = answer["text"].as_str().unwrap();
        assert!(text.contains("+49 381 555 0140"), "{wish}: {text}");
        assert!(!text.contains("agent"), "the same again is no way to a person: {text}");
        assert!(text.contains(page), "{wish}: {text}");
    }
    app.stop().await;
}

#[test]
async fn a_choice_repeats_the_message_with_its_topic() {
    let app = TestApp::start().await;
    let (shopper, session) = app.chatting().await;
    let answer = shopper.ask(&session, "10482").await["answer"].take();
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices[0], json!({"label": "My order", "text": "My order: 10482"}));
    assert_eq!(choices.len(), 2);
    app.stop().await;
}

#[test]
async fn a_frustrated_shopper_gets_an_apology_and_the_offer_of_a_person() {
    let app = TestApp::start().await;
    let question = "How long do I have to send something back?";
    let angry = format!("This is useless, worst shop ever!! {question}");
    for (message, apologises) in [(angry.as_str(), true), (question, false)] {
        let answer = &answers(&app, &[message]).await[0];
        assert_eq!(answer["route"], "knowledge", "{answer}");
        let text = answer["text"].as_str().unwrap();
        assert_eq!(text.starts_with("I am sorry"), apologises, "{text}");
        assert_eq!(text.contains("talk to a person"), apologises, "{text}");
    }
    app.stop().await;
}

#[test]
async fn this_in_a_first_message_is_what_the_shopper_looks_at() {
    let app = TestApp::with_model("helpful").await;
    let shopper = app.visitor().await;
    let wishes = json!({"context": {"page": "https://shop.example/help/returns", "sku": "TNT-2"}});
    let session = ok(shopper.new_session(&wishes)).await;
    assert_eq!(session["context"], wishes["context"]);
    let id = session["id"].as_str().unwrap();
    assert_eq!(ok(shopper.view(id)).await["context"], wishes["context"]);
    shopper.ask(id, "how long does this take?").await;
    let prompt = app.model().last_prompt();
    assert!(prompt.contains("| page: https://shop.example/help/returns"), "{prompt}");
    assert!(prompt.contains("| article: TNT-2"), "{prompt}");
    // What stands alone is answered for everybody, so it knows of no page.
    let other = ok(shopper.new_session(&wishes)).await;
    shopper.ask(other["id"].as_str().unwrap(), "How long does a refund take?").await;
    let prompt = app.model().last_prompt();
    assert!(!prompt.contains("shop.example"), "{prompt}");
    app.stop().await;
}

#[test]
async fn a_page_that_says_too_much_is_refused_and_the_field_is_named() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    for (context, field) in [
        (json!({"page": "x".repeat(501)}), "context.page"),
        (json!({"sku": ""}), "context.sku"),
        (json!({"cart": [{"sku": "x".repeat(65)}]}), "context.cart"),
    ] {
        let refused =
            refused(shopper.new_session(&json!({"context": context})), 422, "schema_violation")
                .await;
        assert_eq!(refused["field_errors"][0]["field"], field);
    }
    app.stop().await;
}

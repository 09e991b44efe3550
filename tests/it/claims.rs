//! What a model says is shown only if the shop's pages support it.

use actix_web::test;
use serde_json::{Value, json};

use super::{
    fake_model::{CLAIMS, SUPPORTED},
    harness::*,
};

const UNSUPPORTED: usize = 6;

fn checked(more: &[(&'static str, String)]) -> OwnedSettings {
    let on = ("guard.grounding", "knowledge".to_owned());
    [&[on], more].concat()
}

/// Everything that a reader saw of an answer, and the answer.
async fn answered(shopper: &Shopper, session: &str, question: &str) -> (String, Value) {
    let events = shopper.stream(session, question).await.rest().await;
    let seen = events.iter().filter(|event| event.name != "message.created");
    let seen: String = seen.map(|event| event.data.to_string()).collect();
    (seen, events.last().unwrap().data.clone())
}

async fn decisions(admin: &Shopper, query: &str) -> Vec<Value> {
    let page = ok(admin.get(&format!("/v1/admin/guard/decisions?{query}"))).await;
    page["items"].as_array().unwrap().clone()
}

#[test]
async fn a_sentence_that_no_page_supports_is_never_shown_and_an_admin_can_look_it_up() {
    let (app, shopper, session) = TestApp::chat_with("claims", &checked(&[])).await;
    for (question, claim) in &CLAIMS[..UNSUPPORTED] {
        let (seen, answer) = answered(&shopper, &session, question).await;
        let first = claim.split(". ").next().unwrap();
        assert!(!seen.contains(first), "{question}: {seen}");
        assert!(!answer["text"].as_str().unwrap().is_empty(), "{answer}");
    }
    let admin = app.admin().await;
    let query = format!("limit=100&session={session}");
    settle("the decisions are kept", async || decisions(&admin, &query).await.len() >= UNSUPPORTED)
        .await;
    let kept = decisions(&admin, &query).await;
    assert!(kept.iter().all(|kept| kept["action"] == "replace"), "{kept:?}");
    let rules: Vec<&str> = kept.iter().map(|kept| kept["rule"].as_str().unwrap()).collect();
    assert!(rules.contains(&"promises") && rules.contains(&"numbers"), "{rules:?}");
    assert!(!kept.iter().any(|kept| kept.to_string().contains("help@rival")), "{kept:?}");
    let page = ok(admin.get(&format!("/v1/admin/guard/decisions?limit=2&session={session}"))).await;
    let next = page["next_cursor"].as_str().unwrap();
    assert_eq!(
        decisions(&admin, &format!("limit=2&session={session}&cursor={next}")).await,
        kept[2..4]
    );
    assert_eq!(app.cached().await, 0, "an answer that was changed is not shared");
    ok(shopper.erase(&session)).await;
    assert!(decisions(&admin, &query).await.is_empty());
    app.stop().await;
}

#[test]
async fn what_a_page_supports_passes_word_for_word_and_is_cited() {
    let (app, shopper, session) = TestApp::chat_with("claims", &checked(&[])).await;
    let [question, claim] = SUPPORTED;
    let (_, answer) = answered(&shopper, &session, question).await;
    assert_eq!(answer["text"], *claim);
    assert_eq!(answer["citations"][0]["title"], "Shipping costs", "{answer}");
    assert_eq!(app.cached().await, 1);
    for (question, claim) in &CLAIMS[UNSUPPORTED + 1..] {
        let (_, answer) = answered(&shopper, &session, question).await;
        assert_eq!((&answer["text"], &answer["citations"]), (&json!(claim), &json!([])));
    }
    app.stop().await;
}

#[test]
async fn a_site_may_show_what_it_only_notes_or_end_the_answer() {
    let (question, claim) = CLAIMS[1];
    let flag = [("guard.numbers", "flag".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("claims", &checked(&flag)).await;
    let (_, answer) = answered(&shopper, &session, question).await;
    assert_eq!(answer["text"], claim);
    assert_eq!(app.cached().await, 0);
    let admin = app.admin().await;
    let query = format!("session={session}");
    settle("it is noted", async || decisions(&admin, &query).await.len() == 1).await;
    assert_eq!(decisions(&admin, &query).await[0]["action"], "flag");
    app.stop().await;

    let block = [("guard.numbers", "block".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("claims", &checked(&block)).await;
    let (_, answer) = answered(&shopper, &session, question).await;
    let text = answer["text"].as_str().unwrap();
    assert!(text.starts_with("I could not find") && !text.contains("nice day"), "{text}");
    app.stop().await;
}

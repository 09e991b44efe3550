//! Versions of a site's assistants: drafts, checks, activation, roll-back.

use actix_web::rt::test;
use reqwest::Method;
use serde_json::{Value, json};

use super::{fake_model::WORDS, harness::*};

const PATH: &str = "/v1/admin/assistants";

fn returns(instructions: &str) -> Value {
    let assistant = json!({"name": "ours", "topics": ["returns"], "instructions": instructions});
    json!({"document": {"assistants": [assistant]}, "note": "a try"})
}

async fn draft(admin: &Shopper, document: &Value) -> u64 {
    let response = sent(admin.post(PATH).json(document)).await;
    assert_eq!(response.status(), 201);
    body(response).await["version"].as_u64().unwrap()
}

async fn active(admin: &Shopper) -> u64 {
    ok(admin.get(PATH)).await["active"].as_u64().unwrap()
}

#[test]
async fn a_draft_answers_nobody_before_it_is_activated_and_can_be_rolled_back() {
    let app = TestApp::with_model("ok").await;
    let admin = app.admin().await;
    let prompt = async || {
        let (shopper, session) = app.chatting().await;
        let turn = shopper.ask(&session, "How do I return an article?").await;
        assert_eq!(turn["answer"]["intent"]["topic"], "returns", "{turn}");
        app.model().last_prompt()
    };
    let one = draft(&admin, &returns("Name the fjord.")).await;
    let two = draft(&admin, &returns("Name the glacier.")).await;
    assert_eq!((one, two, active(&admin).await), (1, 2, 0));
    assert!(!prompt().await.contains("fjord"));
    ok(admin.post(&format!("{PATH}/1/activate"))).await;
    assert!(prompt().await.contains("Name the fjord."));
    ok(admin.post(&format!("{PATH}/2/activate"))).await;
    assert!(prompt().await.contains("Name the glacier."));
    let rollback = format!("{PATH}/rollback");
    assert_eq!(ok(admin.post(&rollback)).await["active"], 1);
    assert!(prompt().await.contains("Name the fjord."));
    assert_eq!(ok(admin.post(&rollback)).await["active"], 0);
    assert!(!prompt().await.contains("fjord"));
    refused(admin.post(&rollback), 409, "conflict").await;
    let list = ok(admin.get(PATH)).await;
    assert_eq!(list["items"][0]["version"], 2);
    assert_eq!(list["items"][0]["note"], "a try");
    let shown = ok(admin.get(&format!("{PATH}/1"))).await;
    assert_eq!(shown["document"]["assistants"][0]["instructions"], "Name the fjord.");
    let audited = ok(admin.audit()).await.to_string();
    for action in ["assistants.draft", "assistants.activate", "assistants.roll_back"] {
        assert!(audited.contains(action), "{audited}");
    }
    app.stop().await;
}

#[test]
async fn what_is_active_survives_a_restart() {
    let app = TestApp::with_model("ok").await;
    let admin = app.admin().await;
    draft(&admin, &returns("Name the fjord.")).await;
    ok(admin.post(&format!("{PATH}/1/activate"))).await;
    let data = app.stop().await;
    let app = TestApp::in_folder(data, &[]).await;
    let site = rushdesk::demo::site_id();
    let duty = app.app().ports.duty(&site);
    assert_eq!(duty.version, 1);
    app.stop().await;
}

#[test]
async fn a_draft_is_checked_against_the_test_conversations_beside_what_answers_now() {
    let app = TestApp::with_model("ok").await;
    let admin = app.admin().await;
    let check = format!("{PATH}/1/check");
    let document = json!({"document": {"topic_confidence": 0.0}});
    draft(&admin, &document).await;
    refused(admin.post(&check), 409, "conflict").await;
    let tests = json!({"conversations": [
        {"name": "boots", "messages": ["Hello", "How long do boots take?"], "must_say": ["TWO days"]},
        {"name": "wrong", "messages": ["How long do boots take?"], "must_say": ["nine days"], "must_not_say": ["two days"]},
        {"name": "weather", "messages": ["What is the weather like in Oslo tomorrow?"]},
    ]});
    let put = admin.request(Method::PUT, &format!("{PATH}/tests")).json(&tests);
    assert_eq!(ok(put).await, tests);
    assert_eq!(ok(admin.get(&format!("{PATH}/tests"))).await, tests);
    let cached = app.cached().await;
    let report = ok(admin.post(&check)).await;
    assert_eq!((&report["version"], &report["active"]), (&json!(1), &json!(0)));
    let conversations = report["conversations"].as_array().unwrap();
    let boots = &conversations[0];
    assert_eq!(boots["turns"][0]["checked"]["route"], "template");
    assert_eq!(boots["turns"][1]["checked"]["text"], WORDS.concat());
    assert_eq!((&boots["faults"], &boots["changed"]), (&json!([]), &json!(false)));
    let faults = conversations[1]["faults"].to_string();
    assert!(faults.contains("does not say") && faults.contains("answer 1 says"), "{faults}");
    assert_eq!(report["failed"], 1);
    // With a confidence of zero every topic is certain, so the weather is declined.
    assert_eq!(conversations[2]["changed"], true, "{report}");
    assert_eq!(report["changed"], 1);
    // Nothing of it is kept for shoppers.
    assert_eq!(app.cached().await, cached);
    app.stop().await;
}

#[test]
async fn only_admins_write_assistants_and_every_fault_is_named() {
    let app = TestApp::start().await;
    let (admin, shopper) = (app.admin().await, app.visitor().await);
    refused(shopper.get(PATH), 403, "forbidden").await;
    refused(shopper.post(PATH).json(&returns("x")), 403, "forbidden").await;
    let assistant = json!({"name": "", "topics": []});
    let document = json!({"document": {"assistants": [assistant], "topic_confidence": 2}, "note": "x".repeat(501)});
    let problem = refused(admin.post(PATH).json(&document), 422, "schema_violation").await;
    let fields: Vec<&str> = problem["field_errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|fault| fault["field"].as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "document.assistants[0].name",
            "document.assistants[0].topics",
            "document.topic_confidence",
            "note"
        ]
    );
    for path in ["7", "x", "7/activate", "7/check"] {
        let path = format!("{PATH}/{path}");
        let request = if path.contains("/7/") { admin.post(&path) } else { admin.get(&path) };
        refused(request, 404, "not_found").await;
    }
    let tests = json!({"conversations": [{"name": "", "messages": []}]});
    let put = admin.request(Method::PUT, &format!("{PATH}/tests")).json(&tests);
    let problem = refused(put, 422, "schema_violation").await;
    assert_eq!(problem["field_errors"][1]["field"], "conversations[0].messages");
    app.stop().await;
}

#[test]
async fn an_example_of_the_site_decides_what_a_message_is_about() {
    let Some(settings) = embedder() else { return };
    let app = TestApp::with(&settings).await;
    let admin = app.admin().await;
    let (shopper, session) = app.chatting().await;
    let question = "My zipper does the funny thing again";
    let topic = async || {
        let answer = shopper.ask(&session, question).await;
        answer["answer"]["intent"].clone()
    };
    assert_ne!(topic().await["topic"], "billing");
    let example = json!({"topic": "billing", "text": "my zipper does a funny thing again"});
    draft(&admin, &json!({"document": {"examples": [example]}})).await;
    ok(admin.post(&format!("{PATH}/1/activate"))).await;
    let now = topic().await;
    assert_eq!(now["topic"], "billing", "{now}");
    assert!(now["confidence"].as_f64().unwrap() > 0.85, "{now}");
    app.stop().await;
}

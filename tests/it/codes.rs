//! One-time codes: asked for by the service, sent and checked by the shop, and kept by nobody.

use std::sync::{Arc, Mutex};

use actix_web::{HttpRequest, HttpResponse, rt::test, web};
use serde_json::{Value, json};

use super::{harness::*, servers::served};

const CODE: &str = "481207";
const CANCEL: &str = "Please cancel my order FJ-10240, my e-mail is anna@example.com";

/// What the shop was asked, as method, path and body.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A shop with the order FJ-10240 of anna@example.com, whose every code is [`CODE`].
fn shop() -> (String, Asked) {
    let asked = Asked::default();
    let state = web::Data::new(Arc::clone(&asked));
    let (url, _handle) = served(move |config| {
        config.app_data(state.clone()).default_service(web::to(answer));
    });
    (url, asked)
}

async fn answer(request: HttpRequest, asked: web::Data<Asked>, body: web::Bytes) -> HttpResponse {
    let path = request.uri().to_string();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    asked.lock().unwrap().push((path.clone(), body.clone()));
    let email = request.headers().get("x-order-email").and_then(|v| v.to_str().ok());
    let own = email == Some("anna@example.com");
    match path.as_str() {
        "/orders/FJ-10240" | "/orders/FJ-10241" if own => HttpResponse::Ok().json(json!({
            "number": &path[8..], "status": "processing", "placed_at": "2026-11-20", "items": [],
            "total": {"amount": "10.00", "currency": "EUR"}, "can_cancel": true,
        })),
        "/codes" if own => HttpResponse::Ok().json(json!({"challenge": "c-1"})),
        "/codes/check" if body["code"] == CODE && body["challenge"] == "c-1" => {
            HttpResponse::Ok().json(json!({}))
        }
        "/codes/check" => HttpResponse::Conflict().json(json!({"reason": "wrong_code"})),
        "/orders/FJ-10240/cancel" if own => HttpResponse::Ok().json(json!({"result": {}})),
        _ => HttpResponse::NotFound().json(json!({})),
    }
}

async fn start() -> (TestApp, Asked, Shopper, String) {
    let (url, asked) = shop();
    let site = format!(
        "[{{id=\"demo\",name=\"Demo\",site_key=\"pk_demo\",shop={{url=\"{url}\",code_for=[\"cancel_order\"]}}}}]"
    );
    let settings = [("sites", site), ("tools.allowed_networks", "[\"127.0.0.0/8\"]".to_owned())];
    let app = TestApp::with(&settings).await;
    let (shopper, session) = app.chatting().await;
    (app, asked, shopper, session)
}

fn count(asked: &Asked, path: &str) -> usize {
    asked.lock().unwrap().iter().filter(|(called, _)| called == path).count()
}

fn card(turn: &Value) -> Option<&Value> {
    turn["answer"]["cards"].as_array()?.iter().find(|card| card["kind"] == "action")
}

#[test]
async fn a_code_is_asked_for_typed_and_kept_by_nobody() {
    let (app, asked, shopper, session) = start().await;
    let turn = shopper.ask(&session, CANCEL).await;
    assert_eq!(turn["answer"]["wants"], "code", "{turn}");
    assert!(card(&turn).is_none() && count(&asked, "/codes") == 1);
    let turn = shopper.ask(&session, &format!("my code is {CODE}")).await;
    assert_eq!(turn["message"]["text"], "my code is ••••••");
    let card = card(&turn).unwrap_or_else(|| panic!("{turn}"));
    assert_eq!(card["tool"], "cancel_order");
    let path = format!("/v1/actions/{}/confirm", card["action_id"].as_str().unwrap());
    let done = ok(shopper.post(&path).json(&json!({"hash": card["hash"]}))).await;
    assert_eq!(done["answer"]["outcome"]["status"], "done", "{done}");
    // Neither what is kept, nor what a client can read.
    let events = app.archive().events(session.parse().unwrap(), 0, 50).await.unwrap();
    let kept = serde_json::to_string(&events).unwrap();
    assert!(kept.contains("••••••") && !kept.contains(CODE), "{kept}");
    let row = app.archive().step_up(session.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((row.challenge.as_str(), &row.arguments.0), ("", &Value::Null));
    assert!(!shopper.messages(&session).await.iter().any(|m| m.to_string().contains(CODE)));
    let page = app.app().metrics.render();
    assert!(!page.contains(CODE));
    app.stop().await;
}

#[test]
async fn a_wrong_code_and_one_too_many_get_the_same_answer() {
    let (app, asked, shopper, session) = start().await;
    shopper.ask(&session, CANCEL).await;
    let mut said = std::collections::BTreeSet::new();
    for number in 0..8 {
        let turn = shopper.ask(&session, &format!("{}", 100_000 + number)).await;
        assert_eq!(turn["message"]["text"], "••••••");
        said.insert(turn["answer"]["text"].to_string());
    }
    assert_eq!(count(&asked, "/codes/check"), 5);
    let turn = shopper.ask(&session, CODE).await;
    said.insert(turn["answer"]["text"].to_string());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(card(&turn).is_none() && count(&asked, "/codes/check") == 5);
    app.stop().await;
}

#[test]
async fn a_code_counts_for_its_order_and_its_session_alone() {
    let (app, asked, shopper, session) = start().await;
    shopper.ask(&session, CANCEL).await;
    assert!(card(&shopper.ask(&session, CODE).await).is_some());
    let again = shopper.ask(&session, CANCEL).await;
    assert!(card(&again).is_some() && count(&asked, "/codes") == 1, "{again}");
    let other = shopper.ask(&session, &CANCEL.replace("10240", "10241")).await;
    assert_eq!(
        (&other["answer"]["wants"], count(&asked, "/codes")),
        (&json!("code"), 2),
        "{other}"
    );
    let second = shopper.session().await;
    let there = shopper.ask(&second, CANCEL).await;
    assert_eq!(there["answer"]["wants"], "code", "{there}");
    app.stop().await;
}

#[test]
async fn no_code_is_sent_for_what_is_not_yours() {
    let (app, asked, shopper, session) = start().await;
    let turn = shopper.ask(&session, &CANCEL.replace("anna", "eve")).await;
    assert!(turn["answer"]["wants"].is_null() && card(&turn).is_none(), "{turn}");
    // A number is a number again.
    let turn = shopper.ask(&session, "123456").await;
    assert_eq!(turn["message"]["text"], "123456");
    assert_eq!(count(&asked, "/codes/check"), 0);
    app.stop().await;
}

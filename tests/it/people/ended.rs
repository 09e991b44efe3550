//! What became of the conversations that people had.

use actix_web::rt::test;
use serde_json::{Value, json};

use super::{id_of, on_duty};
use crate::harness::*;

fn sessions(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["session_id"].as_str().unwrap()).collect()
}

#[test]
async fn conversations_that_are_over_are_listed_with_what_became_of_them() {
    let settings = [("handoff.wait_ms", "300".to_owned())];
    let (app, shopper, closed) = TestApp::chat_with(NO_MODEL, &settings).await;
    let agent = on_duty(&app, "Mara").await;
    let (released, waited, open) =
        (shopper.session().await, shopper.session().await, shopper.session().await);
    for session in [&closed, &released, &open] {
        ok(agent.accept(session)).await;
    }
    ok(agent.close(&closed)).await;
    ok(agent.release(&released, "bot")).await;
    // It goes on as another handoff, which nobody takes.
    ok(agent.release(&open, "queue")).await;
    settle("nobody takes the one in the queue", async || {
        ok(shopper.view(&open)).await["handoff"].is_null()
    })
    .await;
    ok(shopper.handoff(&waited)).await;
    settle("nobody came", async || ok(shopper.view(&waited)).await["handoff"].is_null()).await;
    let all = ok(agent.ended("")).await;
    assert_eq!(sessions(&all), [&waited, &open, &released, &closed]);
    let items = all["items"].as_array().unwrap();
    let ends: Vec<&Value> = items.iter().map(|item| &item["to"]).collect();
    assert_eq!(ends, ["bot", "bot", "bot", "closed"]);
    assert!(items[0]["accepted_at"].is_null() && items[0]["agent_id"].is_null(), "{all}");
    assert_eq!(
        (&items[3]["agent_id"], &items[3]["agent_name"]),
        (&json!(id_of(&agent).await), &json!("Mara"))
    );
    // Page by page, nothing twice.
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = ok(agent.ended(&format!("?limit=1{after}"))).await;
        seen.extend(sessions(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        after = format!("&cursor={cursor}");
    }
    assert_eq!(seen, sessions(&all));
    app.stop().await;
}

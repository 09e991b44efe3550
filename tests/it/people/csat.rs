//! What shoppers think of the help that they had.

use actix_web::rt::test;
use serde_json::json;

use super::{names, on_duty};
use crate::harness::*;

#[test]
async fn the_help_of_a_person_is_rated_once_when_it_is_over() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let agent = on_duty(&app, "Mara").await;
    let five = json!({"score": 5, "comment": " Mara was kind "});
    let early = refused(shopper.csat(&session, &five), 409, "conflict").await;
    assert!(early["detail"].as_str().unwrap().contains("no help"), "{early}");
    let handoff = ok(agent.accept(&session)).await["handoff"].clone();
    refused(shopper.csat(&session, &five), 409, "conflict").await;
    ok(agent.close(&session)).await;
    for wrong in [json!({"score": 0}), json!({"score": 6}), json!({"score": 4, "stars": 1})] {
        assert!(status_of(shopper.csat(&session, &wrong)).await.is_client_error(), "{wrong}");
    }
    let long = json!({"score": 1, "comment": "x".repeat(2_001)});
    refused(shopper.csat(&session, &long), 422, "schema_violation").await;
    refused(agent.csat(&session, &five), 403, "forbidden").await;
    let rated = shopper.csat(&session, &five).send().await.unwrap();
    assert_eq!(rated.status(), 201);
    assert_eq!(body(rated).await, json!({"score": 5, "comment": "Mara was kind"}));
    // The answer was lost; somebody changes their mind.
    assert_eq!(shopper.csat(&session, &five).send().await.unwrap().status(), 200);
    let again = refused(shopper.csat(&session, &json!({"score": 1})), 409, "conflict").await;
    assert!(again["detail"].as_str().unwrap().contains("rated before"), "{again}");
    let events = shopper.events(&session, Some("6")).await.until("session.rated").await;
    assert_eq!(names(&events), ["session.rated"]);
    assert_eq!(
        (&events[0].data["of"], &events[0].data["score"]),
        (&json!({ "handoff": handoff }), &json!(5))
    );
    assert_eq!(ok(shopper.view(&session)).await["state"], "closed", "it opens nothing");
    // The shop reads it where it reads everything of its customer.
    let id = ok(shopper.me()).await["id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    let export = admin.get(&format!("/v1/customers/{id}/export")).send().await.unwrap();
    let export = export.text().await.unwrap();
    assert!(export.contains("Mara was kind") && export.contains("session.rated"), "{export}");
    let metrics = app.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = "rushdesk_csat_total{of=\"handoff\",score=\"5\"}";
    assert!(metrics.contains(line), "{metrics}");
    // The next help is rated by itself.
    ok(agent.accept(&session)).await;
    ok(agent.release(&session, "bot")).await;
    assert_eq!(shopper.csat(&session, &json!({"score": 2})).send().await.unwrap().status(), 201);
    app.stop().await;
}

#[test]
async fn a_rating_breaks_no_answer_off() {
    let (app, shopper, session) = TestApp::chat("slow").await;
    let agent = on_duty(&app, "Mara").await;
    ok(agent.accept(&session)).await;
    ok(agent.release(&session, "bot")).await;
    let mut stream = shopper.stream(&session, "When do boots ship?").await;
    stream.until("turn.started").await;
    refused(shopper.csat(&session, &json!({"score": 3})), 409, "turn_active").await;
    assert_eq!(stream.rest().await.last().unwrap().name, "answer.completed");
    assert_eq!(shopper.csat(&session, &json!({"score": 3})).send().await.unwrap().status(), 201);
    app.stop().await;
}

//! Problems, pages and answers in the language of their reader.

use actix_web::rt::test;
use serde_json::json;

use super::harness::*;

#[test]
async fn a_problem_is_told_in_a_language_that_its_reader_accepts() {
    let app = TestApp::start().await;
    for (accepted, language, title) in [
        (Some("de-AT,de;q=0.9,en;q=0.8"), "de", "Das gibt es nicht."),
        (Some("sv, fr;q=0.4, ja;q=0.7"), "ja", "存在しません。"),
        (Some("sv"), "en", "This does not exist."),
        (Some(";;q=,"), "en", "This does not exist."),
        (None, "en", "This does not exist."),
    ] {
        let mut request = app.get("/v1/no/such/thing");
        if let Some(accepted) = accepted {
            request = request.header("Accept-Language", accepted);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-language"], language, "{accepted:?}");
        let (status, code, problem) = problem(response).await;
        assert_eq!((status, code.as_str()), (404, "not_found"));
        assert_eq!((&problem["title"], &problem["detail"]), (&json!(title), &json!(title)));
    }
    app.stop().await;
}

#[test]
async fn what_names_a_field_stays_as_it_is() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let request = shopper.new_session(&json!({"locale": "no such language"}));
    let problem = refused(request.header("Accept-Language", "pl"), 422, "schema_violation").await;
    assert_eq!(problem["title"], "Niektóre pola żądania są nieprawidłowe.");
    assert_eq!(
        problem["field_errors"][0]["detail"],
        "must be a language tag such as `en` or `de-AT`"
    );
    app.stop().await;
}

#[test]
async fn a_failed_turn_is_told_in_the_language_of_its_session() {
    let app = TestApp::with_model("error_frame").await;
    let shopper = app.visitor().await;
    let session = ok(shopper.new_session(&json!({"locale": "fr-CA"}))).await;
    let session = session["id"].as_str().unwrap();
    let events = shopper.stream(session, "Zzyzx qwerty?").await.rest().await;
    let failed = events.iter().find(|event| event.name == "turn.failed").unwrap();
    let problem = &failed.data["problem"];
    assert_eq!(problem["code"], "dependency_unavailable");
    assert!(problem["title"].as_str().unwrap().starts_with("Une partie du service"), "{problem}");
    app.stop().await;
}

#[test]
async fn a_shopper_gets_pages_of_their_language_only() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let ask = async |locale: &str, text: &str| {
        let session = ok(shopper.new_session(&json!({"locale": locale}))).await;
        let session = session["id"].as_str().unwrap().to_owned();
        shopper.ask(&session, text).await["answer"].take()
    };
    let german = ask("de", "Wie lange habe ich Zeit für die Rückgabe?").await;
    assert_eq!(german["citations"][0]["document_id"], "de/returns", "{german}");
    assert!(german["text"].as_str().unwrap().contains("30 Tage"), "{german}");
    let spanish = ask("es-MX", "¿Cuánto tarda el envío a Portugal?").await;
    assert_eq!(spanish["citations"][0]["document_id"], "es/delivery-times", "{spanish}");
    let english = ask("en", "How long does delivery to Portugal take?").await;
    assert_eq!(english["citations"][0]["document_id"], "delivery-times", "{english}");
    // Only the English pages speak of gift cards.
    let missing = ask("en", "Wie lange ist ein Geschenkgutschein gültig?").await;
    assert!(missing["citations"].as_array().unwrap().is_empty(), "{missing}");
    app.stop().await;
}

//! Notes and tags are for the people of the shop alone.

use actix_web::rt::test;
use serde_json::json;

use super::on_duty;
use crate::harness::*;

#[test]
async fn a_note_is_written_once_and_neither_the_shopper_nor_the_model_reads_it() {
    let (app, shopper, session) = TestApp::chat("ok").await;
    let (mara, noor) = (on_duty(&app, "Mara").await, on_duty(&app, "Noor").await);
    let written = mara.note(&session, "n1", "Zebracorn: be kind to them").send().await.unwrap();
    assert_eq!(written.status(), 201);
    let written = body(written).await;
    let again = mara.note(&session, "n1", "Zebracorn: be kind to them").send().await.unwrap();
    assert_eq!((again.status().as_u16(), body(again).await), (200, written));
    for (agent, text) in [(&mara, "Other words"), (&noor, "Zebracorn: be kind to them")] {
        refused(agent.note(&session, "n1", text), 422, "idempotency_key_reused").await;
    }
    sent(noor.note(&session, "n2", "Second")).await;
    ok(noor.tag(&session, &["vip", " late ", "vip"])).await;
    let shown = ok(noor.notes(&session)).await;
    let texts: Vec<_> = shown["notes"].as_array().unwrap().iter().map(|n| &n["text"]).collect();
    assert_eq!(texts, ["Zebracorn: be kind to them", "Second"]);
    assert_eq!(
        (&shown["tags"], &shown["notes"][0]["author"]["name"]),
        (&json!(["late", "vip"]), &json!("Mara"))
    );
    shopper.ask(&session, "How long do parcels take to Norway?").await;
    assert!(!app.model().last_prompt().contains("Zebracorn"));
    let journal = shopper.events(&session, None).await.until("answer.completed").await;
    let history = shopper.messages(&session).await;
    for seen in [
        format!("{journal:?}"),
        format!("{history:?}"),
        ok(shopper.view(&session)).await.to_string(),
    ] {
        assert!(!seen.contains("Zebracorn") && !seen.contains("vip"), "{seen}");
    }
    refused(shopper.note(&session, "n3", "Mine"), 422, "schema_violation").await;
    refused(shopper.notes(&session), 403, "forbidden").await;
    let tags: Vec<String> = (0..21).map(|tag| tag.to_string()).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let long = "x".repeat(41);
    for tags in [&tags[..], &[""], &["a\nb"], &["late, vip"], &[&long]] {
        refused(mara.tag(&session, tags), 422, "schema_violation").await;
    }
    app.stop().await;
}

#[test]
async fn notes_and_tags_are_exported_and_erased_with_the_session() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let mara = on_duty(&app, "Mara").await;
    sent(mara.note(&session, "n1", "Zebracorn")).await;
    ok(mara.tag(&session, &["vip"])).await;
    let id = ok(shopper.me()).await["id"].as_str().unwrap().to_owned();
    let admin = app.admin().await;
    for (reader, reads) in [(&admin, true), (&shopper, false)] {
        let export = reader.get(&format!("/v1/customers/{id}/export")).send().await.unwrap();
        let export = export.text().await.unwrap();
        assert_eq!(export.contains("Zebracorn"), reads, "{export}");
        assert_eq!(export.contains("\"vip\""), reads, "{export}");
        assert!(export.contains("\"kind\":\"end\""), "{export}");
    }
    sent(shopper.erase(&session)).await;
    refused(mara.notes(&session), 404, "not_found").await;
    refused(mara.note(&session, "n1", "Zebracorn"), 404, "not_found").await;
    let kept = app.archive().notes_of(session.parse().unwrap()).await.unwrap();
    let tags = app.archive().tags_of(session.parse().unwrap()).await.unwrap();
    assert!(kept.is_empty() && tags.is_empty(), "{kept:?} {tags:?}");
    app.stop().await;
}

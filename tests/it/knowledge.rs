//! The shop's documents: written by operators, found by shoppers, and gone at once when they are deleted.

use actix_web::rt::test;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::harness::*;

const QUESTION: &str = "How much does the Moonlight Club cost?";

fn club(price: &str) -> Value {
    json!({
        "title": "Moonlight Club",
        "text": format!("# Moonlight Club\n\nThe Moonlight Club costs {price} a year. Members borrow headlamps for free."),
        "tags": ["club"],
        "url": "https://fjellheim.example/help/club",
    })
}

async fn stored(request: RequestBuilder, status: StatusCode) -> (String, Value) {
    let response = request.send().await.unwrap();
    let etag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
    assert_eq!(response.status(), status, "{:?}", response.text().await);
    (etag.unwrap(), body(response).await)
}

async fn answer(app: &TestApp, question: &str) -> Value {
    app.ask(question).await["answer"].take()
}

async fn found(who: &Shopper, query: &str) -> Vec<String> {
    let result = ok(who.search(query)).await;
    let items = result["items"].as_array().unwrap();
    items.iter().map(|item| item["document_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
async fn a_new_document_is_found_and_answers_with_its_source() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    assert_ne!(answer(&app, QUESTION).await["route"], "knowledge");
    let (etag, document) =
        stored(admin.put_document("help-club", &club("49 EUR")), StatusCode::CREATED).await;
    assert_eq!((&document["external_id"], &document["version"]), (&json!("help-club"), &json!(1)));
    assert_eq!(document["status"], "created");
    assert!(document["chunks"].as_u64().unwrap() >= 1, "{document}");
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");

    let read = admin.document("help-club").send().await.unwrap();
    assert_eq!(read.headers()["etag"], etag);
    assert_eq!(body(read).await["title"], "Moonlight Club");
    let visitor = app.visitor().await;
    assert_eq!(found(&visitor, "moonlight club price").await[0], "help-club");

    let answer = answer(&app, QUESTION).await;
    assert_eq!(answer["route"], "knowledge", "{answer}");
    assert!(answer["text"].as_str().unwrap().contains("49 EUR"), "{answer}");
    let citation = &answer["citations"][0];
    assert_eq!(citation["document_id"], "help-club");
    assert_eq!(
        (&citation["title"], &citation["url"]),
        (&json!("Moonlight Club"), &json!("https://fjellheim.example/help/club"))
    );
    assert!(citation["quote"].as_str().unwrap().contains("49 EUR"), "{citation}");
    app.stop().await;
}

#[test]
async fn an_import_by_another_process_is_answered_from_without_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    let app = TestApp::in_folder(data, &[]).await;
    assert_ne!(answer(&app, QUESTION).await["route"], "knowledge");
    let documents = tempfile::tempdir().unwrap();
    for price in ["49 EUR", "59 EUR"] {
        let text = club(price)["text"].as_str().unwrap().to_owned();
        std::fs::write(documents.path().join("club.md"), text).unwrap();
        let import = tokio::process::Command::new(env!("CARGO_BIN_EXE_rushdesk"))
            .args(["knowledge", "import"])
            .arg(documents.path())
            .arg("--set")
            .arg(format!("server.data_dir={folder}"))
            .arg("--set")
            .arg(format!("embedding.model_dir={folder}/no-model"))
            .output()
            .await
            .unwrap();
        assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
        settle("the import is answered from", async || {
            answer(&app, QUESTION).await["text"].as_str().is_some_and(|text| text.contains(price))
        })
        .await;
    }
    app.stop().await;
}

#[test]
async fn the_same_content_again_changes_nothing_and_another_writer_is_noticed() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (first, _) = stored(admin.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    let (again, document) =
        stored(admin.put_document("club", &club("49 EUR")), StatusCode::OK).await;
    assert_eq!((&document["status"], &document["version"]), (&json!("unchanged"), &json!(1)));
    assert_eq!(again, first);

    let guarded =
        |price: &str, tag: &str| admin.put_document("club", &club(price)).header("if-match", tag);
    let (second, document) = stored(guarded("59 EUR", &first), StatusCode::OK).await;
    assert_eq!((&document["status"], &document["version"]), (&json!("updated"), &json!(2)));
    assert_ne!(second, first);
    for tag in [first.as_str(), "\"nonsense\"", "", "*x"] {
        refused(guarded("69 EUR", tag), 412, "precondition_failed").await;
    }
    let missing = admin.put_document("nothing", &club("1 EUR")).header("if-match", &first);
    refused(missing, 412, "precondition_failed").await;
    refused(admin.document("nothing"), 404, "not_found").await;
    let read = ok(admin.document("club")).await;
    assert!(read.to_string().contains("59 EUR"), "{read}");
    app.stop().await;
}

#[test]
async fn an_update_changes_the_answer_at_once_also_where_the_old_one_was_cached() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    stored(admin.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    assert_eq!(answer(&app, QUESTION).await["route"], "knowledge");
    let cached = answer(&app, QUESTION).await;
    assert_eq!(cached["route"], "exact", "{cached}");
    assert!(cached["text"].as_str().unwrap().contains("49 EUR"), "{cached}");
    stored(admin.put_document("club", &club("59 EUR")), StatusCode::OK).await;
    for _ in 0..2 {
        let text = answer(&app, QUESTION).await["text"].to_string();
        assert!(text.contains("59 EUR") && !text.contains("49 EUR"), "{text}");
    }
    app.stop().await;
}

#[test]
async fn a_deleted_document_is_gone_from_search_answers_and_cache() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (_, made) = stored(admin.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    for _ in 0..2 {
        assert!(answer(&app, QUESTION).await["text"].to_string().contains("49 EUR"));
    }
    let deleted = ok(admin.delete_document("club")).await;
    assert_eq!((&deleted["external_id"], &deleted["chunks"]), (&json!("club"), &made["chunks"]));
    assert_eq!(deleted["cache_entries"], 1, "{deleted}");
    let answer = answer(&app, QUESTION).await;
    assert!(!answer.to_string().contains("49 EUR"), "{answer}");
    assert!(!found(&admin, "moonlight club price").await.contains(&"club".to_owned()));
    refused(admin.delete_document("club"), 404, "not_found").await;
    refused(admin.document("club"), 404, "not_found").await;

    let app = TestApp::in_folder(app.stop().await, &[]).await;
    let visitor = app.visitor().await;
    assert!(!found(&visitor, "moonlight club price").await.contains(&"club".to_owned()));
    app.stop().await;
}

#[test]
async fn documents_survive_a_restart() {
    let app = TestApp::start().await;
    stored(app.admin().await.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    let app = TestApp::in_folder(app.stop().await, &[]).await;
    assert!(answer(&app, QUESTION).await["text"].to_string().contains("49 EUR"));
    let again = app.admin().await.put_document("club", &club("49 EUR"));
    let (_, document) = stored(again, StatusCode::OK).await;
    assert_eq!(document["status"], "unchanged");
    app.stop().await;
}

#[test]
async fn every_format_is_read() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let pairs = json!([{"question": "What does a zeppelin ride cost?", "answer": "A zeppelin ride costs 80 EUR."}]);
    for (id, document, question, fact) in [
        (
            "html",
            json!({"title": "Igloos", "format": "html", "text": "<html><head><title>x</title></head><body>\
                <h1>Igloos</h1><script>alert('evilscript')</script><p onclick=\"x()\">An igloo night costs &euro;90.</p></body></html>"}),
            "What does an igloo night cost?",
            "€90",
        ),
        (
            "text",
            json!({"title": "Kayak course", "format": "text", "text": "The kayak course takes 7 days and costs 140 EUR."}),
            "How many days does the kayak course take?",
            "7 days",
        ),
        (
            "csv",
            json!({"title": "Huskies", "format": "csv", "text": "question,answer\n\"How long is a husky tour?\",\"A husky tour lasts 3 hours.\"\n"}),
            "How long is a husky tour?",
            "3 hours",
        ),
        (
            "json",
            json!({"title": "Zeppelins", "format": "json", "text": pairs.to_string()}),
            "What does a zeppelin ride cost?",
            "80 EUR",
        ),
        (
            "faq",
            json!({"title": "Snowmobiles", "faq": [{"question": "May children drive a snowmobile?", "answer": "Children from 14 years may drive a snowmobile."}]}),
            "May children drive a snowmobile?",
            "14 years",
        ),
    ] {
        stored(admin.put_document(id, &document), StatusCode::CREATED).await;
        let answer = answer(&app, question).await;
        assert_eq!(answer["route"], "knowledge", "{id}: {answer}");
        assert!(answer["text"].as_str().unwrap().contains(fact), "{id}: {answer}");
        assert_eq!(answer["citations"][0]["document_id"], id, "{answer}");
        assert!(!answer.to_string().contains("evilscript"), "{answer}");
    }
    app.stop().await;
}

#[test]
async fn a_document_that_cannot_be_stored_is_refused_with_its_fields() {
    let app = TestApp::with(&[("knowledge.max_document_bytes", "50000".to_owned())]).await;
    let admin = app.admin().await;
    let with = |name: &str, value: Value| {
        let mut document = json!({"title": "A", "text": "Some text."});
        document[name] = value;
        document
    };
    for (id, document, field) in [
        ("a", with("title", json!("")), "title"),
        ("a", with("title", json!("two\nlines")), "title"),
        ("a", with("text", json!("   ")), "text"),
        ("a", with("text", json!("x".repeat(50_001))), "text"),
        ("a", with("text", Value::Null), "text"),
        ("a", with("faq", json!([])), "text"),
        ("a", json!({"title": "A", "faq": []}), "faq"),
        ("a", with("format", json!("pdf")), "format"),
        ("a", with("nonsense", json!(1)), "nonsense"),
        ("a", with("url", json!("javascript:alert(1)")), "url"),
        ("a", with("locale", json!("english!")), "locale"),
        ("a", with("tags", json!([""])), "tags[0]"),
        ("a", with("audience", Value::Null), "audience"),
        ("a", with("audience", json!(["staff"])), "audience"),
        ("a", with("text", json!("<meta name=audience content=staff>\n\nText.")), "audience"),
        ("a", with("text", json!("audience | staff\n\nText.")), "text"),
        ("a", with("title", json!("\u{200b}")), "title"),
        (
            "a",
            json!({"title": "A", "faq": [{"question": "q", "answer": "a", "audience": "staff"}]}),
            "faq[0].audience",
        ),
        (
            "a",
            json!({"title": "A", "format": "csv", "text": "question,answer,access\nq,a,staff\n"}),
            "text",
        ),
        ("a%2F..", with("title", json!("A")), "external_id"),
        ("a%20b", with("title", json!("A")), "external_id"),
        ("%00", with("title", json!("A")), "external_id"),
        (&"x".repeat(129), with("title", json!("A")), "external_id"),
    ] {
        let problem = refused(admin.put_document(id, &document), 422, "schema_violation").await;
        assert_eq!(problem["field_errors"][0]["field"], field, "{problem}");
    }
    let huge = with("text", json!("x".repeat(101_000)));
    refused(admin.put_document("a", &huge), 413, "payload_too_large").await;
    let plain = admin.request(Method::PUT, "/v1/knowledge/documents/a").body("# A");
    refused(plain, 415, "unsupported_media_type").await;
    refused(admin.document("a"), 404, "not_found").await;
    app.stop().await;
}

#[test]
async fn a_shopper_reads_answers_and_writes_no_documents() {
    let app = TestApp::start().await;
    let visitor = app.visitor().await;
    refused(visitor.put_document("club", &club("0 EUR")), 403, "forbidden").await;
    refused(visitor.delete_document("returns"), 403, "forbidden").await;
    assert!(!found(&visitor, "return something").await.is_empty());
    for query in ["", "  ", &"x".repeat(1_001)] {
        refused(visitor.search(query), 422, "schema_violation").await;
    }
    app.stop().await;
}

#[test]
async fn what_is_not_public_answers_no_shopper() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut staff = club("49 EUR");
    staff["audience"] = json!("staff");
    stored(admin.put_document("club", &staff), StatusCode::CREATED).await;
    assert!(
        !found(&app.visitor().await, "moonlight club price").await.contains(&"club".to_owned())
    );
    let answer = answer(&app, QUESTION).await;
    assert!(!answer.to_string().contains("49 EUR"), "{answer}");
    app.stop().await;
}

#[test]
async fn a_document_of_one_shop_answers_in_that_shop_only() {
    let site = "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"}]";
    let app = TestApp::with(&[("sites", site.to_owned())]).await;
    stored(app.admin().await.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    assert!(answer(&app, QUESTION).await["text"].to_string().contains("49 EUR"));
    let elsewhere = app.visitor_of("pk_shop").await;
    assert_eq!(found(&elsewhere, "moonlight club price").await, Vec::<String>::new());
    let session = elsewhere.session().await;
    let turn = elsewhere.ask(&session, QUESTION).await;
    assert_eq!(turn["answer"]["route"], "template", "{turn}");
    app.stop().await;
}

#[test]
async fn documents_are_listed_page_by_page_without_their_texts() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let list = async |query: String| ok(admin.documents(&query)).await;
    let all = list("limit=200".into()).await;
    let all = all["items"].as_array().unwrap().clone();
    assert!(all.len() > 20, "{}", all.len());
    assert!(all.iter().all(|item| item.get("text").is_none() && item.get("body").is_none()));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(format!("limit=20{cursor}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    app.stop().await;
}

#[test]
async fn every_write_lands_in_the_audit_log_and_a_refused_one_does_not() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    stored(admin.put_document("club", &club("49 EUR")), StatusCode::CREATED).await;
    stored(admin.put_document("club", &club("49 EUR")), StatusCode::OK).await;
    stored(admin.put_document("club", &club("59 EUR")), StatusCode::OK).await;
    let guarded = admin.put_document("club", &club("69 EUR")).header("if-match", "\"other\"");
    refused(guarded, 412, "precondition_failed").await;
    sent(admin.delete_document("club")).await;
    sent(admin.purge(&json!({"all": true}))).await;

    let log = ok(admin.audit()).await;
    let items = log["items"].as_array().unwrap();
    let actions: Vec<_> = items
        .iter()
        .map(|item| (item["action"].as_str().unwrap(), item["target"].as_str().unwrap()))
        .collect();
    let expected = [
        ("cache.purge", "all"),
        ("knowledge.delete", "club"),
        ("knowledge.put", "club"),
        ("knowledge.put", "club"),
    ];
    assert_eq!(actions, expected);
    let me = ok(admin.me()).await;
    for item in items {
        assert_eq!((&item["actor_id"], &item["actor_role"]), (&me["id"], &json!("admin")));
    }
    assert_eq!(items[2]["detail"]["version"], 2, "{log}");
    assert!(!log.to_string().contains("EUR"), "no texts in the log: {log}");
    app.stop().await;
}

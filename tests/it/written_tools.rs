//! Tools that admins write through the API.

use actix_web::rt::test;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{distributed::Stores, harness::*};

const PATH: &str = "/v1/admin/tools";
const SECRET: &str = "the-key-of-the-desk";

fn hours() -> Value {
    json!({"declaration": {
        "description": "When people answer.", "effect": "read", "identity": "nobody",
        "url": "https://desk.example/hours", "headers": {"x-api-key": SECRET},
    }})
}

fn put(admin: &Shopper, name: &str, body: &Value) -> RequestBuilder {
    admin.request(Method::PUT, &format!("{PATH}/{name}")).json(body)
}

async fn names(admin: &Shopper) -> Vec<String> {
    let tools = ok(admin.get("/v1/tools")).await;
    let items = tools["items"].as_array().unwrap();
    items.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn faults(request: RequestBuilder) -> String {
    refused(request, 422, "schema_violation").await["field_errors"].to_string()
}

#[test]
async fn a_tool_is_written_changed_and_deleted_and_its_secret_never_comes_back() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = ok(put(&admin, "desk_hours", &hours())).await;
    assert_eq!(made["declaration"]["headers"], json!({"x-api-key": null}));
    assert!(names(&admin).await.contains(&"desk_hours".to_owned()));
    // As it was read, it is written again: the key stays.
    let mut again = made["declaration"].clone();
    again["description"] = json!("When people answer the phone.");
    ok(put(&admin, "desk_hours", &json!({"declaration": again}))).await;
    let kept = app.archive().site_tools().await.unwrap();
    assert_eq!(kept[0].declaration.as_ref().unwrap().0["headers"]["x-api-key"], SECRET);
    // It does not go where it was not given for.
    for key in ["url", "outcome_url"] {
        let mut elsewhere = again.clone();
        elsewhere[key] = json!("https://evil.example/hours");
        let body = json!({"enabled": false, "declaration": elsewhere});
        let told = faults(put(&admin, "desk_hours", &body)).await;
        assert!(told.contains("headers.x-api-key"), "{key}: {told}");
    }
    let shown =
        [ok(admin.get(PATH)).await, ok(admin.get("/v1/tools")).await, ok(admin.audit()).await];
    let shown = json!(shown).to_string();
    assert!(!shown.contains(SECRET) && shown.contains("tools.put"), "{shown}");
    let metrics = app.app().metrics.render();
    assert!(
        !metrics.contains("\"desk_hours\"") && metrics.contains("tool=\"written\""),
        "{metrics}"
    );
    let path = format!("{PATH}/desk_hours");
    assert_eq!(status_of(admin.request(Method::DELETE, &path)).await, 204);
    refused(admin.request(Method::DELETE, &path), 404, "not_found").await;
    assert!(!names(&admin).await.contains(&"desk_hours".to_owned()));
    app.stop().await;
}

#[test]
async fn a_tool_of_the_configuration_is_only_switched_off_and_on() {
    let shop = [("tools.demo_shop_url", "http://127.0.0.1:9".to_owned())];
    let app = TestApp::with(&shop).await;
    let admin = app.admin().await;
    refused(put(&admin, "cancel_order", &hours()), 409, "conflict").await;
    ok(put(&admin, "cancel_order", &json!({"enabled": false}))).await;
    assert!(!names(&admin).await.contains(&"cancel_order".to_owned()));
    let folder = app.stop().await;
    let app = TestApp::in_folder(folder, &shop).await;
    let admin = app.staff("demo", rushdesk::domain::Role::Admin, "next@example.com").await;
    assert!(!names(&admin).await.contains(&"cancel_order".to_owned()), "also after a restart");
    let path = format!("{PATH}/cancel_order");
    assert_eq!(status_of(admin.request(Method::DELETE, &path)).await, 204);
    assert!(names(&admin).await.contains(&"cancel_order".to_owned()));
    app.stop().await;
}

#[test]
async fn every_fault_of_a_declaration_is_named_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (name, change, field) in [
        ("desk_hours", json!({"url": "desk.example"}), "declaration.url"),
        ("desk_hours", json!({"url": "http://127.0.0.1:1/hours"}), "declaration.url"),
        ("desk_hours", json!({"url": "http://0x7f.1/hours"}), "declaration.url"),
        ("desk_hours", json!({"url": "http://localhost:8091/hours"}), "a name of this machine"),
        ("desk_hours", json!({"url": "http://desk.localhost./hours"}), "a name of this machine"),
        ("desk_hours", json!({"url": "http://redis/hours"}), "a name of a private network"),
        ("desk_hours", json!({"url": "https://nas.local/hours"}), "a name of a private network"),
        ("desk_hours", json!({"url": "https://desk.example/{day}"}), "declaration.url"),
        ("desk_hours", json!({"effect": "write", "method": "POST"}), "declaration.outcome_url"),
        ("desk_hours", json!({"description": ""}), "declaration.description"),
        ("desk_hours", json!({"headers": {"host": "a"}}), "declaration.headers"),
        ("desk_hours", json!({"headers": {"x-other": null}}), "headers.x-other"),
        ("desk_hours", json!({"web_results": 3}), "unknown field"),
        ("desk_hours", json!({"name": "other"}), "outside of the declaration"),
        ("Hours", json!({}), "declaration.name"),
    ] {
        let mut body = hours();
        body["declaration"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let told = faults(put(&admin, name, &body)).await;
        assert!(told.contains(field), "{change}: {told}");
    }
    let nothing = faults(put(&admin, "desk_hours", &json!({}))).await;
    assert!(nothing.contains("must say what the tool is"), "{nothing}");
    assert!(app.archive().site_tools().await.unwrap().is_empty());
    app.stop().await;
}

#[test]
async fn operations_of_a_document_become_drafts_that_nobody_has_before_they_are_enabled() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let parameter =
        json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let tenant = json!({"name": "X-Tenant", "in": "header", "schema": {"type": "string"}});
    let document = json!({
        "openapi": "3.1.0", "servers": [{"url": "https://parcels.example/v2"}],
        "paths": {"/parcels/{id}": {
            "parameters": [parameter],
            "get": {"operationId": "getParcel", "summary": "Where a parcel is.", "parameters": [tenant]},
            "post": {"operationId": "holdParcel", "summary": "Holds a parcel."}
        }}
    });
    let import = |operations: Value, store: bool| {
        let body = json!({"openapi": document, "operations": operations, "store": store});
        admin.post(&format!("{PATH}/import")).json(&body)
    };
    let read = ok(import(json!(["getParcel"]), false)).await;
    assert_eq!(read["items"][0]["declaration"]["url"], "https://parcels.example/v2/parcels/{id}");
    assert_eq!(read["items"][0]["left_out"], json!(["header X-Tenant"]));
    assert_eq!(read["items"][0]["stored"], false);
    assert_eq!(ok(admin.get(PATH)).await["items"], json!([]));
    let stored = ok(import(json!(["getParcel", "holdParcel"]), true)).await;
    assert_eq!(stored["items"][0]["stored"], true, "{stored}");
    assert_eq!(stored["items"][0].get("faults"), None, "{stored}");
    let open = stored["items"][1]["faults"].to_string();
    assert!(open.contains("outcome_url"), "a person decides: {open}");
    assert!(!names(&admin).await.contains(&"get_parcel".to_owned()));
    let again = ok(import(json!(["getParcel"]), true)).await;
    assert_eq!(again["items"][0]["stored"], false, "what is there stays");
    let list = ok(admin.get(PATH)).await;
    let draft = &list["items"][0];
    assert_eq!((&draft["name"], &draft["enabled"]), (&json!("get_parcel"), &json!(false)));
    ok(put(&admin, "get_parcel", &json!({"declaration": draft["declaration"]}))).await;
    assert!(names(&admin).await.contains(&"get_parcel".to_owned()));
    let unknown = refused(import(json!(["nothing"]), true), 422, "schema_violation").await;
    assert!(unknown["field_errors"].to_string().contains("getParcel, holdParcel"), "{unknown}");
    app.stop().await;
}

#[test]
async fn another_replica_takes_a_written_tool_over() {
    let Some(stores) = Stores::new().await else { return };
    let one = TestApp::with(&stores.settings).await;
    let two = TestApp::with(&stores.settings).await;
    let admin = one.admin().await;
    ok(put(&admin, "desk_hours", &hours())).await;
    let there = admin.at(&two);
    settle("the other replica has the tool", async || {
        names(&there).await.contains(&"desk_hours".to_owned())
    })
    .await;
    assert_eq!(status_of(admin.request(Method::DELETE, &format!("{PATH}/desk_hours"))).await, 204);
    settle("and loses it", async || !names(&there).await.contains(&"desk_hours".to_owned())).await;
    one.stop().await;
    two.stop().await;
}

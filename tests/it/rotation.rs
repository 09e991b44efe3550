//! Keys are replaced while requests come in, and none of them fails.

use std::{cell::Cell, path::Path};

use actix_web::rt::test;
use futures_util::future::join;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::harness::*;

const FIRST: &str = "the-first-secret-of-this-test-0123456789";
const SECOND: &str = "the-second-secret-of-this-test-012345678";

/// A visitor's token, signed by whoever has `secret`.
fn signed(secret: &str) -> String {
    let now = rushdesk::clock::now().as_millis() / 1_000;
    let claims = json!({
        "iss": "rushdesk", "aud": "rushdesk", "sub": uuid::Uuid::now_v7(), "site": "demo",
        "role": "visitor", "iat": now, "exp": now + 900, "jti": "x",
    });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// As an orchestrator does it: the new content is there at once, never half of it.
fn put(path: &Path, content: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, content).unwrap();
    std::fs::rename(beside, path).unwrap();
}

/// Asks again and again until `done`; how many requests there were, all of them answered with 200.
async fn traffic(done: &Cell<bool>, request: impl Fn() -> RequestBuilder) -> usize {
    let mut count = 0;
    while !done.get() {
        let status = status_of(request()).await;
        assert_eq!(status, StatusCode::OK, "request {count}");
        count += 1;
    }
    count
}

async fn accepted(app: &TestApp, token: &str) -> bool {
    status_of(app.holder(token).me()).await == StatusCode::OK
}

#[test]
async fn a_signing_secret_is_replaced_under_traffic_and_no_request_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets");
    put(&file, FIRST);
    let app = TestApp::with(&[("auth.jwt_secret_file", file.display().to_string())]).await;
    let old = app.visitor().await;
    let done = Cell::new(false);
    let rotation = async {
        put(&file, &format!("{FIRST}\n{SECOND}\n"));
        settle("the new one is accepted", async || accepted(&app, &signed(SECOND)).await).await;
        assert!(accepted(&app, &signed(FIRST)).await);
        put(&file, &format!("{SECOND}\n{FIRST}\n"));
        // A token says nothing of its secret; its signature is compared with both.
        let by_second = async || is_signed_by(&app.visitor().await.token, SECOND);
        settle("the new one signs", by_second).await;
        // What cannot be used changes nothing.
        let refused = "rushdesk_renewals_total{files=\"signing secrets\",outcome=\"refused\"}";
        let before = app.counter(refused);
        put(&file, "short");
        settle("it was looked at", async || app.counter(refused) > before).await;
        let fresh = app.visitor().await;
        assert!(accepted(&app, &old.token).await && accepted(&app, &fresh.token).await);
        done.set(true);
        fresh.token
    };
    let (fresh, count) = join(rotation, traffic(&done, || old.me())).await;
    assert!(count > 10, "only {count} requests");
    // Once the old secret is gone its tokens are too.
    put(&file, SECOND);
    settle("the old one is refused", async || !accepted(&app, &old.token).await).await;
    assert!(accepted(&app, &fresh).await);
    app.stop().await;
}

fn is_signed_by(token: &str, secret: &str) -> bool {
    let mut validation = jsonwebtoken::Validation::default();
    validation.set_audience(&["rushdesk"]);
    let key = jsonwebtoken::DecodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

#[test]
async fn an_api_key_is_replaced_under_traffic_and_no_request_fails() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let create = async |name: &str| ok(admin.create_key(name)).await;
    let first = create("first").await;
    let in_use = std::cell::RefCell::new(first["key"].as_str().unwrap().to_owned());
    let done = Cell::new(false);
    let rotation = async {
        let second = create("second").await;
        let old = in_use.replace(second["key"].as_str().unwrap().to_owned());
        // The request that is under way with the old key is answered before it is revoked.
        sent(app.holder(&old).me()).await;
        done.set(true);
        old
    };
    let request = || app.holder(&in_use.borrow()).me();
    let (old, count) = join(rotation, traffic(&done, request)).await;
    assert!(count > 0);
    sent(admin.revoke_key(first["id"].as_str().unwrap())).await;
    refused(app.holder(&old).me(), 401, "token_invalid").await;
    assert_eq!(status_of(request()).await, StatusCode::OK);
    app.stop().await;
}

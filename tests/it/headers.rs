//! What every response tells a browser, and what is too large to be read.

use std::io::Write as _;

use actix_web::rt::test;
use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use super::harness::*;

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
async fn every_response_carries_the_headers_of_its_kind() {
    let app = TestApp::start().await;
    let (visitor, session) = app.chatting().await;
    let data = "default-src 'none'";
    let page = "default-src 'self'";
    let requests = [
        (app.get("/"), 200, page),
        (app.get("/reset"), 200, page),
        (app.get("/console"), 200, page),
        (app.get("/docs/"), 200, page),
        (app.get("/docs/swagger-ui-bundle.js"), 200, page),
        (app.get("/assets/chat.js"), 200, data),
        (app.get("/assets/none.js"), 404, data),
        (app.get("/docs"), 200, page),
        (app.get("/openapi.json"), 200, data),
        (app.get("/metrics"), 200, data),
        (app.get("/nowhere"), 404, data),
        (app.get("/v1/sessions"), 401, data),
        (app.request(Method::PATCH, "/v1/sessions"), 405, data),
        (app.post("/v1/auth/visitor").body("{"), 415, data),
        (visitor.sessions(), 200, data),
        (visitor.follow(&session), 200, data),
        (visitor.sessions().header("origin", "https://evil.example"), 403, data),
    ];
    for (request, status, policy) in requests {
        let response = request.send().await.unwrap();
        let what = format!("{} {:?}", response.url().path(), response.headers());
        assert_eq!(response.status().as_u16(), status, "{what}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer", "{what}");
        assert_eq!(header(&response, "cross-origin-resource-policy"), "same-origin", "{what}");
        assert!(header(&response, "permissions-policy").contains("camera=()"), "{what}");
        assert!(header(&response, "content-security-policy").starts_with(policy), "{what}");
        assert!(!header(&response, "cache-control").is_empty(), "{what}");
        // Over plain HTTP nobody is sent to a place that may not exist.
        assert_eq!(header(&response, "strict-transport-security"), "", "{what}");
        assert_eq!(header(&response, "server"), "", "{what}");
    }
    app.stop().await;
}

#[test]
async fn probes_and_pages_answer_head_as_get_without_a_body() {
    let app = TestApp::start().await;
    let paths = [
        "/",
        "/reset",
        "/livez",
        "/readyz",
        "/startupz",
        "/metrics",
        "/openapi.json",
        "/docs/",
        "/v1/status",
    ];
    for path in paths {
        let got = app.get(path).send().await.unwrap();
        let head = app.request(Method::HEAD, path).send().await.unwrap();
        assert_eq!((head.status(), got.status()), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(header(&head, "content-type"), header(&got, "content-type"), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        // The connection is still good for the next request.
        assert_eq!(app.get("/livez").send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
    let nowhere = app.request(Method::HEAD, "/nowhere").send().await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    let (shopper, session) = app.chatting().await;
    let stream = shopper.request(Method::HEAD, &format!("/v1/sessions/{session}/events"));
    assert_eq!(stream.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    app.stop().await;
}

#[test]
async fn a_site_may_allow_one_label_of_a_domain_and_web_views() {
    let sites = "[{id=\"demo\",name=\"S\",site_key=\"pk_demo\",\
        allowed_origins=[\"https://*.shop.example\",\"capacitor://localhost\"]}]";
    let app = TestApp::with(&[("sites", sites.to_owned())]).await;
    let (shopper, _) = app.chatting().await;
    for (origin, status) in [
        ("https://www.shop.example", 200),
        ("https://de.shop.example", 200),
        ("capacitor://localhost", 200),
        ("https://shop.example", 403),
        ("https://a.b.shop.example", 403),
        ("https://evilshop.example", 403),
        ("https://www.shop.example.evil.example", 403),
        ("ionic://localhost", 403),
        ("null", 403),
    ] {
        let response = shopper.sessions().header("origin", origin).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{origin}");
        let allowed = header(&response, "access-control-allow-origin");
        assert_eq!(allowed == origin, status == 200, "{origin}: {allowed}");
    }
    app.stop().await;
}

#[test]
async fn the_page_may_be_framed_by_its_shop_and_by_nobody_else() {
    let sites = "[{id=\"demo\",name=\"S\",site_key=\"pk_demo\",\
        allowed_origins=[\"https://shop.example\",\"https://b.example:8443\"]},\
        {id=\"other\",name=\"O\",site_key=\"pk_other\",\
        allowed_origins=[\"https://other.example\"]}]";
    let https = ("server.public_url", "https://chat.shop.example".to_owned());
    let app = TestApp::with(&[("sites", sites.to_owned()), https]).await;
    let page = app.get("/").send().await.unwrap();
    let policy = header(&page, "content-security-policy");
    let framers = policy.split("frame-ancestors ").nth(1).unwrap();
    assert_eq!(framers, "'self' https://shop.example https://b.example:8443");
    assert!(!policy.contains("unsafe"), "{policy}");
    // A proxy speaks TLS here.
    assert_eq!(header(&page, "strict-transport-security"), "max-age=31536000");
    for path in ["/docs/", "/v1/status"] {
        let response = app.get(path).send().await.unwrap();
        let policy = header(&response, "content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    app.stop().await;
}

#[test]
async fn what_is_too_large_is_refused_wherever_a_body_is_read() {
    let app = TestApp::with(&[("knowledge.max_document_bytes", "4096".to_owned())]).await;
    let (visitor, admin) = (app.visitor().await, app.admin().await);
    let session = visitor.session().await;
    let large = "x".repeat(70_000);
    let body = json!({"text": large, "site_key": large, "query": large, "name": large});
    for (who, method, path) in [
        (&visitor, Method::POST, "/v1/auth/visitor".to_owned()),
        (&visitor, Method::POST, format!("/v1/sessions/{session}/messages")),
        (&visitor, Method::POST, "/v1/knowledge/search".to_owned()),
        (&visitor, Method::POST, "/v1/chat/completions".to_owned()),
        (&admin, Method::PUT, "/v1/knowledge/documents/x".to_owned()),
        (&admin, Method::POST, "/v1/admin/keys".to_owned()),
        (&admin, Method::PUT, "/v1/admin/modes".to_owned()),
    ] {
        let request = who.request(method, &path).header("idempotency-key", "k").json(&body);
        let problem = problem(request.send().await.unwrap()).await;
        assert_eq!((problem.0, problem.1.as_str()), (413, "payload_too_large"), "{path}");
    }
    // Ten megabytes of zeros in ten kilobytes.
    let mut zeros = GzEncoder::new(Vec::new(), Compression::best());
    zeros.write_all(&vec![0; 10 << 20]).unwrap();
    let zeros = zeros.finish().unwrap();
    assert!(zeros.len() < 16 << 10, "{} bytes are refused by their own size", zeros.len());
    let bomb = app
        .post("/v1/auth/visitor")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(zeros);
    let (status, _, _) = problem(bomb.send().await.unwrap()).await;
    assert!(matches!(status, 413 | 415), "{status}");
    app.stop().await;
}

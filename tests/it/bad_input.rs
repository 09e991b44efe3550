//! What the service says to requests that are wrong, hostile or slow: a problem, never a 5xx, and nothing is written.

use std::time::Duration;

use actix_web::rt::test;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::harness::*;

const JSON: &str = "application/json";

/// A message whose body is sent as it is.
fn raw(shopper: &Shopper, session: &str, media_type: &str, body: Vec<u8>) -> RequestBuilder {
    shopper
        .post(&format!("/v1/sessions/{session}/messages"))
        .header("idempotency-key", "k")
        .header("content-type", media_type)
        .body(body)
}

/// Nothing was written to the session.
async fn untouched(shopper: &Shopper, session: &str) {
    assert_eq!(shopper.messages(session).await, Vec::<Value>::new());
    let session = ok(shopper.view(session)).await;
    assert_eq!(session["last_seq"], 0);
}

#[test]
async fn a_body_that_is_no_message_is_refused_and_nothing_is_written() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("limits.visitor_burst", "1000".to_owned())]).await;
    let deep = format!("{{\"text\":\"a\",\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let long_id = json!({"text": "a", "client_message_id": "x".repeat(129)}).to_string();
    let cases: Vec<(&str, &str, Vec<u8>, u16, &str)> = vec![
        ("no body", JSON, vec![], 400, "invalid_request"),
        ("half a body", JSON, b"{\"text\":".to_vec(), 400, "invalid_request"),
        ("two bodies", JSON, b"{\"text\":\"a\"}{\"text\":\"b\"}".to_vec(), 400, "invalid_request"),
        ("a byte order mark", JSON, "\u{feff}{\"text\":\"a\"}".into(), 400, "invalid_request"),
        ("invalid UTF-8", JSON, b"{\"text\":\"\xff\xfe\"}".to_vec(), 400, "invalid_request"),
        ("half a surrogate", JSON, b"{\"text\":\"\\ud800\"}".to_vec(), 400, "invalid_request"),
        ("a raw NUL", JSON, b"{\"text\":\"a\0b\"}".to_vec(), 400, "invalid_request"),
        ("NaN", JSON, b"{\"text\":NaN}".to_vec(), 400, "invalid_request"),
        ("a number", JSON, b"{\"text\":1}".to_vec(), 422, "schema_violation"),
        ("null", JSON, b"{\"text\":null}".to_vec(), 422, "schema_violation"),
        ("no text", JSON, b"{}".to_vec(), 422, "schema_violation"),
        ("a list", JSON, b"[\"hello\"]".to_vec(), 422, "schema_violation"),
        ("a string", JSON, b"\"hello\"".to_vec(), 422, "schema_violation"),
        (
            "an unknown field",
            JSON,
            b"{\"text\":\"a\",\"role\":\"x\"}".to_vec(),
            422,
            "schema_violation",
        ),
        (
            "a field twice",
            JSON,
            b"{\"text\":\"a\",\"text\":\"b\"}".to_vec(),
            422,
            "schema_violation",
        ),
        ("deep JSON", JSON, deep.into_bytes(), 422, "schema_violation"),
        ("an empty text", JSON, b"{\"text\":\"\"}".to_vec(), 422, "schema_violation"),
        ("white space", JSON, b"{\"text\":\" \\n\\t\\u00a0\"}".to_vec(), 422, "schema_violation"),
        (
            "what nobody sees",
            JSON,
            "{\"text\":\"\u{200b}\u{2060}\u{feff} \u{3164}\u{e0041}\"}".into(),
            422,
            "schema_violation",
        ),
        ("NUL", JSON, b"{\"text\":\"a\\u0000b\"}".to_vec(), 422, "schema_violation"),
        (
            "a long text",
            JSON,
            json!({"text": "x".repeat(4_001)}).to_string().into(),
            422,
            "schema_violation",
        ),
        ("a long id", JSON, long_id.into(), 422, "schema_violation"),
        (
            "no language",
            JSON,
            b"{\"text\":\"a\",\"locale\":\"<b>\"}".to_vec(),
            422,
            "schema_violation",
        ),
        ("plain text", "text/plain", b"{\"text\":\"a\"}".to_vec(), 415, "unsupported_media_type"),
        (
            "a form",
            "application/x-www-form-urlencoded",
            b"text=a".to_vec(),
            415,
            "unsupported_media_type",
        ),
        ("no media type", "", b"{\"text\":\"a\"}".to_vec(), 415, "unsupported_media_type"),
        ("a large body", JSON, vec![b' '; 65_537], 413, "payload_too_large"),
        ("a huge body", JSON, vec![b'['; 8 << 20], 413, "payload_too_large"),
    ];
    for (what, media_type, body, status, code) in cases {
        let response = raw(&shopper, &session, media_type, body).send().await.unwrap();
        let (got, got_code, problem) = problem(response).await;
        assert_eq!((got, got_code.as_str()), (status, code), "{what}: {problem}");
        if code == "schema_violation" {
            assert!(problem["field_errors"][0]["detail"].is_string(), "{what}: {problem}");
        }
    }
    untouched(&shopper, &session).await;
    app.stop().await;
}

#[test]
async fn a_deep_body_is_refused_by_every_route_that_takes_one() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let id = uuid::Uuid::now_v7();
    for (method, path) in [
        (Method::POST, "/v1/sessions".to_owned()),
        (Method::POST, "/v1/auth/login".to_owned()),
        (Method::POST, format!("/v1/messages/{id}/feedback")),
        (Method::POST, "/v1/chat/completions".to_owned()),
        (Method::POST, "/v1/knowledge/search".to_owned()),
        (Method::PUT, "/v1/knowledge/documents/x".to_owned()),
        (Method::POST, "/v1/admin/cache/purge".to_owned()),
    ] {
        for body in [deep.clone(), format!("{{\"messages\":{deep}}}"), "{\"a\":".repeat(10_000)] {
            let request = admin.request(method.clone(), &path).header("content-type", JSON);
            let (status, _, problem) = problem(request.body(body).send().await.unwrap()).await;
            assert!(matches!(status, 400 | 422), "{path}: {problem}");
        }
    }
    app.stop().await;
}

#[test]
async fn a_search_for_too_few_or_too_many_passages_is_refused() {
    let (app, shopper, _) = TestApp::chat(NO_MODEL).await;
    for limit in [0, 21, 9_999] {
        let search = shopper.post("/v1/knowledge/search");
        let search = search.json(&json!({"query": "tents", "limit": limit}));
        let (status, _, problem) = problem(search.send().await.unwrap()).await;
        assert_eq!((status, &problem["field_errors"][0]["field"]), (422, &json!("limit")));
    }
    app.stop().await;
}

#[test]
async fn a_body_without_an_announced_length_is_bounded_too() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1_024]));
    let chunks = futures_util::StreamExt::take(chunks, 4_096);
    let request = shopper
        .post(&format!("/v1/sessions/{session}/messages"))
        .header("idempotency-key", "k")
        .header("content-type", JSON)
        .body(reqwest::Body::wrap_stream(chunks));
    // The service answers before it has read everything; a client may see the end of the connection instead.
    if let Ok(response) = request.send().await {
        let (status, code, _) = problem(response).await;
        assert_eq!((status, code.as_str()), (413, "payload_too_large"));
    }
    untouched(&shopper, &session).await;
    app.stop().await;
}

#[test]
async fn whatever_may_be_in_a_message_comes_back_as_it_was() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let texts = [
        "<script>alert(1)</script>".to_owned(),
        "'; DROP TABLE sessions; --".to_owned(),
        "\u{202e}right to left\u{202c} 👩‍👩‍👧 e\u{301} \u{200b}".to_owned(),
        "{{system}} ${jndi:ldap://x} %00 %s \\ \"".to_owned(),
        "🦀".repeat(4_000),
    ];
    for text in &texts {
        shopper.ask(&session, text).await;
    }
    let messages = shopper.messages(&session).await;
    let asked: Vec<_> =
        messages.iter().filter(|m| m["role"] == "user").map(|m| m["text"].clone()).collect();
    assert_eq!(asked, texts);
    app.stop().await;
}

#[test]
async fn an_idempotency_key_is_one_to_255_visible_characters() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let message = |key: Option<&[u8]>| {
        let request = shopper
            .post(&format!("/v1/sessions/{session}/messages"))
            .json(&json!({"text": "What is the price guarantee?"}));
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    };
    refused(message(None), 400, "idempotency_key_missing").await;
    let long = "x".repeat(256);
    for key in [
        b"".as_slice(),
        b"   ",
        b"\"\"",
        b"a b",
        b"a\tb",
        "clé".as_bytes(),
        b"\xff",
        long.as_bytes(),
    ] {
        refused(message(Some(key)), 400, "invalid_request").await;
    }
    untouched(&shopper, &session).await;
    let longest = "x".repeat(255);
    let accepted = message(Some(longest.as_bytes())).send().await.unwrap();
    assert_eq!(accepted.status(), StatusCode::OK);
    app.stop().await;
}

/// Every route of a session, except the socket, which has its own tests.
fn session_routes(session: &str) -> Vec<(Method, String, Value)> {
    let turn = uuid::Uuid::now_v7();
    let path = |rest: &str| format!("/v1/sessions/{session}{rest}");
    vec![
        (Method::GET, path(""), Value::Null),
        (Method::GET, path("/messages"), Value::Null),
        (Method::POST, path("/messages"), json!({"text": "hello"})),
        (Method::GET, path("/events"), Value::Null),
        (Method::POST, path(&format!("/turns/{turn}/cancel")), Value::Null),
        (Method::DELETE, path(""), Value::Null),
    ]
}

fn on_session(who: &Shopper, route: &(Method, String, Value)) -> RequestBuilder {
    let (method, path, body) = route;
    who.request(method.clone(), path).header("idempotency-key", "k").json(body)
}

#[test]
async fn another_persons_session_looks_exactly_like_one_that_does_not_exist() {
    let site = "[{id=\"shop\",name=\"S\",site_key=\"pk_shop\"}]";
    let app = TestApp::with(&[("sites", site.to_owned())]).await;
    let (owner, session) = app.chatting().await;
    let turn = owner.ask(&session, "What is the price guarantee?").await;
    let history = owner.messages(&session).await;

    let stranger = app.visitor().await;
    let elsewhere = app.visitor_of("pk_shop").await;
    let made_up = uuid::Uuid::now_v7().to_string();
    for who in [&stranger, &elsewhere] {
        for (foreign, missing) in session_routes(&session).iter().zip(session_routes(&made_up)) {
            let foreign = essence(refused(on_session(who, foreign), 404, "not_found").await);
            let missing = essence(refused(on_session(who, &missing), 404, "not_found").await);
            assert_eq!(foreign, missing);
        }
        let answer = turn["answer"]["message_id"].as_str().unwrap();
        for message in [answer, &made_up] {
            refused(who.rate(message, "down"), 404, "not_found").await;
        }
    }
    for route in session_routes(&session) {
        let anonymous = app.request(route.0, &route.1).json(&route.2);
        refused(anonymous, 401, "token_invalid").await;
    }
    assert_eq!(owner.messages(&session).await, history);
    app.stop().await;
}

#[test]
async fn an_id_that_cannot_be_one_is_not_there() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let long = "a".repeat(8_000);
    let nil = uuid::Uuid::nil().to_string();
    for id in [
        "1",
        "%00",
        "%ff%fe",
        "..%2f..%2fetc%2fpasswd",
        "'%20or%201=1",
        "%F0%9F%A6%80",
        &nil,
        &long,
    ] {
        for route in session_routes(id) {
            let response = on_session(&shopper, &route).send().await.unwrap();
            let (status, code, _) = problem(response).await;
            assert_eq!((status, code.as_str()), (404, "not_found"), "{id} {}", route.0);
        }
        refused(shopper.rate(id, "up"), 404, "not_found").await;
    }
    app.stop().await;
}

#[test]
async fn an_erased_session_is_gone_for_its_owner_and_was_never_there_for_others() {
    let (app, owner, session) = TestApp::chat(NO_MODEL).await;
    let stranger = app.visitor().await;
    owner.ask(&session, "What is the price guarantee?").await;
    sent(owner.erase(&session)).await;
    for route in session_routes(&session) {
        refused(on_session(&owner, &route), 410, "erased").await;
    }
    for route in session_routes(&session) {
        refused(on_session(&stranger, &route), 404, "not_found").await;
    }
    app.stop().await;
}

#[test]
async fn an_address_that_does_not_exist_is_404_and_a_wrong_method_405() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    for path in
        ["/nothing", "/v1", "/v1/nothing", "/v2/sessions", "/assets/nothing.js", "/v1/sessions/"]
    {
        refused(shopper.get(path), 404, "not_found").await;
    }
    let brew = Method::from_bytes(b"BREW").unwrap();
    for (method, path) in [
        (Method::POST, "/livez".to_owned()),
        (Method::GET, "/v1/auth/login".to_owned()),
        (Method::DELETE, "/v1/sessions".to_owned()),
        (Method::PATCH, format!("/v1/sessions/{session}")),
        (Method::PUT, format!("/v1/sessions/{session}/messages")),
        (Method::POST, format!("/v1/sessions/{session}/events")),
        (brew, "/v1/models".to_owned()),
    ] {
        let response = shopper.request(method.clone(), &path).send().await.unwrap();
        let allow = response.headers().get("allow").cloned();
        let (status, code, _) = problem(response).await;
        assert_eq!((status, code.as_str()), (405, "method_not_allowed"), "{method} {path}");
        let allow = allow.unwrap();
        assert!(!allow.to_str().unwrap().contains(method.as_str()), "{method} {path}: {allow:?}");
    }
    app.stop().await;
}

#[test]
async fn a_query_that_means_nothing_is_refused() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let admin = app.admin().await;
    shopper.ask(&session, "What is the price guarantee?").await;
    let messages = format!("/v1/sessions/{session}/messages");
    let lists = [
        (&shopper, "/v1/sessions"),
        (&shopper, &messages),
        (&admin, "/v1/admin/audit"),
        (&admin, "/v1/admin/guard/decisions"),
        (&admin, "/v1/admin/cache"),
        (&admin, "/v1/knowledge/documents"),
    ];
    for (who, path) in lists {
        for query in [
            "limit=abc",
            "limit=-1",
            "limit=1.5",
            "limit=99999999999",
            "limit=9999",
            "limit=0",
            "limit=",
            "nope=1",
            "limit=1&limit=2",
        ] {
            refused(who.get(&format!("{path}?{query}")), 400, "invalid_request").await;
        }
        for (query, name) in
            [("limit=abc", "`limit`"), ("nope=1", "`nope`"), ("limit=0", "`limit`")]
        {
            let request = who.get(&format!("{path}?{query}"));
            let problem = refused(request, 400, "invalid_request").await;
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(name), "{path}?{query}: {detail}");
        }
        for query in ["limit=1", "limit=100", "", "&&"] {
            let response = who.get(&format!("{path}?{query}")).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}?{query}");
        }
    }
    let events = format!("/v1/sessions/{session}/events?affter=1");
    refused(shopper.get(&events), 400, "invalid_request").await;
    for query in ["after_seq=x", "after_seq=-1", "after_seq=18446744073709551616"] {
        refused(shopper.get(&format!("{messages}?{query}")), 400, "invalid_request").await;
    }
    for cursor in ["garbage", "%00", "%ff%fe", "'%20or%201=1", &"9".repeat(4_000)] {
        let sessions = shopper.get(&format!("/v1/sessions?cursor={cursor}"));
        refused(sessions, 400, "invalid_request").await;
        for (who, path) in lists {
            let response = who.get(&format!("{path}?cursor={cursor}")).send().await.unwrap();
            assert!(!response.status().is_server_error(), "{path}?cursor={cursor}");
        }
    }
    app.stop().await;
}

#[test]
async fn a_position_beyond_every_number_finds_nothing_hot_or_cold() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    shopper.ask(&session, "What is the price guarantee?").await;
    for _ in 0..2 {
        for after in [2, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let path = format!("/v1/sessions/{session}/messages?after_seq={after}");
            let response = shopper.get(&path).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{after}");
            assert_eq!(body(response).await["items"], json!([]), "{after}");
        }
        app.forget(&session).await;
    }
    app.stop().await;
}

#[test]
async fn a_hostile_request_id_is_replaced_and_a_harmless_one_is_kept() {
    let app = TestApp::start().await;
    let long = "x".repeat(65);
    for (given, kept) in
        [("trace-7_a.b", true), ("<script>", false), ("a b", false), ("", false), (&long, false)]
    {
        let response = app.get("/nothing").header("x-request-id", given).send().await.unwrap();
        let shown = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let (_, _, problem) = problem(response).await;
        assert_eq!(problem["request_id"], shown);
        assert_eq!(shown == given, kept, "{given}");
    }
    app.stop().await;
}

/// Writes `head`, then a byte now and then, and returns what comes back until the end of the connection.
async fn drip(url: &str, head: &str, byte: &[u8]) -> String {
    let address = url.trim_start_matches("http://");
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    writer.write_all(head.as_bytes()).await.unwrap();
    let drips = async {
        // Ends with an error once the service has closed the connection.
        while writer.write_all(byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut seen = Vec::new();
    let read = async {
        let mut buffer = [0; 4_096];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) => seen.extend_from_slice(&buffer[..count]),
            }
            if seen.windows(4).any(|four| four == b"\r\n\r\n") {
                break;
            }
        }
    };
    let ended = async {
        tokio::select! { () = drips => {}, () = read => {} }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("a slow client holds its connection");
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
async fn a_client_that_drips_its_body_or_its_head_is_ended_while_others_are_served() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("server.request_timeout_ms", "500".to_owned())]).await;
    let body = format!(
        "POST /v1/sessions/{session}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\nidempotency-key: k\r\ncontent-length: 10000\r\n\r\n",
        shopper.token
    );
    let chunked = body.replace("content-length: 10000", "transfer-encoding: chunked");
    let head = "GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ";
    let others = async {
        app.ask("What is the price guarantee?").await;
    };
    let (body, chunked, head, ()) = tokio::join!(
        drip(&app.url, &body, b" "),
        drip(&app.url, &chunked, b"1\r\n \r\n"),
        drip(&app.url, head, b"a"),
        others,
    );
    for answer in [body, chunked] {
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
    assert!(head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(head.contains("application/problem+json"), "{head}");
    untouched(&shopper, &session).await;
    app.stop().await;
}

/// What comes back on a connection after `sent`, up to its end.
async fn whole(connection: &mut TcpStream, sent: &[u8]) -> String {
    connection.write_all(sent).await.unwrap();
    let mut seen = Vec::new();
    let read = connection.read_to_end(&mut seen);
    let _ = tokio::time::timeout(PATIENCE, read).await.expect("the connection does not end");
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
async fn every_request_of_a_connection_must_arrive_in_time() {
    let settings = [("server.request_timeout_ms", "500".to_owned())];
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    let address = app.url.trim_start_matches("http://");
    let first = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    // A head that stops in its middle, after one that was answered, and in one piece with it.
    for (before, rest) in [(true, &b"GET /livez HT"[..]), (false, b"GET /livez HT")] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut sent = first.to_vec();
        if before {
            connection.write_all(first).await.unwrap();
            let mut answer = [0; 4_096];
            let length = connection.read(&mut answer).await.unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
            sent.clear();
        }
        sent.extend_from_slice(rest);
        if before {
            let end = whole(&mut connection, &sent).await;
            assert!(end.starts_with("HTTP/1.1 408"), "{end}");
            assert!(end.contains("\"code\":\"request_timeout\""), "{end}");
        } else {
            connection.write_all(&sent).await.unwrap();
            // One more byte, and the head is known to be under way.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let end = whole(&mut connection, b"T").await;
            assert!(end.contains("HTTP/1.1 408"), "{end}");
        }
    }
    // A second body that does not come.
    let mut connection = TcpStream::connect(address).await.unwrap();
    let body = format!(
        "POST /v1/sessions/{session}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\nidempotency-key: k\r\ncontent-length: 10000\r\n\r\n{{",
        shopper.token
    );
    let end = whole(&mut connection, &[first, body.as_bytes()].concat()).await;
    assert!(end.contains("HTTP/1.1 408"), "{end}");
    // A client that waits between two requests for longer than one may take is served.
    let mut connection = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        connection.write_all(first).await.unwrap();
        let mut answer = [0; 4_096];
        let length = connection.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    untouched(&shopper, &session).await;
    app.stop().await;
}

#[test]
async fn every_address_refuses_a_parameter_that_it_does_not_have() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let document = body(sent(app.get("/openapi.json")).await).await;
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        // Load balancers add what they like.
        let is_probe = ["/livez", "/readyz", "/startupz"].contains(&path.as_str());
        for method in operations.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let path = path.replace(['{', '}'], "");
            for query in ["dry_run=true", "limit=1&Limit=2", "%00=", "="] {
                let request = admin.request(method.clone(), &format!("{path}?{query}"));
                if is_probe {
                    ok(request).await;
                    continue;
                }
                let problem = refused(request, 400, "invalid_request").await;
                let detail = problem["detail"].as_str().unwrap();
                assert!(
                    detail.starts_with("unknown query parameter `"),
                    "{method} {path}: {detail}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let erase =
        |query: &str| shopper.request(Method::DELETE, &format!("/v1/sessions/{session}{query}"));
    let problem = refused(erase("?dry_run=true"), 400, "invalid_request").await;
    assert!(problem["detail"].as_str().unwrap().contains("`dry_run`"), "{problem}");
    ok(shopper.view(&session)).await;
    // What browsers load takes parameters against caches.
    for path in ["/", "/reset", "/assets/chat.js", "/docs/", "/openapi.json"] {
        let status = status_of(app.get(&format!("{path}?v=7"))).await;
        let plain = status_of(app.get(path)).await;
        assert_eq!(status, plain, "{path}");
    }
    let head = app.request(Method::HEAD, "/v1/status?v=7");
    assert_eq!(status_of(head).await, StatusCode::BAD_REQUEST);
    app.stop().await;
}

#[test]
async fn words_that_nobody_sees_are_no_question() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    for text in [
        "\u{200b}\u{200d}",
        "\u{3164}",
        "\u{2800} \u{ad}",
        "\u{202e}\u{2066}\n",
        "\u{301}",
        "\u{e000}\u{e001}",
        "\u{fffd} \u{fffd}",
        "\u{378}\u{10fffd}",
    ] {
        let problem = refused(shopper.message(&session, "k", text), 422, "schema_violation").await;
        let fault = &problem["field_errors"][0];
        assert_eq!(fault["field"], "text", "{problem}");
        assert!(fault["detail"].as_str().unwrap().contains("write"), "{problem}");
        let asked = json!({"messages": [{"role": "user", "content": text}]});
        let problem = refused(shopper.complete(&asked), 422, "schema_violation").await;
        assert_eq!(problem["field_errors"][0]["field"], "messages", "{problem}");
        refused(shopper.search(text), 422, "schema_violation").await;
        let mut socket = Socket::open(&shopper, &session, None).await;
        socket.message(text, "k").await;
        let frames = socket.until("error").await;
        assert_eq!(frames.last().unwrap()["problem"]["code"], "schema_violation", "{frames:?}");
    }
    untouched(&shopper, &session).await;
    app.stop().await;
}

#[test]
async fn a_refusal_by_the_framework_is_a_problem_too() {
    let app = TestApp::start().await;
    let address = app.url.trim_start_matches("http://");
    let large = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx: {}", "a".repeat(200_000));
    let many = format!("GET /livez HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200));
    let long = format!("GET /livez?{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000));
    let longer = format!("GET /livez?{}", "a".repeat(200_000));
    let broken = "GET /livez HTTP/9.9\r\n\r\n".to_owned();
    let close = "connection: close\r\n";
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n{close}{headers}\r\n")
    };
    let value = |bytes: usize| format!("x: {}\r\n", "a".repeat(bytes));
    // Whole heads that fit the buffer of the framework: one large header, and many small ones.
    let (one, sum) = (value(70_000), value(800).repeat(90));
    // The second request of a connection that sends both at once.
    let second = format!("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n{}", get("/livez", &one));
    for (sent, status, code) in [
        (get("/livez", &one), "431", "headers_too_large"),
        (get("/livez", &sum), "431", "headers_too_large"),
        (get("/livez", &value(65_600)), "431", "headers_too_large"),
        (get("/readyz", &one), "431", "headers_too_large"),
        (get("/", &one), "431", "headers_too_large"),
        (get("/nowhere", &one), "431", "headers_too_large"),
        (get("/v1/sessions", &one), "431", "headers_too_large"),
        (get("/docs/", &sum), "431", "headers_too_large"),
        (
            get("/v1/sessions/x/socket", &(one.clone() + "upgrade: websocket\r\n")),
            "431",
            "headers_too_large",
        ),
        (second, "431", "headers_too_large"),
        (large, "431", "headers_too_large"),
        (many, "431", "headers_too_large"),
        (long, "414", "uri_too_long"),
        (longer, "414", "uri_too_long"),
        (broken, "400", "invalid_request"),
    ] {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let (mut reader, mut writer) = connection.split();
        let mut seen = Vec::new();
        // The service may close while the rest is still being sent.
        let _ = tokio::join!(writer.write_all(sent.as_bytes()), reader.read_to_end(&mut seen));
        let text = String::from_utf8_lossy(&seen);
        // What is checked is the last response.
        let text = &text[text.rfind("HTTP/1.1 ").unwrap_or(0)..];
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {text}");
        assert!(head.contains("application/problem+json"), "{text}");
        let problem: Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["code"], code, "{text}");
        assert!(problem["request_id"].is_string(), "{text}");
    }
    let large = "a".repeat(64_000);
    sent(app.get("/livez").header("x", large)).await;
    app.stop().await;
}

#[test]
async fn what_is_no_http_is_ended_and_harms_nobody() {
    let app = TestApp::start().await;
    let address = app.url.trim_start_matches("http://");
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /livez HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut seen = Vec::new();
        let read = stream.read_to_end(&mut seen);
        let _ = tokio::time::timeout(PATIENCE, read).await.unwrap();
        let seen = String::from_utf8_lossy(&seen);
        assert!(seen.is_empty() || seen.starts_with("HTTP/1.1 4"), "{bytes:?}: {seen}");
    }
    app.visitor().await.session().await;
    app.stop().await;
}

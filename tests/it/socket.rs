//! The session over a WebSocket: signing in, asking, following, and every way it ends.

use actix_web::rt::test;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Message,
        client::IntoClientRequest,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use super::{
    fake_model::{FakeModel, WORDS},
    harness::*,
};

const QUESTION: &str = "What is the price guarantee?";

struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    protocol: Option<String>,
}

/// Code and reason of a close frame; 0 where the connection just ended.
type Closed = (u16, String);

impl Socket {
    /// Without a token yet, unless `query` or `protocols` hold one.
    async fn connect(app: &TestApp, session: &str, query: &str, protocols: Option<&str>) -> Self {
        let host = app.url.replace("http://", "ws://");
        let url = format!("{host}/v1/sessions/{session}/socket{query}");
        let mut request = url.into_client_request().unwrap();
        if let Some(protocols) = protocols {
            request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
        }
        let connecting = tokio::time::timeout(PATIENCE, connect_async(request));
        let (stream, response) = connecting.await.unwrap().unwrap();
        let protocol = response.headers().get("sec-websocket-protocol");
        let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
        Self { stream, protocol }
    }

    /// Signed in by the first frame, following from `after`.
    async fn open(shopper: &Shopper<'_>, session: &str, after: Option<&str>) -> Self {
        let mut socket = Self::connect(shopper.app, session, "", None).await;
        let mut auth = json!({"type": "auth", "token": shopper.token});
        if let Some(after) = after {
            auth["after"] = after.into();
        }
        socket.send(auth).await;
        socket
    }

    async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// The other side may have closed already; what it said tells the next read.
    async fn send_raw(&mut self, message: Message) {
        let _ = self.stream.send(message).await;
    }

    async fn message(&mut self, text: &str, key: &str) {
        self.send(json!({"type": "message", "text": text, "idempotency_key": key})).await;
    }

    async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err((0, String::new())),
                Some(Ok(_)) => {}
            }
        }
    }

    /// Everything up to and with the first frame of this type.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|end| panic!("{end:?} after {seen:?}"));
            let found = frame["type"] == kind;
            seen.push(frame);
            if found {
                return seen;
            }
        }
    }

    async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }
}

fn closed(code: u16, reason: &str) -> Closed {
    (code, reason.to_owned())
}

#[test]
async fn a_token_in_the_first_frame_opens_the_session_and_a_message_is_answered() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.message("How long do I have to return something?", "k").await;
    let frames = socket.until("answer.completed").await;
    assert_eq!(
        (&frames[0]["type"], &frames[0]["event_id"]),
        (&json!("message.created"), &json!("1"))
    );
    let last = frames.last().unwrap();
    assert_eq!((&last["event_id"], &last["seq"]), (&json!("2"), &json!(2)));
    assert!(last["text"].as_str().unwrap().contains("30 days"), "{last}");
    assert_eq!(shopper.messages(&session).await[1]["text"], last["text"]);
    app.stop().await;
}

#[test]
async fn a_token_in_the_protocol_header_opens_the_session_and_is_not_echoed() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let protocols = format!("rushdesk.v1, bearer.{}", shopper.token);
    let mut socket = Socket::connect(&app, &session, "", Some(&protocols)).await;
    assert_eq!(socket.protocol.as_deref(), Some("rushdesk.v1"));
    socket.message(QUESTION, "k").await;
    socket.until("answer.completed").await;
    app.stop().await;
}

#[test]
async fn a_socket_shows_the_events_of_the_stream_with_their_ids() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut stream = shopper.events(&session, None).await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.message("When do boots ship?", "k").await;
    let mut frames = socket.until("message.created").await;
    let mut events = stream.until("message.created").await;
    fake.steps.add_permits(100);
    frames.extend(socket.until("answer.completed").await);
    events.extend(stream.until("answer.completed").await);
    let text: String = frames
        .iter()
        .filter(|frame| frame["type"] == "answer.delta")
        .map(|frame| frame["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, WORDS.concat());
    let expected: Vec<Value> = events
        .into_iter()
        .map(|event| {
            let mut frame = event.data;
            if let Some(id) = event.id {
                frame["event_id"] = id.into();
            }
            frame
        })
        .collect();
    assert_eq!(frames, expected);
    drop((stream, socket));
    app.stop().await;
}

#[test]
async fn whoever_cannot_say_who_they_are_is_sent_away() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut key = shopper.token.clone().into_bytes();
    let at = key.len() / 2;
    key[at] = if key[at] == b'a' { b'b' } else { b'a' };
    let changed = String::from_utf8(key).unwrap();
    for token in ["", "garbage", "a.b.c", &changed, &"x".repeat(50_000)] {
        let mut socket = Socket::connect(&app, &session, "", None).await;
        socket.send(json!({"type": "auth", "token": token})).await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{token}");
    }
    for token in ["garbage", "a.b.c", &changed] {
        let protocols = format!("rushdesk.v1, bearer.{token}");
        let mut socket = Socket::connect(&app, &session, "", Some(&protocols)).await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{token}");
    }
    for first in [
        json!({"type": "message", "text": "hello", "idempotency_key": "k"}),
        json!({"type": "ack", "seq": 1}),
        json!({"type": "auth"}),
        json!({"type": "auth", "token": 7}),
        json!({"token": shopper.token}),
        json!([]),
    ] {
        let mut socket = Socket::connect(&app, &session, "", None).await;
        socket.send(first.clone()).await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{first}");
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn a_token_in_the_address_does_not_help() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    for name in ["token", "access_token", "authorization"] {
        let query = format!("?{name}={}", shopper.token);
        let mut socket = Socket::connect(&app, &session, &query, None).await;
        socket.message("hello", "k").await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{name}");
        let path = format!("/v1/sessions/{session}{query}");
        refused(app.get(&path), 401, "token_invalid").await;
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn another_persons_session_is_not_there() {
    let app = TestApp::start().await;
    let owner = app.visitor().await;
    let session = owner.session().await;
    owner.ask(&session, QUESTION).await;
    let stranger = app.visitor().await;
    for id in [session, uuid::Uuid::now_v7().to_string()] {
        let mut socket = Socket::open(&stranger, &id, None).await;
        assert_eq!(socket.next().await, Err(closed(4404, "not_found")));
    }
    app.stop().await;
}

#[test]
async fn a_frame_that_means_nothing_closes_with_a_reason_and_writes_nothing() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let deep = format!("{{\"type\":\"ack\",\"seq\":{}{}}}", "[".repeat(9_000), "]".repeat(9_000));
    for frame in [
        "not json",
        "",
        "{}",
        "[]",
        "null",
        "{\"type\":\"nonsense\"}",
        "{\"type\":\"message\"}",
        "{\"type\":\"message\",\"text\":1,\"idempotency_key\":\"k\"}",
        "{\"type\":\"message\",\"text\":\"a\",\"idempotency_key\":\"k\",\"role\":\"x\"}",
        "{\"type\":\"cancel\",\"turn_id\":\"x\"}",
        "{\"type\":\"ack\",\"seq\":-1}",
        &deep,
    ] {
        let mut socket = Socket::open(&shopper, &session, None).await;
        socket.send_raw(Message::text(frame)).await;
        assert_eq!(socket.next().await, Err(closed(1003, "unknown_frame")), "{frame:.40}");
    }
    for authenticated in [true, false] {
        let mut socket = if authenticated {
            Socket::open(&shopper, &session, None).await
        } else {
            Socket::connect(&app, &session, "", None).await
        };
        socket.send_raw(Message::binary(b"\x00\xff".as_slice())).await;
        assert_eq!(socket.next().await, Err(closed(1003, "text_frames_only")));
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn a_frame_over_the_limit_ends_the_socket_and_only_that_one() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut other = Socket::open(&shopper, &session, None).await;
    let text = json!({"type": "message", "text": "x".repeat(70_000), "idempotency_key": "k"});
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.send(text.clone()).await;
    let (code, reason) = socket.closed().await;
    assert!(matches!(code, 0 | 1003 | 1009), "{code} {reason}");
    // Also in pieces, each of which is small enough.
    let mut socket = Socket::open(&shopper, &session, None).await;
    let text = text.to_string();
    for (index, piece) in text.as_bytes().chunks(10_000).enumerate() {
        let opcode = if index == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(piece.to_vec(), OpCode::Data(opcode), false);
        socket.send_raw(Message::Frame(frame)).await;
    }
    let (code, reason) = socket.closed().await;
    assert!(matches!(code, 0 | 1003 | 1009), "{code} {reason}");

    other.message(QUESTION, "k").await;
    other.until("answer.completed").await;
    assert_eq!(shopper.messages(&session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn a_refused_message_gets_a_problem_and_the_socket_goes_on() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    let long = "x".repeat(4_001);
    for (text, key) in [("", "k1"), (" \n", "k2"), ("a\0b", "k3"), (&long, "k4")] {
        socket.message(text, key).await;
        let frame = socket.next().await.unwrap();
        assert_eq!((&frame["type"], &frame["idempotency_key"]), (&json!("error"), &json!(key)));
        assert_eq!(frame["problem"]["code"], "schema_violation", "{frame}");
        assert_eq!(frame["problem"]["field_errors"][0]["field"], "text", "{frame}");
    }
    for key in ["", "a b", "clé", &"x".repeat(256)] {
        socket.message("hello", key).await;
        let frame = socket.next().await.unwrap();
        assert_eq!(frame["problem"]["field_errors"][0]["field"], "idempotency_key", "{frame}");
    }
    socket.message("When do boots ship?", "first").await;
    socket.until("message.created").await;
    socket.message("And tents?", "second").await;
    let frame = socket.until("error").await.pop().unwrap();
    assert_eq!(frame["problem"]["code"], "turn_active", "{frame}");
    assert_eq!(frame["idempotency_key"], "second");
    fake.steps.add_permits(100);
    socket.until("answer.completed").await;
    socket.message("Something else", "first").await;
    let frame = socket.until("error").await.pop().unwrap();
    assert_eq!(frame["problem"]["code"], "idempotency_key_reused", "{frame}");
    // The same message again is the same turn: nothing is answered twice.
    socket.message("When do boots ship?", "first").await;
    socket.message("And tents?", "third").await;
    let frames = socket.until("answer.completed").await;
    assert_eq!(frames[0]["text"], "And tents?");
    assert_eq!((fake.requests(), shopper.messages(&session).await.len()), (2, 4));
    drop(socket);
    app.stop().await;
}

#[test]
async fn an_acknowledgement_is_taken_and_a_cancel_stops_the_turn() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    fake.steps.add_permits(3);
    socket.message("When do boots ship?", "k").await;
    let seen = socket.until("answer.delta").await;
    for seq in [0, 1, u64::MAX] {
        socket.send(json!({"type": "ack", "seq": seq})).await;
    }
    let other = uuid::Uuid::now_v7();
    for turn in [json!(other), seen[0]["turn_id"].clone(), seen[0]["turn_id"].clone()] {
        socket.send(json!({"type": "cancel", "turn_id": turn})).await;
    }
    let last = socket.until("turn.cancelled").await.pop().unwrap();
    assert_eq!((&last["event_id"], &last["turn_id"]), (&json!("2"), &seen[0]["turn_id"]));
    settle("the model's connection is closed", async || fake.open() == 0).await;
    drop(socket);
    app.stop().await;
}

#[test]
async fn a_resume_in_the_middle_of_an_answer_neither_loses_nor_repeats() {
    let fake = FakeModel::start().await;
    let app = TestApp::with_model("step", &fake).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    fake.steps.add_permits(4);
    socket.message("When do boots ship?", "k").await;
    let mut seen = socket.until("answer.delta").await;
    seen.extend(socket.until("answer.delta").await);
    drop(socket);
    let position = seen.last().unwrap()["event_id"].as_str().unwrap().to_owned();
    assert_eq!(position, "1.1");
    let mut socket = Socket::open(&shopper, &session, Some(&position)).await;
    fake.steps.add_permits(100);
    seen.extend(socket.until("answer.completed").await);
    let deltas = seen.iter().filter(|frame| frame["type"] == "answer.delta");
    let text: String = deltas.map(|frame| frame["text"].as_str().unwrap()).collect();
    assert_eq!((text, fake.requests()), (WORDS.concat(), 1));
    drop(socket);
    for (after, first) in
        [("1", "answer.completed"), ("nonsense", "stream.reset"), ("77", "stream.reset")]
    {
        let mut socket = Socket::open(&shopper, &session, Some(after)).await;
        assert_eq!(socket.next().await.unwrap()["type"], first, "{after}");
    }
    app.stop().await;
}

#[test]
async fn a_token_that_ends_ends_the_socket_and_a_new_one_resumes() {
    let app = TestApp::with(&[("auth.access_ttl_s", "1".to_owned())]).await;
    let request = app.post("/v1/auth/visitor").json(&json!({"site_key": "pk_demo"}));
    let tokens = body(request.send().await.unwrap()).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let shopper = Shopper { app: &app, token };
    let session = shopper.session().await;
    shopper.ask(&session, QUESTION).await;
    let mut socket = Socket::open(&shopper, &session, Some("1")).await;
    let mut stream = shopper.events(&session, Some("1")).await;
    assert_eq!(socket.next().await.unwrap()["event_id"], "2");
    let notice = socket.next().await.unwrap();
    assert_eq!(
        (&notice["type"], &notice["problem"]["code"]),
        (&json!("error"), &json!("token_expired"))
    );
    assert_eq!(socket.closed().await, closed(4401, "token_expired"));
    let last = stream.rest().await.pop().unwrap();
    assert_eq!(
        (last.name.as_str(), &last.data["problem"]["code"]),
        ("error", &json!("token_expired"))
    );

    let refresh =
        app.post("/v1/auth/refresh").json(&json!({"refresh_token": tokens["refresh_token"]}));
    let tokens = body(refresh.send().await.unwrap()).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let shopper = Shopper { app: &app, token };
    shopper.ask(&session, QUESTION).await;
    let mut socket = Socket::open(&shopper, &session, Some("2")).await;
    assert_eq!(socket.next().await.unwrap()["event_id"], "3");
    assert_eq!(socket.next().await.unwrap()["event_id"], "4");
    app.stop().await;
}

#[test]
async fn erasing_the_session_and_draining_the_replica_close_with_their_reason() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let (erased, kept) = (shopper.session().await, shopper.session().await);
    shopper.ask(&erased, QUESTION).await;
    shopper.ask(&kept, QUESTION).await;
    let mut first = Socket::open(&shopper, &erased, Some("1")).await;
    let mut second = Socket::open(&shopper, &kept, Some("1")).await;
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.next().await.unwrap()["event_id"], "2");
    }
    let path = format!("/v1/sessions/{erased}");
    shopper.request(Method::DELETE, &path).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(first.closed().await, closed(4410, "erased"));
    let (_, (notice, end)) =
        tokio::join!(app.stop(), async { (second.next().await.unwrap(), second.closed().await) });
    assert_eq!(notice["type"], "server.draining");
    assert!(notice["reconnect_after_ms"].as_u64().unwrap() > 0);
    assert_eq!(end, closed(1012, "draining"));
}

#[test]
async fn a_request_that_is_no_websocket_is_a_problem() {
    let app = TestApp::start().await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let path = format!("/v1/sessions/{session}/socket");
    refused(shopper.get(&path), 400, "invalid_request").await;
    refused(shopper.get("/v1/sessions/nonsense/socket"), 404, "not_found").await;
    app.stop().await;
}

#[test]
async fn there_is_an_end_to_how_many_streams_are_open() {
    let app = TestApp::with(&[("sessions.max_streams", "2".to_owned())]).await;
    let shopper = app.visitor().await;
    let session = shopper.session().await;
    let socket = Socket::open(&shopper, &session, None).await;
    let stream = shopper.events(&session, None).await;
    let path = format!("/v1/sessions/{session}/events");
    let problem = refused(shopper.get(&path), 503, "overloaded").await;
    assert!(problem["retry_after_ms"].is_u64(), "{problem}");
    drop((socket, stream));
    settle("there is room again", async || {
        shopper.get(&path).send().await.unwrap().status().is_success()
    })
    .await;
    app.stop().await;
}

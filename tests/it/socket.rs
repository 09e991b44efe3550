//! The session over a WebSocket: signing in, asking, following, and every way it ends.

use actix_web::rt::test;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::{fake_model::WORDS, harness::*, streams::Closed};

const QUESTION: &str = "What is the price guarantee?";

fn closed(code: u16, reason: &str) -> Closed {
    (code, reason.to_owned())
}

#[test]
async fn a_token_in_the_first_frame_opens_the_session_and_a_message_is_answered() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
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
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let protocols = format!("rushdesk.v1, bearer.{}", shopper.token);
    let mut socket = Socket::connect(&app.url, &session, "", Some(&protocols)).await;
    assert_eq!(socket.protocol.as_deref(), Some("rushdesk.v1"));
    socket.message(QUESTION, "k").await;
    socket.until("answer.completed").await;
    app.stop().await;
}

#[test]
async fn a_socket_shows_the_events_of_the_stream_with_their_ids() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut stream = shopper.events(&session, None).await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.message("When do boots ship?", "k").await;
    let mut frames = socket.until("message.created").await;
    let mut events = stream.until("message.created").await;
    app.model().steps.add_permits(100);
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
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let mut key = shopper.token.clone().into_bytes();
    let at = key.len() / 2;
    key[at] = if key[at] == b'a' { b'b' } else { b'a' };
    let changed = String::from_utf8(key).unwrap();
    for token in ["", "garbage", "a.b.c", &changed, &"x".repeat(50_000)] {
        let mut socket = Socket::connect(&app.url, &session, "", None).await;
        socket.send(json!({"type": "auth", "token": token})).await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{token}");
    }
    for token in ["garbage", "a.b.c", &changed] {
        let protocols = format!("rushdesk.v1, bearer.{token}");
        let mut socket = Socket::connect(&app.url, &session, "", Some(&protocols)).await;
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
        let mut socket = Socket::connect(&app.url, &session, "", None).await;
        socket.send(first.clone()).await;
        assert_eq!(socket.closed().await, closed(4401, "token_invalid"), "{first}");
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn a_token_in_the_address_does_not_help() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    for name in ["token", "access_token", "authorization"] {
        let query = format!("?{name}={}", shopper.token);
        for path in ["/socket", "/events", ""] {
            let path = format!("/v1/sessions/{session}{path}{query}");
            refused(app.get(&path), 400, "invalid_request").await;
        }
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn another_persons_session_is_not_there() {
    let (app, owner, session) = TestApp::chat(NO_MODEL).await;
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
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
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
            Socket::connect(&app.url, &session, "", None).await
        };
        socket.send_raw(Message::binary(b"\x00\xff".as_slice())).await;
        assert_eq!(socket.next().await, Err(closed(1003, "text_frames_only")));
    }
    assert_eq!(shopper.messages(&session).await, Vec::<Value>::new());
    app.stop().await;
}

#[test]
async fn a_frame_over_the_limit_ends_the_socket_and_only_that_one() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let mut other = Socket::open(&shopper, &session, None).await;
    let text = json!({"type": "message", "text": "x".repeat(70_000), "idempotency_key": "k"});
    let mut socket = Socket::open(&shopper, &session, None).await;
    socket.send(text.clone()).await;
    let (code, reason) = socket.closed().await;
    // The connection may be reset while the client still writes.
    assert!(matches!(code, 0 | 4413), "{code} {reason}");
    // Also in pieces, each of which is small enough.
    let mut socket = Socket::open(&shopper, &session, None).await;
    let text = text.to_string();
    for (index, piece) in text.as_bytes().chunks(10_000).enumerate() {
        let opcode = if index == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(piece.to_vec(), OpCode::Data(opcode), false);
        socket.send_raw(Message::Frame(frame)).await;
    }
    let (code, reason) = socket.closed().await;
    assert!(matches!(code, 0 | 4413), "{code} {reason}");

    other.message(QUESTION, "k").await;
    other.until("answer.completed").await;
    assert_eq!(shopper.messages(&session).await.len(), 2);
    app.stop().await;
}

#[test]
async fn a_refused_message_gets_a_problem_and_the_socket_goes_on() {
    let (app, shopper, session) = TestApp::chat("step").await;
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
    app.model().steps.add_permits(3);
    socket.message("When do boots ship?", "first").await;
    socket.until("answer.delta").await;
    socket.message("And tents?", "second").await;
    let frame = socket.until("error").await.pop().unwrap();
    assert_eq!(frame["problem"]["code"], "turn_active", "{frame}");
    assert_eq!(frame["idempotency_key"], "second");
    app.model().steps.add_permits(100);
    socket.until("answer.completed").await;
    socket.message("Something else", "first").await;
    let frame = socket.until("error").await.pop().unwrap();
    assert_eq!(frame["problem"]["code"], "idempotency_key_reused", "{frame}");
    // The same message again is the same turn: nothing is answered twice.
    socket.message("When do boots ship?", "first").await;
    socket.message("And tents?", "third").await;
    let frames = socket.until("answer.completed").await;
    assert_eq!(frames[0]["text"], "And tents?");
    assert_eq!((app.model().requests(), shopper.messages(&session).await.len()), (2, 4));
    drop(socket);
    app.stop().await;
}

#[test]
async fn an_acknowledgement_is_taken_and_a_cancel_stops_the_turn() {
    let (app, shopper, session) = TestApp::chat("step").await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    app.model().steps.add_permits(3);
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
    settle("the model's connection is closed", async || app.model().open() == 0).await;
    drop(socket);
    app.stop().await;
}

#[test]
async fn a_resume_in_the_middle_of_an_answer_neither_loses_nor_repeats() {
    let grace = [("sessions.resume_grace_ms", "20000".to_owned())];
    let (app, shopper, session) = TestApp::chat_with("step", &grace).await;
    let mut socket = Socket::open(&shopper, &session, None).await;
    app.model().steps.add_permits(4);
    socket.message("When do boots ship?", "k").await;
    let mut seen = socket.until("answer.delta").await;
    seen.extend(socket.until("answer.delta").await);
    drop(socket);
    let position = seen.last().unwrap()["event_id"].as_str().unwrap().to_owned();
    assert_eq!(position, "1.1");
    let mut socket = Socket::open(&shopper, &session, Some(&position)).await;
    app.model().steps.add_permits(100);
    seen.extend(socket.until("answer.completed").await);
    let deltas = seen.iter().filter(|frame| frame["type"] == "answer.delta");
    let text: String = deltas.map(|frame| frame["text"].as_str().unwrap()).collect();
    assert_eq!((text, app.model().requests()), (WORDS.concat(), 1));
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
    let app = TestApp::with(&[("auth.access_ttl_s", "5".to_owned())]).await;
    let tokens = ok(app.auth("visitor", &json!({"site_key": "pk_demo"}))).await;
    let shopper = app.signed_in(&tokens);
    let session = shopper.session().await;
    shopper.ask(&session, QUESTION).await;
    // A fresh one, so that all its time is left.
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let tokens = ok(app.auth("refresh", &refresh)).await;
    let shopper = app.signed_in(&tokens);
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

    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    let shopper = app.signed_in(&ok(app.auth("refresh", &refresh)).await);
    shopper.ask(&session, QUESTION).await;
    let mut socket = Socket::open(&shopper, &session, Some("2")).await;
    assert_eq!(socket.next().await.unwrap()["event_id"], "3");
    assert_eq!(socket.next().await.unwrap()["event_id"], "4");
    app.stop().await;
}

#[test]
async fn erasing_the_session_and_draining_the_replica_close_with_their_reason() {
    let (app, shopper, erased) = TestApp::chat(NO_MODEL).await;
    let kept = shopper.session().await;
    shopper.ask(&erased, QUESTION).await;
    shopper.ask(&kept, QUESTION).await;
    let mut first = Socket::open(&shopper, &erased, Some("1")).await;
    let mut second = Socket::open(&shopper, &kept, Some("1")).await;
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.next().await.unwrap()["event_id"], "2");
    }
    sent(shopper.erase(&erased)).await;
    assert_eq!(first.closed().await, closed(4410, "erased"));
    let (_, (notice, end)) =
        tokio::join!(app.stop(), async { (second.next().await.unwrap(), second.closed().await) });
    assert_eq!(notice["type"], "server.draining");
    assert!(notice["reconnect_after_ms"].as_u64().unwrap() > 0);
    assert_eq!(end, closed(1012, "draining"));
}

#[test]
async fn a_request_that_is_no_websocket_is_a_problem() {
    let (app, shopper, session) = TestApp::chat(NO_MODEL).await;
    let path = format!("/v1/sessions/{session}/socket");
    refused(shopper.get(&path), 400, "invalid_request").await;
    refused(shopper.get("/v1/sessions/nonsense/socket"), 404, "not_found").await;
    app.stop().await;
}

#[test]
async fn there_is_an_end_to_how_many_streams_are_open() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("sessions.max_streams", "2".to_owned())]).await;
    let socket = Socket::open(&shopper, &session, None).await;
    let stream = shopper.events(&session, None).await;
    let problem = refused(shopper.follow(&session), 503, "overloaded").await;
    assert!(problem["retry_after_ms"].is_u64(), "{problem}");
    drop((socket, stream));
    settle("there is room again", async || status_of(shopper.follow(&session)).await.is_success())
        .await;
    app.stop().await;
}

/// A connection that has shaken hands and says no word yet.
async fn raw(app: &TestApp, session: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", app.port())).await.unwrap();
    let request = format!(
        "GET /v1/sessions/{session}/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

#[test]
async fn a_frame_that_announces_too_much_is_refused_at_its_head() {
    let (app, _, session) = TestApp::chat(NO_MODEL).await;
    for announced in [300_u64 << 20, u64::MAX, 65_537] {
        let mut stream = raw(&app, &session).await;
        let mut head = vec![0x82, 0xff];
        head.extend_from_slice(&announced.to_be_bytes());
        head.extend_from_slice(&[0; 4]);
        stream.write_all(&head).await.unwrap();
        // Nothing of the frame itself was sent.
        let mut said = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().unwrap();
        let code = u16::from_be_bytes([said[2], said[3]]);
        assert_eq!((said[0], code), (0x88, 4413), "{announced}: {said:?}");
    }
    app.stop().await;
}

#[test]
async fn a_socket_without_a_token_takes_no_place() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("sessions.max_streams", "1".to_owned())]).await;
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(raw(&app, &session).await);
    }
    let mut socket = Socket::open(&shopper, &session, None).await;
    shopper.ask(&session, "What is the price guarantee?").await;
    socket.until("answer.completed").await;
    drop((socket, strangers));
    app.stop().await;
}

#[test]
async fn one_visitor_cannot_take_the_places_of_all() {
    let (app, shopper, session) =
        TestApp::chat_with(NO_MODEL, &[("sessions.max_streams_per_visitor", "2".to_owned())]).await;
    let socket = Socket::open(&shopper, &session, None).await;
    settle("the socket has its place", async || app.app().streams.taken() == 1).await;
    let stream = shopper.events(&session, None).await;
    let problem = refused(shopper.follow(&session), 429, "rate_limited").await;
    assert!(problem["retry_after_ms"].is_u64(), "{problem}");
    let mut third = Socket::open(&shopper, &session, None).await;
    assert_eq!(third.closed().await, (4429, "rate_limited".to_owned()));
    let (other, other_session) = app.chatting().await;
    drop((other.events(&other_session, None).await, socket, stream));
    app.stop().await;
}

#[test]
async fn a_reader_that_takes_nothing_is_cut_and_gives_its_place_back() {
    let settings = [
        ("server.write_timeout_ms", "1500".to_owned()),
        ("limits.visitor_burst", "100000".to_owned()),
        ("sessions.max_message_chars", "20000".to_owned()),
    ];
    let (app, shopper, session) = TestApp::chat_with(NO_MODEL, &settings).await;
    // More than the buffers of both kernels hold.
    let long = "x".repeat(15_000);
    for turn in 0..400 {
        let sent = shopper.message(&session, &turn.to_string(), &format!("{turn} {long}")).send();
        assert_eq!(sent.await.unwrap().status(), StatusCode::OK);
    }
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let address = ([127, 0, 0, 1], app.port()).into();
    let mut reader = socket.connect(address).await.unwrap();
    let request = format!(
        "GET /v1/sessions/{session}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        shopper.token
    );
    reader.write_all(request.as_bytes()).await.unwrap();
    settle("it has a place", async || app.app().streams.taken() == 1).await;
    settle("it was cut", async || app.app().streams.taken() == 0).await;
    drop(reader);
    app.stop().await;
}

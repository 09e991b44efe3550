//! What a turn sees: retries before the first piece, time limits, and hanging up.

use super::{
    upstream::{Script, Then, Upstream, delta, sse},
    *,
};
use crate::inference::messages::QueuePosition;

fn vllm(name: &str, upstream: &Upstream) -> config::Backend {
    backend(name, BackendKind::Vllm, &upstream.url)
}

/// The text of one backend's whole answer.
async fn answer(pool: &Pool, config: &config::Inference) -> Result<Told, GenerateError> {
    let mut generation = Generation::start(&pool.acquire, request(config)).await?;
    let (told, end) = listen(&mut generation).await;
    end.map(|()| told)
}

#[actix::test]
async fn a_turn_gets_its_answer_and_the_slot_is_free_before_it_lets_go() {
    let upstream = Upstream::start(Script::says("Paris.")).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    assert_eq!((generation.backend(), generation.model()), ("a", "tiny-chat"));
    assert_eq!(listen(&mut generation).await, (Told::said("Paris."), Ok(())));
    assert_eq!(generation.next().await, Ok(None));
    assert_eq!(status(&pool).await.backends[0].in_flight, 0);
    let sent = &upstream.requests()[0];
    assert!(sent.starts_with("POST /v1/chat/completions "), "{sent}");
    assert!(sent.contains(r#""stream":true,"stream_options":{"include_usage":true}"#), "{sent}");
}

#[actix::test]
async fn a_failure_before_the_first_piece_is_tried_at_another_backend() {
    let broken = wire!("vllm/81-post-while-draining");
    let stalled = sse(&delta(r#"{"role":"assistant","content":""}"#));
    for script in [
        Script::bytes(broken, Then::Close),
        Script::bytes(wire!("llama-cpp-python/31-err-prompt-too-long-stream"), Then::Close),
        Script::bytes(wire!("vllm/85-err-queue-full"), Then::Close),
        Script::bytes(wire!("xllamacpp/07-blank"), Then::Close),
        Script::bytes(wire!("ollama/09-openai-no-template"), Then::Close),
        Script::bytes(stalled, Then::Hang),
        Script::bytes("", Then::Close),
    ] {
        let (bad, good) =
            (Upstream::start(script).await, Upstream::start(Script::says("ok")).await);
        let config =
            config::Inference { first_token_timeout: Duration::from_millis(600), ..config() };
        let pool = pool(&config, vec![vllm("bad", &bad), vllm("good", &good)]);
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
        assert!(!bad.requests().is_empty());
        assert_eq!(good.requests().len(), 1);
    }
}

#[actix::test]
async fn an_answer_that_nobody_can_see_is_a_failed_attempt_and_opens_no_breaker() {
    let invisible = delta(r#"{"content":"\u200b"}"#)
        + "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let upstream = Upstream::start(Script::bytes(sse(&invisible), Then::Close)).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    for _ in 0..config.breaker_failures {
        let empty = Err(GenerateError::Upstream(Outcome::Empty));
        assert_eq!(answer(&pool, &config).await, empty);
    }
    assert_eq!(upstream.requests().len(), (config.attempts * config.breaker_failures) as usize);
    assert_eq!(status(&pool).await.backends[0].breaker, BreakerState::Passing);
}

#[actix::test]
async fn a_failure_after_the_first_piece_is_never_tried_again() {
    let cut = wire!("vllm/84-apiserver-sigkill-stream1");
    let bad = Upstream::start(Script::bytes(cut, Then::Close)).await;
    let good = Upstream::start(Script::says("ok")).await;
    let config = config();
    let pool = pool(&config, vec![vllm("bad", &bad), vllm("good", &good)]);
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let (told, end) = listen(&mut generation).await;
    assert!(told.text.starts_with("Once upon a time"));
    let truncated = Err(GenerateError::Upstream(Outcome::Truncated));
    assert_eq!(end, truncated);
    assert_eq!(generation.next().await.map(|_| ()), truncated, "the error stays");
    assert!(good.requests().is_empty());
}

#[actix::test]
async fn a_bad_request_is_not_tried_elsewhere() {
    let script = Script::bytes(wire!("vllm/33-err-malformed-json"), Then::Close);
    let (one, two) = (Upstream::start(script.clone()).await, Upstream::start(script).await);
    let config = config();
    let pool = pool(&config, vec![vllm("one", &one), vllm("two", &two)]);
    let refused = Err(GenerateError::Upstream(Outcome::ClientError(400)));
    assert_eq!(answer(&pool, &config).await, refused);
    assert_eq!(one.requests().len() + two.requests().len(), 1);
}

#[actix::test]
async fn a_reset_before_the_first_byte_gets_a_second_try_at_the_same_backend() {
    let upstream = Upstream::start(Script::says("ok")).await;
    upstream.reset_next(1);
    let config = config::Inference { attempts: 1, ..config() };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    upstream.reset_next(2);
    let lost = Err(GenerateError::Upstream(Outcome::Connect));
    assert_eq!(answer(&pool, &config).await, lost);
}

#[actix::test]
async fn keep_alives_do_not_put_off_the_first_token_limit() {
    let mut pieces = vec![(sse(""), Duration::ZERO)];
    pieces.extend((0..50).map(|_| (b": keep-alive\n\n".to_vec(), Duration::from_millis(50))));
    let upstream = Upstream::start(Script { pieces, then: Then::Hang }).await;
    let config = config::Inference {
        attempts: 1,
        first_token_timeout: Duration::from_millis(300),
        ..config()
    };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let end = answer(&pool, &config).await;
    assert_eq!(end, Err(GenerateError::Timeout(Stall::FirstToken)));
    until(&pool, |status| status.backends[0].in_flight == 0).await;
}

#[actix::test]
async fn reasoning_puts_off_the_limits_but_is_no_first_token() {
    let mut pieces = vec![(sse(""), Duration::ZERO)];
    let thought = delta(r#"{"reasoning":"hm"}"#).into_bytes();
    pieces.extend((0..10).map(|_| (thought.clone(), Duration::from_millis(150))));
    pieces.extend(Script::says("ok").pieces.into_iter().map(|(bytes, pause)| {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        (bytes[head + 4..].to_vec(), pause)
    }));
    let upstream = Upstream::start(Script { pieces, then: Then::Close }).await;
    let config = config::Inference {
        first_token_timeout: Duration::from_millis(1000),
        token_gap_timeout: Duration::from_millis(1000),
        ..config()
    };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    assert!(generation.first_token() >= Duration::from_millis(1200));
    assert_eq!(listen(&mut generation).await, (Told::said("ok"), Ok(())));
}

#[actix::test]
async fn silence_after_whole_events_is_a_stall_and_frees_the_slot() {
    let silent = Script::bytes(wire!("vllm/80-sigterm-stream2"), Then::Hang);
    let upstream = Upstream::start(silent).await;
    let config = config::Inference { token_gap_timeout: Duration::from_millis(200), ..config() };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let (told, end) = listen(&mut generation).await;
    assert!(told.text.ends_with("and the horse"));
    assert_eq!(end, Err(GenerateError::Timeout(Stall::Gap)));
    upstream.hung_up().await;
    assert_eq!(status(&pool).await.backends[0].in_flight, 0);
}

#[actix::test]
async fn an_endless_answer_ends_at_the_total_limit() {
    let mut pieces = vec![(sse(""), Duration::ZERO)];
    let word = delta(r#"{"content":"on and "}"#).into_bytes();
    pieces.extend((0..200).map(|_| (word.clone(), Duration::from_millis(20))));
    let upstream = Upstream::start(Script { pieces, then: Then::Hang }).await;
    let config = config::Inference { total_timeout: Duration::from_millis(400), ..config() };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let mut generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let (_, end) = listen(&mut generation).await;
    assert_eq!(end, Err(GenerateError::Timeout(Stall::Total)));
}

#[actix::test]
async fn dropping_a_generation_closes_the_socket_and_frees_the_slot() {
    let begun = sse(&delta(r#"{"content":"Once"}"#));
    let upstream = Upstream::start(Script::bytes(begun, Then::Hang)).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let generation = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    assert_eq!(status(&pool).await.backends[0].in_flight, 1);
    drop(generation);
    upstream.hung_up().await;
    let after = status(&pool).await;
    assert_eq!(after.backends[0].in_flight, 0);
    assert_eq!(after.backends[0].breaker, BreakerState::Passing);
}

#[actix::test]
async fn dropping_a_start_that_waits_for_the_first_byte_closes_the_socket() {
    let upstream = Upstream::start(Script::bytes("", Then::Hang)).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let start = Generation::start(&pool.acquire, request(&config));
    assert!(tokio::time::timeout(Duration::from_millis(200), start).await.is_err());
    upstream.hung_up().await;
    until(&pool, |status| status.backends[0].in_flight == 0).await;
}

#[actix::test]
async fn a_thought_that_slipped_out_is_an_error_once_and_held_back_after() {
    let events = [
        delta(r#"{"content":"Okay, "}"#),
        delta(r#"{"content":"hm.</think>\n\n"}"#),
        delta(r#"{"content":"Paris"}"#),
        "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n".into(),
    ];
    let upstream = Upstream::start(Script::bytes(sse(&events.concat()), Then::Close)).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let leaked = Err(GenerateError::Upstream(Outcome::LeakedThought));
    assert_eq!(answer(&pool, &config).await, leaked);
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("Paris")));
}

#[actix::test]
async fn a_complete_answer_leaves_its_connection_to_the_next() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let said = Script::says("ok").pieces.remove(0).0;
    let body = String::from_utf8(said).unwrap().split_once("\r\n\r\n").unwrap().1.to_owned();
    let chunk = format!("{head}{:x}\r\n{body}\r\n", body.len());
    let pieces = vec![
        (chunk.into_bytes(), Duration::from_millis(3)),
        (b"0\r\n\r\n".to_vec(), Duration::ZERO),
    ];
    let upstream = Upstream::start(Script { pieces, then: Then::KeepAlive }).await;
    let config = config();
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    for _ in 0..20 {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    }
    // The last chunk is awaited for only a few milliseconds, which a busy machine may miss now and
    // then. A request may also use a connection that the server is closing; it then fails before
    // the first byte and is sent again.
    let (requests, connections) = (upstream.requests().len(), upstream.connections());
    assert!(requests >= 20 && connections < 20, "{requests} requests, {connections} connections");
}

#[actix::test]
async fn who_waits_is_told_the_position_and_gets_the_slot_that_comes_free() {
    let begun = sse(&delta(r#"{"content":"Once"}"#));
    let upstream = Upstream::start(Script::bytes(begun, Then::Hang)).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    let first = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let (queued, mut position) = tokio::sync::watch::channel(None);
    let waiting = GenerateRequest { queued: Some(queued), ..request(&config) };
    let waiter = actix::spawn({
        let acquire = pool.acquire.clone();
        async move { Generation::start(&acquire, waiting).await.map(|g| g.queue_wait()) }
    });
    position.wait_for(|position| position.is_some()).await.unwrap();
    let told: Option<QueuePosition> = *position.borrow();
    assert_eq!(told.unwrap().position, 1);
    drop(first);
    assert!(waiter.await.unwrap().unwrap() > Duration::ZERO);
    assert_eq!(upstream.most_open(), 1, "never more in flight than slots");
}

//! The pool as a whole: full queues, dead and half-dead backends, closing.

use std::sync::Arc;

use super::{
    upstream::{Script, Then, Upstream, delta, sse},
    *,
};

fn vllm(name: &str, upstream: &Upstream) -> config::Backend {
    backend(name, BackendKind::Vllm, &upstream.url)
}

async fn answer(pool: &Pool, config: &config::Inference) -> Result<Told, GenerateError> {
    let mut generation = Generation::start(&pool.acquire, request(config)).await?;
    let (told, end) = listen(&mut generation).await;
    end.map(|()| told)
}

/// Starts `count` generations at once and returns how each one began.
async fn rush(
    pool: &Pool,
    config: &config::Inference,
    count: usize,
) -> Vec<Result<Generation, GenerateError>> {
    let starts = (0..count).map(|_| Generation::start(&pool.acquire, request(config)));
    futures_util::future::join_all(starts).await
}

#[actix::test]
async fn a_rush_never_puts_more_in_flight_than_slots() {
    let slow = Script { then: Then::Close, ..Script::says("ok") };
    let slow = Script {
        pieces: [vec![(Vec::new(), Duration::from_millis(5))], slow.pieces].concat(),
        ..slow
    };
    let (one, two) = (Upstream::start(slow.clone()).await, Upstream::start(slow).await);
    let config = config::Inference { max_queue: 100, ..config() };
    let pool = Arc::new(pool(&config, vec![vllm("one", &one), vllm("two", &two)]));
    let answers = futures_util::future::join_all((0..60).map(|_| answer(&pool, &config))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(one.most_open() <= 2 && two.most_open() <= 2);
    assert!(one.requests().len() > 10 && two.requests().len() > 10, "both work");
}

#[actix::test]
async fn a_full_queue_refuses_at_once_with_a_time_to_come_back() {
    let upstream = Upstream::start(Script::bytes("", Then::Hang)).await;
    let config = config::Inference {
        max_queue: 3,
        queue_timeout: Duration::from_millis(900),
        first_token_timeout: Duration::from_millis(900),
        attempts: 1,
        ..config()
    };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let began = Instant::now();
    let refused = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = Instant::now();
        let refused = Generation::start(&pool.acquire, request(&config)).await.unwrap_err();
        assert!(asked.elapsed() < Duration::from_millis(200));
        refused
    };
    let (held, refused) = tokio::join!(rush(&pool, &config, 5), refused);
    let GenerateError::Refused(Refused::QueueFull { retry_after }) = refused else {
        panic!("not full: {refused:?}")
    };
    assert!((Duration::from_millis(800)..=Duration::from_secs(72)).contains(&retry_after));
    assert!(held.iter().all(Result::is_err));
    assert!(began.elapsed() < Duration::from_secs(4), "every wait is bounded");
    assert_eq!(status(&pool).await.queued, 0);
}

#[actix::test]
async fn a_waiter_that_leaves_or_expires_never_reaches_a_backend() {
    let begun = sse(&delta(r#"{"content":"Once"}"#));
    let upstream = Upstream::start(Script::bytes(begun, Then::Hang)).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    let holder = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let leaves = Generation::start(&pool.acquire, request(&config));
    assert!(tokio::time::timeout(Duration::from_millis(50), leaves).await.is_err());
    let soon = Instant::now() + Duration::from_millis(50);
    let late = GenerateRequest { deadline: soon, ..request(&config) };
    let refused = Generation::start(&pool.acquire, late).await.unwrap_err();
    assert_eq!(refused, GenerateError::Refused(Refused::DeadlinePassed));
    until(&pool, |status| status.queued == 0).await;
    drop(holder);
    upstream.hung_up().await;
    until(&pool, |status| status.backends[0].in_flight == 0).await;
    assert_eq!(upstream.requests().len(), 1);
}

#[actix::test]
async fn a_backend_that_accepts_and_never_decodes_is_ejected_and_comes_back() {
    let half_dead = Script::bytes(sse(": keep-alive\n\n"), Then::Hang);
    let (bad, good) = (Upstream::start(half_dead).await, Upstream::start(Script::says("ok")).await);
    let config = config::Inference {
        first_token_timeout: Duration::from_millis(250),
        breaker_min: Duration::from_secs(2),
        breaker_max: Duration::from_secs(2),
        ..config()
    };
    let pool = pool(&config, vec![vllm("bad", &bad), vllm("good", &good)]);
    for _ in 0..8 {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")), "shoppers notice nothing");
    }
    let state = status(&pool).await;
    assert_eq!(state.backends[0].breaker, BreakerState::Refusing);
    assert!(state.backends[0].healthy, "its health route is as good as ever");
    let asked = bad.requests().len();
    assert_eq!(asked, config.breaker_failures as usize);
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    assert_eq!(bad.requests().len(), asked, "ejected means not asked");
    bad.set_script(Script::says("ok"));
    tokio::time::sleep(config.breaker_min + Duration::from_millis(20)).await;
    for _ in 0..4 {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    }
    assert_eq!(status(&pool).await.backends[0].breaker, BreakerState::Passing);
    assert!(bad.requests().len() > asked);
}

#[actix::test]
async fn with_every_backend_out_requests_are_refused_at_once_and_served_after() {
    let script = Script::bytes(wire!("llama-cpp-python/33-err-malformed-json"), Then::Close);
    let upstream = Upstream::start(script).await;
    let config = config::Inference { attempts: 1, breaker_min: Duration::from_secs(1), ..config() };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    for _ in 0..config.breaker_failures {
        let failed = Err(GenerateError::Upstream(Outcome::ServerError(500)));
        assert_eq!(answer(&pool, &config).await, failed);
    }
    let refused = answer(&pool, &config).await.unwrap_err();
    assert!(matches!(refused, GenerateError::Refused(Refused::NoBackend { .. })), "{refused:?}");
    upstream.set_script(Script::says("ok"));
    tokio::time::sleep(config.breaker_min + Duration::from_millis(20)).await;
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
}

#[actix::test]
async fn a_loading_backend_is_out_until_its_health_route_says_so() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let loading = Script::bytes(wire!("llama-server/59-health-while-loading"), Then::Close);
    upstream.set_health(loading);
    let config = config::Inference { health_interval: Duration::from_millis(50), ..config() };
    let openai = backend("a", BackendKind::Openai, &format!("{}/v1/", upstream.url));
    let pool = pool(&config, vec![openai]);
    until(&pool, |status| !status.backends[0].healthy).await;
    let refused = answer(&pool, &config).await.unwrap_err();
    assert!(matches!(refused, GenerateError::Refused(Refused::NoBackend { .. })));
    let models = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_vec();
    upstream.set_health(Script::bytes(models, Then::Close));
    until(&pool, |status| status.backends[0].healthy).await;
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
}

#[actix::test]
async fn without_a_backend_there_is_a_typed_refusal() {
    let config = config();
    let pool = pool::<Source>(&config, Vec::new());
    let refused = answer(&pool, &config).await.unwrap_err();
    assert!(matches!(refused, GenerateError::Refused(Refused::NoBackend { .. })));
}

#[actix::test]
async fn closing_refuses_who_waits_and_who_comes_and_lets_answers_end() {
    let begun = sse(&delta(r#"{"content":"Once"}"#));
    let upstream = Upstream::start(Script::bytes(begun, Then::Hang)).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    let holder = Generation::start(&pool.acquire, request(&config)).await.unwrap();
    let close = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        pool.close.send(Close).await.unwrap();
    };
    let (waiter, ()) = tokio::join!(answer(&pool, &config), close);
    let closing = Err(GenerateError::Refused(Refused::Closing));
    assert_eq!(waiter, closing);
    assert_eq!(answer(&pool, &config).await, closing);
    let state = status(&pool).await;
    assert!(state.closing && state.backends[0].in_flight == 1);
    drop(holder);
}

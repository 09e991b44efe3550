//! A rush: lanes, refusals, hedges, learned slots, and what the pool reports about them.

use tokio::sync::oneshot;

use crate::brownout::Pressure;

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

type Answer = oneshot::Receiver<Result<Grant, Refused>>;

/// Asks for a slot without using it.
async fn ask(pool: &Pool, lane: Lane, change: impl FnOnce(&mut AcquireRequest)) -> Answer {
    let (reply, answer) = oneshot::channel();
    let mut request = AcquireRequest {
        site: SiteId::parse("shop").unwrap(),
        visitor: PrincipalId::new(),
        from: None,
        lane,
        tier: Tier::Full,
        tokens: 10,
        deadline: Instant::now() + Duration::from_secs(60),
        max_wait: None,
        affinity: None,
        ask: Ask::First,
        exclude: Vec::new(),
    };
    change(&mut request);
    pool.acquire.send(Acquire { request, reply, queued: None }).await.unwrap();
    answer
}

#[actix::test]
async fn a_checkout_gets_the_next_slot_before_a_flood_that_came_first() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let config = config::Inference { max_queue: 100, ..config() };
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    let held = ask(&pool, Lane::Browse, |_| {}).await.await.unwrap().unwrap();
    let mut flood = Vec::new();
    for _ in 0..50 {
        flood.push(ask(&pool, Lane::Browse, |_| {}).await);
    }
    let checkout = ask(&pool, Lane::Checkout, |_| {}).await;
    let depth = status(&pool).await.lanes;
    assert_eq!((depth[Lane::Checkout.index()].queued, depth[Lane::Browse.index()].queued), (1, 50));
    drop(held);
    let granted = checkout.await.unwrap();
    assert!(granted.is_ok());
    assert!(flood.iter_mut().all(|answer| answer.try_recv().is_err()));
}

#[actix::test]
async fn the_gauge_shows_the_pressure_and_its_end() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    let gauge = pool.pressure();
    assert!(gauge.has_backend() && gauge.free_slots() == 1 && gauge.queued() == 0);
    let held = ask(&pool, Lane::Browse, |_| {}).await.await.unwrap().unwrap();
    let waiter = ask(&pool, Lane::Browse, |_| {}).await;
    assert_eq!((gauge.queued(), gauge.free_slots()), (1, 0));
    assert!(gauge.predicted_wait() > Duration::ZERO);
    until(&pool, |status| status.oldest_wait_ms > 0).await;
    assert!(gauge.oldest_wait() > Duration::ZERO);
    drop(held);
    drop(waiter.await.unwrap().unwrap());
    until(&pool, |status| status.queued == 0 && status.backends[0].in_flight == 0).await;
    assert_eq!((gauge.queued(), gauge.oldest_wait()), (0, Duration::ZERO));
    assert_eq!(gauge.predicted_wait(), Duration::ZERO);
}

#[actix::test]
async fn slots_in_use_press_nobody_until_somebody_has_to_wait_or_is_turned_away() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    answer(&pool, &config).await.unwrap();
    // Before that, an older forecast may be used, which is not based on an answer.
    let measured = Instant::now() + Duration::from_millis(20);
    until(&pool, |_| Instant::now() > measured).await;
    let gauge = pool.pressure();
    let held = ask(&pool, Lane::Browse, |_| {}).await.await.unwrap().unwrap();
    let ticket = ask(&pool, Lane::Background, |_| {}).await;
    status(&pool).await;
    assert!(gauge.predicted_wait() > Duration::ZERO, "who came now would wait");
    assert_eq!(gauge.pressure(), Pressure::default(), "nobody came");

    let impatient = |request: &mut AcquireRequest| request.max_wait = Some(Duration::ZERO);
    ask(&pool, Lane::Browse, impatient).await.await.unwrap().unwrap_err();
    assert!(gauge.pressure().predicted_wait > Duration::ZERO);
    assert_eq!(gauge.pressure(), Pressure::default(), "each is felt once");

    let waiter = ask(&pool, Lane::Browse, |_| {}).await;
    for _ in 0..2 {
        assert!(gauge.pressure().predicted_wait > Duration::ZERO);
    }
    drop((held, waiter, ticket));
}

#[actix::test]
async fn a_pool_without_a_backend_is_under_pressure_whoever_comes() {
    let pool = pool(&config(), vec![backend("a", BackendKind::Vllm, "http://127.0.0.1:1")]);
    let gauge = pool.pressure();
    until(&pool, |_| gauge.pressure().predicted_wait > Duration::from_mins(1)).await;
    assert!(!gauge.has_backend());
}

#[actix::test]
async fn who_cannot_wait_as_long_as_it_takes_is_refused_at_once() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let config = config();
    let pool = pool(&config, vec![config::Backend { slots: 1, ..vllm("a", &upstream) }]);
    answer(&pool, &config).await.unwrap();
    let held = ask(&pool, Lane::Browse, |_| {}).await.await.unwrap().unwrap();
    let impatient = |request: &mut AcquireRequest| request.max_wait = Some(Duration::ZERO);
    let refused = ask(&pool, Lane::Browse, impatient).await.await.unwrap().unwrap_err();
    let Refused::TooLate { retry_after } = refused else { panic!("not too late: {refused:?}") };
    assert!(retry_after >= Duration::from_millis(800));
    drop(held);
    until(&pool, |status| status.backends[0].in_flight == 0).await;
    assert!(
        ask(&pool, Lane::Browse, impatient).await.await.unwrap().is_ok(),
        "a free slot is no wait"
    );
}

#[actix::test]
async fn a_hedge_takes_a_slot_only_if_it_is_free_elsewhere_and_nobody_waits_for_it() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let config = config::Inference { hedge_budget: 1.0, ..config() };
    let one = |name: &str| config::Backend { slots: 1, ..vllm(name, &upstream) };
    let pool = pool(&config, vec![one("a"), one("b")]);
    let first = ask(&pool, Lane::Browse, |_| {}).await.await.unwrap().unwrap();
    let beside = |exclude: BackendId| {
        move |request: &mut AcquireRequest| {
            (request.ask, request.exclude) = (Ask::Hedge, vec![exclude]);
        }
    };
    let hedge = ask(&pool, Lane::Browse, beside(first.pass.backend().id())).await.await;
    let hedge = hedge.unwrap().unwrap();
    assert_ne!(hedge.pass.backend().id(), first.pass.backend().id());
    assert!(
        ask(&pool, Lane::Browse, beside(first.pass.backend().id())).await.await.is_err(),
        "none is free"
    );
    assert_eq!(status(&pool).await.queued, 0, "and it never waits");
    drop(hedge);
    until(&pool, |status| status.backends.iter().any(|backend| backend.in_flight == 0)).await;
    let over = ask(&pool, Lane::Browse, beside(first.pass.backend().id())).await.await;
    assert!(over.is_err(), "the budget of one request is spent");
}

#[actix::test]
async fn a_late_first_token_is_asked_for_elsewhere_and_the_loser_gives_its_slot_back() {
    let (one, two) =
        (Upstream::start(Script::says("ok")).await, Upstream::start(Script::says("ok")).await);
    // One attempt: only a hedge can save it.
    let config = config::Inference {
        hedge_budget: 1.0,
        attempts: 1,
        first_token_timeout: Duration::from_secs(15),
        ..config()
    };
    let pool = pool(&config, vec![vllm("one", &one), vllm("two", &two)]);
    for _ in 0..40 {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    }
    one.set_script(Script::bytes(sse(""), Then::Hang));
    let asked = one.requests().len();
    while one.requests().len() == asked {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")), "shoppers notice nothing");
    }
    one.hung_up().await;
    let state = until(&pool, |status| status.backends.iter().all(|b| b.in_flight == 0)).await;
    assert!(state.backends.iter().all(|backend| backend.breaker == BreakerState::Passing));
}

#[actix::test]
async fn a_model_that_thinks_is_alive_and_not_asked_twice() {
    let upstream = Upstream::start(Script::says("ok")).await;
    let other = Upstream::start(Script::says("ok")).await;
    let config =
        config::Inference { hedge_budget: 1.0, hedge_min: Duration::from_millis(500), ..config() };
    let pool = pool(&config, vec![vllm("one", &upstream), vllm("two", &other)]);
    for _ in 0..40 {
        assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    }
    let mut pieces = vec![(sse(""), Duration::ZERO)];
    let thought = delta(r#"{"reasoning":"hm"}"#).into_bytes();
    pieces.extend((0..30).map(|_| (thought.clone(), Duration::from_millis(50))));
    let words = Script::says("ok").pieces.remove(0).0;
    let head = words.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    pieces.push((words[head + 4..].to_vec(), Duration::ZERO));
    let thinking = Script { pieces, then: Then::Close };
    upstream.set_script(thinking.clone());
    other.set_script(thinking);
    let asked = upstream.requests().len() + other.requests().len();
    assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
    assert_eq!(upstream.requests().len() + other.requests().len(), asked + 1);
}

fn page(waiting: usize) -> Script {
    let body = format!("vllm:num_requests_running 2.0\nvllm:num_requests_waiting {waiting}.0\n");
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    Script::bytes(head + &body, Then::Close)
}

#[actix::test]
async fn slots_fall_with_what_waits_inside_a_vllm_or_with_its_silence_and_are_earned_back() {
    let upstream = Upstream::start(Script::says("ok")).await;
    upstream.set_metrics(page(3));
    let config = config::Inference { load_interval: Duration::from_millis(40), ..config() };
    let pool = pool(&config, vec![vllm("a", &upstream)]);
    let learned = |slots| move |status: &PoolStatus| status.backends[0].slots_learned == slots;
    until(&pool, learned(1)).await;
    for trouble in
        [Script::bytes("", Then::Hang), Script::bytes("HTTP/1.1 500 Oops\r\n\r\n", Then::Close)]
    {
        upstream.set_metrics(page(0));
        for _ in 0..500 {
            assert_eq!(answer(&pool, &config).await, Ok(Told::said("ok")));
            if learned(2)(&status(&pool).await) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        until(&pool, learned(2)).await;
        upstream.set_metrics(trouble);
        until(&pool, learned(1)).await;
    }
    assert!(upstream.most_open() <= 2);
}

#[actix::test]
async fn a_model_is_asked_not_to_think_only_if_it_is_known_to() {
    for (kind, path, hush) in [
        (BackendKind::Vllm, "a", r#""chat_template_kwargs":{"enable_thinking":false}"#),
        (BackendKind::Ollama, "b", r#""think":false"#),
    ] {
        let upstream = Upstream::start(Script::bytes("", Then::Close)).await;
        let config = config::Inference { attempts: 1, breaker_failures: 100, ..config() };
        let plain = backend(path, kind, &upstream.url);
        let thinks = config::Backend { thinks: true, ..plain.clone() };
        for (backend, reasoning, sent) in
            [(plain.clone(), false, false), (thinks.clone(), true, false), (thinks, false, true)]
        {
            let pool = pool(&config, vec![backend]);
            let mut request = request(&config);
            request.chat.reasoning = reasoning;
            assert!(Generation::start(&pool.acquire, request).await.is_err());
            let asked = upstream.requests().pop().unwrap();
            assert_eq!(asked.contains(hush), sent, "{asked}");
            assert!(kind != BackendKind::Ollama || asked.contains(r#""num_ctx":4096"#));
        }
    }
}

#[actix::test]
async fn an_answer_that_broke_off_begins_again_elsewhere() {
    let cut = Script::bytes(sse(&delta(r#"{"content":"Once"}"#)), Then::Close);
    let (bad, good) = (Upstream::start(cut).await, Upstream::start(Script::says("ok")).await);
    let config = config();
    let pool = pool(&config, vec![vllm("bad", &bad), vllm("good", &good)]);
    let request = request(&config);
    let mut generation = Generation::start(&pool.acquire, request.clone()).await.unwrap();
    assert_eq!(generation.backend(), "bad");
    let (told, end) = listen(&mut generation).await;
    assert_eq!((told.text.as_str(), end.is_err()), ("Once", true));
    assert!(generation.can_restart());
    let mut again = generation.restart(&pool.acquire, request).await.unwrap();
    assert_eq!(again.backend(), "good");
    assert_eq!(listen(&mut again).await, (Told::said("ok"), Ok(())));
    assert_eq!((bad.requests().len(), good.requests().len()), (1, 1));
}

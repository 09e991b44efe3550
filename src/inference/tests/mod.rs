//! The pool, the streams and the backends together, over real sockets.

mod completeness;
mod generation;
mod local;
mod real;
mod rush;
mod service;
mod shapes;
mod slots;
mod splits;
mod traces;
mod upstream;

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::{
    config::{self, BackendKind, Secret},
    domain::{FinishReason, PrincipalId, SiteId},
};

/// The recorded bytes of a response, headers and chunk framing included.
macro_rules! wire {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/wire/", $name, ".http")).as_slice()
    };
}
pub(crate) use wire;

/// Short limits, so that a test that reaches one does so soon.
fn config() -> config::Inference {
    config::Inference {
        max_queue: 16,
        max_queue_tokens: 100_000,
        max_queue_per_visitor: 4,
        max_queue_per_address: 16,
        queue_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(2),
        first_token_timeout: Duration::from_secs(5),
        token_gap_timeout: Duration::from_secs(5),
        total_timeout: Duration::from_secs(20),
        attempts: 2,
        breaker_failures: 3,
        breaker_min: Duration::from_millis(200),
        breaker_max: Duration::from_secs(1),
        health_interval: Duration::from_millis(500),
        discover_ollama: false,
        load_interval: Duration::from_millis(200),
        hedge_budget: 0.0,
        hedge_min: Duration::from_millis(100),
        restarts: 1,
        promote_after: Duration::from_secs(1),
        lanes: config::Lanes::default(),
        backends: Vec::new(),
    }
}

fn backend(name: &str, kind: BackendKind, url: &str) -> config::Backend {
    config::Backend {
        name: name.into(),
        kind,
        url: url.into(),
        model: "tiny-chat".into(),
        api_key: Secret::default(),
        slots: 2,
        requests_per_second: 0,
        context_tokens: 4096,
        tier: Tier::Full,
        thinks: false,
        gpus: 0.0,
        gpu_hour_cost: 0.0,
    }
}

fn chat() -> ChatRequest {
    ChatRequest {
        messages: vec![
            ChatMessage::new(ChatRole::System, "You answer for a shop."),
            ChatMessage::new(ChatRole::User, "What is the capital of France?"),
        ],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 64,
        temperature: 0.0,
        reasoning: true,
    }
}

fn request(config: &config::Inference) -> GenerateRequest {
    GenerateRequest {
        site: SiteId::parse("shop").unwrap(),
        visitor: PrincipalId::new(),
        from: None,
        lane: Lane::Browse,
        tier: Tier::Full,
        deadline: Instant::now() + Duration::from_secs(30),
        max_wait: None,
        affinity: None,
        queued: None,
        chat: chat(),
        limits: config.into(),
    }
}

/// A pool over `backends` on this thread.
fn pool<S: Into<Source>>(config: &config::Inference, backends: Vec<S>) -> Pool {
    let _ = rustls::crypto::ring::default_provider().install_default();
    InferencePool::start(config, backends, &actix::Arbiter::current()).unwrap()
}

/// The content of a whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    text: String,
    calls: Vec<ToolCall>,
    usage: Option<crate::domain::Usage>,
    finish: Option<FinishReason>,
}

impl Told {
    fn add(&mut self, piece: Piece) {
        assert_eq!(self.finish, None, "nothing comes after the end");
        match piece {
            Piece::Text(text) => self.text += &text,
            Piece::ToolCall(call) => self.calls.push(call),
            Piece::Usage(usage) => self.usage = Some(usage),
            Piece::Finished(reason) => self.finish = Some(reason),
        }
    }

    fn said(text: &str) -> Self {
        Self { text: text.into(), finish: Some(FinishReason::Stop), ..Self::default() }
    }
}

/// Reads a generation to its end.
async fn listen(generation: &mut Generation) -> (Told, Result<(), GenerateError>) {
    let mut told = Told::default();
    loop {
        match generation.next().await {
            Ok(Some(piece)) => told.add(piece),
            Ok(None) => return (told, Ok(())),
            Err(error) => return (told, Err(error)),
        }
    }
}

async fn status(pool: &Pool) -> PoolStatus {
    pool.observe.send(Observe).await.unwrap()
}

/// Waits for a state that the pool reaches a moment later, for at most five seconds.
async fn until(pool: &Pool, what: impl Fn(&PoolStatus) -> bool) -> PoolStatus {
    for _ in 0..500 {
        let status = status(pool).await;
        if what(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to it: {:?}", status(pool).await);
}

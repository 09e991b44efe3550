//! Real model servers, started and named in the environment by `scripts/test-models.sh`.
//!
//! Both serve SmolLM2-135M-Instruct as `smol`; the Ollama also has `bare`, the same model without a
//! template.

use super::*;

fn llama() -> config::Backend {
    server("llama", BackendKind::Openai, "RUSHDESK_TEST_LLAMA_URL")
}

fn ollama() -> config::Backend {
    server("ollama", BackendKind::Ollama, "RUSHDESK_TEST_OLLAMA_URL")
}

fn server(name: &str, kind: BackendKind, variable: &str) -> config::Backend {
    let url = std::env::var(variable).expect("scripts/test-models.sh names the server");
    config::Backend { model: "smol".into(), context_tokens: 2048, ..backend(name, kind, &url) }
}

/// Every server in every protocol that it speaks.
fn servers() -> [config::Backend; 3] {
    let as_openai =
        config::Backend { name: "ollama-v1".into(), kind: BackendKind::Openai, ..ollama() };
    [llama(), ollama(), as_openai]
}

/// A busy machine generates slowly.
fn patient() -> config::Inference {
    config::Inference {
        first_token_timeout: Duration::from_secs(120),
        token_gap_timeout: Duration::from_secs(60),
        total_timeout: Duration::from_secs(240),
        queue_timeout: Duration::from_secs(240),
        health_interval: Duration::from_secs(20),
        ..config()
    }
}

fn ask(config: &config::Inference, chat: ChatRequest) -> GenerateRequest {
    GenerateRequest { deadline: Instant::now() + Duration::from_secs(300), chat, ..request(config) }
}

/// A question that the model answers in one sentence. With a system message the Ollama does not
/// stop. Without one the llama.cpp adds the model's default and answers in French.
fn question(backend: &config::Backend) -> ChatRequest {
    let system = ChatMessage::new(ChatRole::System, "Answer in one sentence.");
    let question = ChatMessage::new(ChatRole::User, "What is the capital of France?");
    let messages = if backend.name == "llama" { vec![system, question] } else { vec![question] };
    ChatRequest { messages, ..chat() }
}

async fn answer(
    backends: Vec<config::Backend>,
    chat: ChatRequest,
) -> (Pool, Result<Told, GenerateError>) {
    let config = patient();
    let pool = pool(&config, backends);
    let told = match Generation::start(&pool.acquire, ask(&config, chat)).await {
        Ok(mut generation) => {
            let (told, end) = listen(&mut generation).await;
            end.map(|()| told)
        }
        Err(error) => Err(error),
    };
    (pool, told)
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn an_answer_streams_and_ends_with_its_reason() {
    for backend in servers() {
        let name = backend.name.clone();
        let question = question(&backend);
        let (pool, told) = answer(vec![backend], question).await;
        let told = told.unwrap();
        assert!(told.text.contains("Paris"), "{name}: {told:?}");
        assert_eq!(told.finish, Some(FinishReason::Stop), "{name}");
        assert!(told.usage.unwrap().completion_tokens > 3, "{name}: {told:?}");
        assert_eq!(status(&pool).await.backends[0].in_flight, 0, "{name}");
    }
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn an_answer_that_is_cut_says_so() {
    for backend in servers() {
        let name = backend.name.clone();
        let chat = ChatRequest { max_tokens: 4, ..question(&backend) };
        let told = answer(vec![backend], chat).await.1.unwrap();
        assert_eq!(told.finish, Some(FinishReason::Length), "{name}: {told:?}");
    }
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn an_answer_that_is_dropped_stops_at_the_server() {
    let story = vec![ChatMessage::new(ChatRole::User, "Tell me a very long story of a king.")];
    for backend in servers() {
        let (config, name) = (patient(), backend.name.clone());
        let question = question(&backend);
        let pool = pool(&config, vec![backend]);
        // More than the server handles at once, and longer than the test waits.
        for _ in 0..4 {
            let chat = ChatRequest { messages: story.clone(), max_tokens: 1500, ..chat() };
            let generation = Generation::start(&pool.acquire, ask(&config, chat)).await.unwrap();
            drop(generation);
        }
        until(&pool, |status| status.backends[0].in_flight == 0).await;
        let begun = Instant::now();
        let chat = ChatRequest { max_tokens: 4, ..question.clone() };
        let mut next = Generation::start(&pool.acquire, ask(&config, chat)).await.unwrap();
        assert_eq!(listen(&mut next).await.1, Ok(()), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(45), "{name}: {:?}", begun.elapsed());
    }
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn a_prompt_that_is_too_long_is_refused_and_blames_nobody() {
    let messages = vec![ChatMessage::new(ChatRole::User, "word ".repeat(6_000))];
    let (pool, told) = answer(vec![llama()], ChatRequest { messages, ..chat() }).await;
    assert_eq!(told, Err(GenerateError::Upstream(Outcome::ClientError(400))));
    assert_eq!(status(&pool).await.backends[0].breaker, BreakerState::Passing);
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn a_model_that_an_ollama_does_not_have_is_asked_for_elsewhere() {
    let missing = config::Backend { model: "none".into(), ..ollama() };
    let (_, told) = answer(vec![missing.clone()], question(&llama())).await;
    assert_eq!(told, Err(GenerateError::Upstream(Outcome::ClientError(404))));
    let (_, told) = answer(vec![missing, llama()], question(&llama())).await;
    assert!(told.unwrap().text.contains("Paris"));
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn a_model_without_a_template_is_a_failed_attempt_that_opens_no_breaker() {
    let bare = config::Backend { model: "bare".into(), ..ollama() };
    let (pool, told) = answer(vec![bare.clone()], question(&llama())).await;
    assert_eq!(told, Err(GenerateError::Upstream(Outcome::Empty)));
    assert_eq!(status(&pool).await.backends[0].breaker, BreakerState::Passing);
    let (_, told) = answer(vec![bare, llama()], question(&llama())).await;
    assert!(told.unwrap().text.contains("Paris"));
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn a_model_that_cannot_think_may_be_asked_not_to() {
    let thinks = config::Backend { thinks: true, ..ollama() };
    let told =
        answer(vec![thinks], ChatRequest { reasoning: false, ..question(&ollama()) }).await.1;
    assert!(told.unwrap().text.contains("Paris"));
}

#[actix::test]
#[ignore = "needs real model servers"]
async fn an_ollama_is_discovered_with_a_model_and_everybody_is_healthy() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let found = discover_ollama(&ollama().url, Duration::from_secs(20)).await.unwrap();
    assert!(["smol:latest", "bare:latest"].contains(&found.model.as_str()), "{}", found.model);
    let config = config::Inference { health_interval: Duration::from_secs(5), ..patient() };
    let pool = pool(&config, servers().to_vec());
    tokio::time::sleep(Duration::from_secs(6)).await;
    let status = status(&pool).await;
    assert!(status.backends.iter().all(|backend| backend.healthy), "{status:?}");
}

//! One model server: how it is asked and how its refusals are read.
//!
//! A backend knows nothing of slots, breakers or queues; see `super::station` for those.

mod ollama;
mod openai;
pub mod vllm;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, RequestBuilder, Response, header, redirect};
use serde::Serialize;

pub use vllm::Load;

use super::{
    learned::Look,
    outcome::Outcome,
    stream::{Decoder, OllamaDecoder, OpenAiDecoder, Opening, TokenStream},
};
use crate::{
    config::{self, BackendKind, Secret},
    telemetry::traces::TRACEPARENT,
};

/// vLLM and llama.cpp close idle connections after 5 s without a word.
const IDLE_CONNECTION: Duration = Duration::from_secs(3);
/// As much of a metrics page as is read, in bytes.
const METRICS_BODY: usize = 1 << 20;
/// As much of an error's body as is read, in bytes.
const ERROR_BODY: usize = 8 << 10;

/// The place of a backend in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BackendId(pub usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChatRole {
    System,
    User,
    Assistant,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub content: String,
}

impl fmt::Debug for ChatMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}([{} chars])", self.role, self.content.chars().count())
    }
}

/// What a model is asked.
#[derive(Clone, Debug)]
pub struct ChatRequest {
    pub messages: Vec<ChatMessage>,
    pub max_tokens: u32,
    pub temperature: f32,
    /// `None`: the backend's configured model.
    pub model: Option<String>,
    /// `false` asks a model that thinks first to answer at once.
    pub reasoning: bool,
}

/// A backend that cannot even be prepared.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("backend `{name}`: the HTTP client cannot be made")]
    Client { name: String, source: reqwest::Error },
}

/// One model server.
pub struct Backend {
    pub id: BackendId,
    /// The configured name; the label in metrics and logs.
    pub name: Arc<str>,
    pub kind: BackendKind,
    pub model: Arc<str>,
    url: String,
    api_key: Secret,
    context_tokens: u32,
    client: Client,
    /// A bare `</think>` came from it after text was shown: it begins inside thoughts.
    begins_in_thought: AtomicBool,
    /// Its model reasons before it answers, as configured or seen.
    thinks: AtomicBool,
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("name", &self.name).field("kind", &self.kind).finish()
    }
}

impl Backend {
    /// The process must have installed a default `rustls` provider before.
    pub fn new(
        id: BackendId,
        config: config::Backend,
        connect_timeout: Duration,
    ) -> Result<Self, StartError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .http1_only()
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(config.slots)
            .build()
            .map_err(|source| StartError::Client { name: config.name.clone(), source })?;
        let uncertain = Opening::of_model(&config.model) == Opening::Uncertain;
        let url = config.url.trim_end_matches('/');
        Ok(Self {
            id,
            name: config.name.into(),
            kind: config.kind,
            // Servers of the OpenAI kind are often written down with their `/v1`.
            url: url.strip_suffix("/v1").unwrap_or(url).to_owned(),
            begins_in_thought: AtomicBool::new(uncertain),
            thinks: AtomicBool::new(config.thinks || uncertain),
            model: config.model.into(),
            api_key: config.api_key,
            context_tokens: config.context_tokens,
            client,
        })
    }

    /// Sends the request and waits for the head of the response, without a time limit of its own.
    ///
    /// A connection that breaks before any byte of the response gets a second try here: servers close
    /// idle connections at any moment, and asking a model twice changes nothing.
    /// `traceparent` goes with it where the request is traced.
    pub async fn open(
        &self,
        chat: &ChatRequest,
        traceparent: Option<&str>,
    ) -> Result<TokenStream, Outcome> {
        let request = || match traceparent {
            Some(traceparent) => self.chat(chat).header(TRACEPARENT, traceparent),
            None => self.chat(chat),
        };
        let response = match request().send().await {
            Err(error) if error.is_request() && !error.is_connect() => request().send().await,
            first => first,
        };
        let response = response.map_err(|_| Outcome::Connect)?;
        if response.status().is_success() {
            Ok(TokenStream::new(response, self.decoder()))
        } else {
            Err(refusal(response).await)
        }
    }

    /// Asks whether the server is there; the answer's status, or `None` without an answer.
    pub(super) async fn ask_health(&self) -> Option<u16> {
        let path = match self.kind {
            BackendKind::Vllm => "/health",
            BackendKind::Ollama => "/api/version",
            BackendKind::Openai => "/v1/models",
        };
        let request = self.client.get(format!("{}{path}", self.url));
        let response = self.authorised(request).send().await.ok()?;
        Some(response.status().as_u16())
    }

    /// Looks at the server's own count of its requests, where it has one.
    pub(super) async fn ask_load(&self) -> Look {
        if self.kind != BackendKind::Vllm {
            return Look::Absent;
        }
        let request = self.authorised(self.client.get(format!("{}/metrics", self.url)));
        let Ok(response) = request.send().await else { return Look::Missed };
        match response.status().as_u16() {
            200 => {}
            404 | 405 => return Look::Absent,
            _ => return Look::Missed,
        }
        let body = beginning(response, METRICS_BODY).await;
        vllm::load(&String::from_utf8_lossy(&body)).map_or(Look::Missed, Look::Seen)
    }

    /// Remembers that the model reasons, so that it can be asked not to.
    pub(super) fn learn_that_it_thinks(&self) {
        self.thinks.store(true, Ordering::Relaxed);
    }

    /// Remembers that this backend begins inside thoughts, so that the next answer is held back.
    pub(super) fn learn_to_hold_back(&self) {
        self.learn_that_it_thinks();
        if !self.begins_in_thought.swap(true, Ordering::Relaxed) {
            let (backend, model) = (&*self.name, &*self.model);
            tracing::warn!(backend, model, "model begins inside a thought, answers are held back");
        }
    }

    fn chat(&self, chat: &ChatRequest) -> RequestBuilder {
        let model = chat.model.as_deref().unwrap_or(&self.model);
        // Only those that know the switch are sent it.
        let hush = !chat.reasoning && self.thinks.load(Ordering::Relaxed);
        let request = match self.kind {
            BackendKind::Ollama => self
                .client
                .post(format!("{}/api/chat", self.url))
                .json(&ollama::body(chat, model, self.context_tokens, hush)),
            BackendKind::Vllm | BackendKind::Openai => self
                .client
                .post(format!("{}/v1/chat/completions", self.url))
                .header(header::ACCEPT, "text/event-stream")
                .json(&openai::body(chat, model, hush && self.kind == BackendKind::Vllm)),
        };
        self.authorised(request)
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        if self.api_key.is_empty() { request } else { request.bearer_auth(self.api_key.expose()) }
    }

    fn decoder(&self) -> Decoder {
        let opening = if self.begins_in_thought.load(Ordering::Relaxed) {
            Opening::Uncertain
        } else {
            Opening::Answer
        };
        match self.kind {
            BackendKind::Ollama => Decoder::Ollama(OllamaDecoder::new(opening)),
            BackendKind::Vllm | BackendKind::Openai => Decoder::OpenAi(OpenAiDecoder::new(opening)),
        }
    }
}

async fn refusal(response: Response) -> Outcome {
    let status = response.status().as_u16();
    Outcome::of_response(status, &beginning(response, ERROR_BODY).await)
}

/// The body, or about as much of it as `most` bytes.
async fn beginning(mut response: Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < most {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) | Err(_) => break,
        }
    }
    body
}

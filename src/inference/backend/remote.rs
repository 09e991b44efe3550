//! A model server reached over HTTP: how requests are sent and how its refusals are read.

use std::{collections::VecDeque, time::Duration};

use reqwest::{Client, RequestBuilder, Response, header, redirect};
use tokio::time::timeout;

use super::{
    about::{About, BackendId},
    ollama, openai,
    vllm::{self, Look},
};
use crate::{
    config::{self, BackendKind, Secret},
    inference::{
        chat::ChatRequest,
        outcome::Outcome,
        stream::{Decoder, Item, OllamaDecoder, OpenAiDecoder},
    },
    telemetry::traces::TRACEPARENT,
};

/// vLLM and llama.cpp close idle connections after 5 s without notice.
const IDLE_CONNECTION: Duration = Duration::from_secs(3);
/// How much of a metrics page is read at most, in bytes.
const METRICS_BODY: usize = 1 << 20;
/// How much of an error's body is read at most, in bytes.
const ERROR_BODY: usize = 8 << 10;
/// How long to wait for the end of a response after the terminal marker. After a proper end the
/// connection can be used again; a server that never sends it costs only this long.
const LAST_CHUNK: Duration = Duration::from_millis(20);

/// Why a backend could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("backend `{name}`: the HTTP client cannot be made")]
    Client { name: String, source: reqwest::Error },
}

/// One model server.
#[derive(Debug)]
pub struct Remote {
    pub about: About,
    kind: BackendKind,
    url: String,
    api_key: Secret,
    context_tokens: u32,
    client: Client,
}

impl Remote {
    /// The process must have installed a default `rustls` provider first.
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
        let url = config.url.trim_end_matches('/');
        Ok(Self {
            about: About::new(id, config.name, config.model, config.thinks),
            kind: config.kind,
            // URLs of OpenAI-compatible servers are often given with their `/v1`.
            url: url.strip_suffix("/v1").unwrap_or(url).to_owned(),
            api_key: config.api_key,
            context_tokens: config.context_tokens,
            client,
        })
    }

    /// Sends the request and waits for the head of the response, without a time limit of its own.
    ///
    /// A connection that breaks before any byte of the response gets a second try here: servers
    /// close idle connections at any moment, and asking a model twice changes nothing. Sends
    /// `traceparent` if the request is traced.
    pub async fn open(
        &self,
        chat: &ChatRequest,
        traceparent: Option<&str>,
    ) -> Result<RemoteStream, Outcome> {
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
            Ok(RemoteStream::new(response, self.decoder()))
        } else {
            Err(refusal(response).await)
        }
    }

    /// Checks whether the server responds.
    pub async fn is_there(&self) -> bool {
        let path = match self.kind {
            BackendKind::Vllm => "/health",
            BackendKind::Ollama => "/api/version",
            BackendKind::Openai => "/v1/models",
        };
        let request = self.client.get(format!("{}{path}", self.url));
        let Ok(response) = self.authorised(request).send().await else { return false };
        // A server without this route, or one that limits such requests, is up all the same.
        matches!(response.status().as_u16(), 200..=299 | 404 | 405 | 429)
    }

    /// Whether the server counts its own requests.
    pub fn reports_load(&self) -> bool {
        self.kind == BackendKind::Vllm
    }

    /// Reads the server's own count of its requests.
    pub async fn ask_load(&self) -> Look {
        if !self.reports_load() {
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

    fn chat(&self, chat: &ChatRequest) -> RequestBuilder {
        let model = &self.about.model;
        // Only models that think first know this switch.
        let hush = !chat.reasoning && self.about.thinks();
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
        let opening = self.about.opening();
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

/// The body, cut after about `most` bytes.
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

/// One answer on its way from a server. Dropping it closes the connection.
#[derive(Debug)]
pub struct RemoteStream {
    response: reqwest::Response,
    decoder: Decoder,
    ready: VecDeque<Item>,
    failed: Option<Outcome>,
    drained: bool,
}

impl RemoteStream {
    fn new(response: reqwest::Response, decoder: Decoder) -> Self {
        Self { response, decoder, ready: VecDeque::new(), failed: None, drained: false }
    }

    /// Whether the model reasoned before it answered.
    pub fn has_reasoned(&self) -> bool {
        self.decoder.has_reasoned()
    }

    /// The next item; `None` once the answer was proven complete and handed on whole.
    ///
    /// Cancel safe. Has no time limit of its own on the answer.
    pub async fn next(&mut self) -> Result<Option<Item>, Outcome> {
        loop {
            if self.decoder.is_complete() && self.ready.len() == 1 && !self.drained {
                let _ = timeout(LAST_CHUNK, self.response.chunk()).await;
                self.drained = true;
            }
            // Items from before a failure are handed on first.
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if let Some(outcome) = self.failed {
                return Err(outcome);
            }
            if self.decoder.is_complete() {
                return Ok(None);
            }
            let read = match self.response.chunk().await {
                Ok(Some(bytes)) => self.decoder.push(&bytes, &mut self.ready),
                Ok(None) => self.decoder.end(&mut self.ready),
                Err(_) => Err(Outcome::Truncated),
            };
            self.failed = read.err();
        }
    }
}

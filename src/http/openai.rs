//! `POST /v1/chat/completions` and `GET /v1/models`: existing OpenAI clients and load tools work unchanged.
//!
//! Stateless: the request's own messages are the conversation and nothing is kept. Facts that the format has no
//! place for travel in the `rushdesk` field and in headers.

use std::{convert::Infallible, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, post, web};
use actix_web_lab::sse::{Data, Event as SseEvent, Sse};
use futures_util::{FutureExt, Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tracing::{Instrument as _, trace_span};
use utoipa::ToSchema;

use super::{
    error::{ApiError, jittered},
    extract::{Body, Caller},
    headers::{rate_limit, server_timing},
    state::App,
};
use crate::{
    agent::need,
    clock,
    domain::{ErrorCode, Event, Fact, FinishReason, MessageId, Problem, SessionId, TurnId, Usage},
    turn::{
        frame::Place,
        log::TurnLog,
        pipeline::{Turn, run_turn},
        ports::{Exchange, Purpose, TurnInput},
        twin::{Step, Twin},
    },
};

/// The one model there is: the service itself.
const MODEL: &str = "rushdesk";
/// Messages of a request, at most.
const MAX_MESSAGES: usize = 200;

/// The parts of OpenAI's request that mean something here. Other fields are taken and ignored, as every
/// OpenAI-compatible server does; the operator's configuration decides them.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatCompletionRequest {
    #[serde(default)]
    pub model: Option<String>,
    pub messages: Vec<ChatCompletionMessage>,
    #[serde(default)]
    pub stream: bool,
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatCompletionMessage {
    pub role: ChatRole,
    /// Text, or parts of type `text`.
    #[schema(value_type = Value)]
    pub content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChatRole {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Parts(Vec<Part>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "[{} chars]", text.chars().count()),
            Self::Parts(parts) => write!(f, "[{} parts]", parts.len()),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    Text { text: String },
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => {
                let texts = parts.into_iter().map(|Part::Text { text }| text);
                texts.collect::<Vec<_>>().join("\n")
            }
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct ModelList {
    pub object: &'static str,
    pub data: Vec<ModelView>,
}

#[derive(Serialize, ToSchema)]
pub struct ModelView {
    pub id: &'static str,
    pub object: &'static str,
    pub created: i64,
    pub owned_by: &'static str,
}

/// The one model.
#[utoipa::path(get, path = "/v1/models", tag = "openai",
    responses((status = 200, body = ModelList), (status = 401, body = Problem)), security(("bearer" = [])))]
#[get("/v1/models")]
pub async fn models(_caller: Caller) -> HttpResponse {
    let model = ModelView { id: MODEL, object: "model", created: 0, owned_by: "rushdesk" };
    HttpResponse::Ok().json(ModelList { object: "list", data: vec![model] })
}

/// Answers the last user message of a conversation that the client keeps.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", request_body = ChatCompletionRequest,
    responses((status = 200, description = "chat.completion, or a stream of chat.completion.chunk"),
        (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)),
    security(("bearer" = [])))]
#[post("/v1/chat/completions")]
pub async fn chat_completions(
    app: web::Data<App>,
    caller: Caller,
    http_request: HttpRequest,
    body: Body<ChatCompletionRequest>,
) -> Result<HttpResponse, ApiError> {
    let request = body.0;
    if request.model.as_deref().is_some_and(|model| model != MODEL) {
        return Err(ApiError::with_detail(ErrorCode::NotFound, "the only model is `rushdesk`"));
    }
    let (streams, usage) =
        (request.stream, request.stream_options.unwrap_or_default().include_usage);
    let input = input(&app, &caller, request.messages)?;
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    let quota = app.limits.message(&caller.principal.site_id, caller.principal.id).await?;
    let permit = Arc::clone(&app.turn_permits).try_acquire_owned().map_err(|_| {
        ApiError::new(ErrorCode::Overloaded)
            .retry_after(jittered(std::time::Duration::from_secs(2)))
    })?;
    let turn = Completion::begin(&app, input, permit);
    if streams {
        let sse = Sse::from_stream(Box::pin(turn.chunks(usage)))
            .with_keep_alive(app.config.server.heartbeat);
        return Ok(sse.respond_to(&http_request));
    }
    let fact = turn.finish().await?;
    let mut response = HttpResponse::Ok();
    rate_limit(&mut response, Some(&quota));
    let body = completion(&fact, &mut response)?;
    Ok(response.json(body))
}

/// The last user message is the question; what came before it is the history. The shop's own instructions are the
/// only ones: system messages of clients are left out.
fn input(
    app: &App,
    caller: &Caller,
    messages: Vec<ChatCompletionMessage>,
) -> Result<TurnInput, ApiError> {
    if messages.len() > MAX_MESSAGES {
        let detail = format!("may have at most {MAX_MESSAGES} items");
        return Err(ApiError::field("messages", detail));
    }
    let mut history: Vec<Exchange> = Vec::new();
    for message in messages {
        let role = message.role;
        let text = message.content.text();
        match role {
            ChatRole::User => history.push(Exchange { user: text, answer: None }),
            ChatRole::Assistant => {
                if let Some(exchange) = history.last_mut() {
                    exchange.answer = Some(text);
                }
            }
            ChatRole::System | ChatRole::Developer | ChatRole::Tool => {}
        }
    }
    let Some(Exchange { user: text, answer: None }) = history.pop() else {
        return Err(ApiError::field("messages", "the last message must be of the user"));
    };
    let chars = text.chars().count();
    let max_chars = app.config.sessions.max_message_chars;
    if text.trim().is_empty() || chars > max_chars || text.contains('\0') {
        let detail = format!("the last message must have 1 to {max_chars} characters and no NUL");
        return Err(ApiError::field("messages", detail));
    }
    Ok(TurnInput {
        purpose: Purpose::Completion,
        site: caller.principal.site_id.clone(),
        visitor: caller.principal.id,
        locale: "en".into(),
        lane: need::lane(&text, caller.principal.role),
        text,
        history,
    })
}

/// A turn without a session. It is driven by whoever reads it: dropping the reader cancels it.
struct Completion {
    log: Arc<TurnLog>,
    run: futures_util::future::LocalBoxFuture<'static, Result<Fact, Box<Problem>>>,
    id: String,
    created: i64,
    _permit: OwnedSemaphorePermit,
}

impl Completion {
    fn begin(app: &web::Data<App>, input: TurnInput, permit: OwnedSemaphorePermit) -> Self {
        let (session, turn) = (SessionId::new(), TurnId::new());
        let max_bytes = app.config.turn.max_answer_bytes;
        let place = Place { session_id: session, turn_id: turn, epoch: 0, base_seq: 1 };
        let log = TurnLog::new(place, max_bytes);
        let (ports, turn_log) = (Arc::clone(&app.ports), Arc::clone(&log));
        let timeout = app.config.turn.timeout;
        let run = async move {
            let run = run_turn(Turn::new(Arc::clone(&ports), input, Arc::clone(&turn_log)));
            let ended = tokio::time::timeout(timeout, run).await;
            let fact = match ended {
                Ok(fact) => fact.map_err(Box::new),
                Err(_elapsed) => Err(Box::new(Problem::new(ErrorCode::UpstreamTimeout))),
            };
            // Coalesced readers of other sessions need the end as much as this one.
            turn_log.close(Arc::new(end(session, turn, &fact, &turn_log)));
            fact
        };
        Self {
            log,
            run: run.instrument(trace_span!("turn", turn_id = %turn)).boxed_local(),
            id: format!("chatcmpl-{turn}"),
            created: clock::now().as_millis() / 1_000,
            _permit: permit,
        }
    }

    async fn finish(self) -> Result<Fact, ApiError> {
        self.run.await.map_err(ApiError)
    }

    fn chunk(&self, delta: &Value, finish: Option<&str>) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": MODEL,
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
        })
    }

    fn chunks(self, include_usage: bool) -> impl Stream<Item = Result<SseEvent, Infallible>> {
        let first = self.chunk(&json!({"role": "assistant", "content": ""}), None);
        let twin = Twin::of(&self.log);
        let state = Chunks {
            pending: vec![first.to_string()],
            twin,
            turn: self,
            ended: None,
            has_sent: false,
            include_usage,
            done: false,
        };
        stream::unfold(state, |mut state| async move {
            let data = state.next().await?;
            Some((Ok(Data::new(data).into()), state))
        })
    }
}

struct Chunks {
    turn: Completion,
    twin: Twin,
    pending: Vec<String>,
    ended: Option<Result<Fact, Box<Problem>>>,
    /// Some of the answer is on its way to the client.
    has_sent: bool,
    include_usage: bool,
    done: bool,
}

impl Chunks {
    async fn next(&mut self) -> Option<String> {
        loop {
            if !self.pending.is_empty() {
                return Some(self.pending.remove(0));
            }
            if self.done {
                return None;
            }
            let step = if self.ended.is_some() {
                self.twin.next().await
            } else {
                tokio::select! {
                    biased;
                    step = self.twin.next() => step,
                    ended = &mut self.turn.run => {
                        self.ended = Some(ended);
                        continue;
                    }
                }
            };
            match step {
                // The format cannot take back what was sent: a failed stream is honest, the text twice is not.
                Step::Replaced(_) if self.has_sent => {
                    self.done = true;
                    let problem = Problem::new(ErrorCode::DependencyUnavailable);
                    self.pending.push(json!({ "error": error(&problem) }).to_string());
                }
                Step::Text(text) | Step::Replaced(text) => {
                    self.has_sent |= !text.is_empty();
                    let chunk = self.turn.chunk(&json!({"content": text}), None);
                    self.pending.push(chunk.to_string());
                }
                Step::Ended(_) => self.end(),
            }
        }
    }

    fn end(&mut self) {
        self.done = true;
        match self.ended.take() {
            Some(Ok(fact)) => {
                let (finish, usage, extra) = facts(&fact);
                let mut last = self.turn.chunk(&json!({}), Some(finish));
                last["rushdesk"] = extra;
                self.pending.push(last.to_string());
                if self.include_usage {
                    let mut chunk = self.turn.chunk(&json!({}), None);
                    chunk["choices"] = json!([]);
                    chunk["usage"] = usage_json(usage);
                    self.pending.push(chunk.to_string());
                }
                self.pending.push("[DONE]".to_owned());
            }
            // A stream without `[DONE]` and with an error is what clients of this format understand as failed.
            Some(Err(problem)) => {
                self.pending.push(json!({ "error": error(&problem) }).to_string())
            }
            None => {}
        }
    }
}

fn end(
    session: SessionId,
    turn: TurnId,
    fact: &Result<Fact, Box<Problem>>,
    log: &TurnLog,
) -> Event {
    let fact = fact.clone().unwrap_or_else(|problem| Fact::TurnFailed {
        message_id: MessageId::new(),
        text: log.text(),
        problem: *problem,
    });
    Event { v: 1, seq: 2, session_id: session, turn_id: turn, epoch: 0, at: clock::now(), fact }
}

fn error(problem: &Problem) -> Value {
    json!({"message": problem.detail, "type": problem.code.as_str(), "code": problem.status, "param": null})
}

fn usage_json(usage: Option<Usage>) -> Value {
    let usage = usage.unwrap_or_default();
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

/// Finish reason, usage, and what the format has no place for.
fn facts(fact: &Fact) -> (&'static str, Option<Usage>, Value) {
    match fact {
        Fact::AnswerCompleted {
            route,
            service_level,
            citations,
            usage,
            timings,
            cache,
            finish_reason,
            ..
        } => {
            let finish = match finish_reason {
                FinishReason::Stop => "stop",
                FinishReason::Length => "length",
                FinishReason::ToolCalls => "tool_calls",
                FinishReason::ContentFilter => "content_filter",
            };
            let extra = json!({
                "route": route,
                "service_level": service_level,
                "citations": citations,
                "cache": cache,
                "timings": timings,
            });
            (finish, *usage, extra)
        }
        Fact::MessageCreated { .. } | Fact::TurnFailed { .. } | Fact::TurnCancelled { .. } => {
            ("stop", None, Value::Null)
        }
    }
}

fn completion(
    fact: &Fact,
    response: &mut actix_web::HttpResponseBuilder,
) -> Result<Value, ApiError> {
    let Fact::AnswerCompleted { message_id, text, route, timings, .. } = fact else {
        return Err(ApiError::new(ErrorCode::Internal));
    };
    response.insert_header(("server-timing", server_timing(timings)));
    response.insert_header(("x-rushdesk-route", route.as_str()));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let (finish, usage, extra) = facts(fact);
    Ok(json!({
        "id": format!("chatcmpl-{message_id}"),
        "object": "chat.completion",
        "created": clock::now().as_millis() / 1_000,
        "model": MODEL,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": null},
            "logprobs": null,
            "finish_reason": finish,
        }],
        "usage": usage_json(usage),
        "rushdesk": extra,
    }))
}

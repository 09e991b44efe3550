//! `POST /v1/chat/completions` and `GET /v1/models`: existing OpenAI clients and load tools work unchanged.
//!
//! Stateless: the request's own messages are the conversation and nothing is kept. Facts that the format has no
//! place for travel in the `rushdesk` field and in headers.

mod stream;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, post, web};
use actix_web_lab::sse::Sse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use self::stream::Completion;
use super::{
    error::{ApiError, jittered},
    extract::{Body, Caller},
    headers::{rate_limit, server_timing},
    state::App,
};
use crate::{
    assistant::need,
    clock,
    domain::{Answer, ErrorCode, FinishReason, Problem, Usage},
    turn::ports::{Exchange, Purpose, TurnInput},
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
    // Room first: who finds none pays nothing.
    let permit = Arc::clone(&app.turn_permits).try_acquire_owned().map_err(|_| {
        ApiError::new(ErrorCode::Overloaded)
            .retry_after(jittered(std::time::Duration::from_secs(2)))
    })?;
    let quota = app.limits.message(&caller.principal.site_id, caller.principal.id).await?;
    let turn = Completion::begin(&app, input, permit);
    if streams {
        let sse = Sse::from_stream(Box::pin(turn.chunks(usage)))
            .with_keep_alive(app.config.server.heartbeat);
        return Ok(sse.respond_to(&http_request));
    }
    let answer = turn.finish().await.map_err(ApiError)?;
    let mut response = HttpResponse::Ok();
    rate_limit(&mut response, Some(&quota));
    let body = completion(&answer, &mut response);
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

fn completion(answer: &Answer, response: &mut actix_web::HttpResponseBuilder) -> Value {
    let Answer { message_id, text, route, timings, .. } = answer;
    response.insert_header(("server-timing", server_timing(timings)));
    response.insert_header(("x-rushdesk-route", route.as_str()));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    let (finish, usage, extra) = facts(answer);
    json!({
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
        "usage": usage,
        "rushdesk": extra,
    })
}

/// Finish reason, usage, and what the format has no place for.
fn facts(answer: &Answer) -> (&'static str, Value, Value) {
    let finish = match answer.finish_reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    };
    let extra = json!({
        "route": answer.route,
        "service_level": answer.service_level,
        "citations": answer.citations,
        "cache": answer.cache,
        "timings": answer.timings,
    });
    (finish, usage_json(answer.usage), extra)
}

fn usage_json(usage: Option<Usage>) -> Value {
    let usage = usage.unwrap_or_default();
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

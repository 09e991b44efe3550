//! `POST /v1/chat/completions` and `GET /v1/models`: existing OpenAI clients and load tools work
//! unchanged.
//!
//! Stateless: the messages of the request are the conversation, and nothing is stored. The field
//! `rushdesk` and some headers carry what the format lacks.

mod format;
mod request;
mod stream;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, post, web};
use actix_web_lab::sse::Sse;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub use self::request::ChatCompletionRequest;
use self::{
    format::{MODEL, facts},
    request::ChatCompletionMessage,
    stream::Completion,
};
use super::{
    error::{ApiError, jittered},
    extract::{Body, Caller},
    headers::{rate_limit, server_timing},
    sender::Sender,
    state::App,
};
use crate::{
    cache::Witness,
    clock,
    domain::{Answer, ErrorCode, Principal, Problem, Role},
    triage,
    turn::ports::{Purpose, TurnInput},
};

/// Most messages in a request.
const MAX_MESSAGES: usize = 200;

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

/// Lists the only model, `rushdesk`.
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
    sender: Sender,
    http_request: HttpRequest,
    body: Body<ChatCompletionRequest>,
) -> Result<HttpResponse, ApiError> {
    let request = body.0;
    if request.model.as_deref().is_some_and(|model| model != MODEL) {
        return Err(ApiError::with_detail(ErrorCode::NotFound, "the only model is `rushdesk`"));
    }
    let (streams, usage) = (request.stream, request.stream_options.include_usage);
    let witness = witness(&caller, sender, request.user);
    let input = input(&app, &caller, sender, witness, request.messages)?;
    if app.draining.is_cancelled() {
        return Err(ApiError::new(ErrorCode::Draining));
    }
    // The permit comes first: without one, the message does not count against the quota.
    let permit = Arc::clone(&app.turn_permits).try_acquire_owned().map_err(|_| {
        ApiError::new(ErrorCode::Overloaded)
            .retry_after(jittered(std::time::Duration::from_secs(2)))
    })?;
    let Principal { site_id, id, .. } = &caller.principal;
    let from = sender.of_caller(&caller.principal);
    let taken = app.limits.message(site_id, *id, from).await?;
    let turn = Completion::begin(&app, input, permit);
    if streams {
        let sse = Sse::from_stream(Box::pin(turn.chunks(usage)))
            .with_keep_alive(app.config.server.heartbeat);
        return Ok(sse.respond_to(&http_request));
    }
    let answer = turn.finish().await.map_err(ApiError)?;
    let mut response = HttpResponse::Ok();
    rate_limit(&mut response, taken.quota.as_ref());
    let body = completion(&answer, &mut response);
    Ok(response.json(body))
}

/// Who asks. The shop's server speaks for many shoppers, and names them in `user`; without a name
/// they count as one.
fn witness(caller: &Caller, sender: Sender, user: Option<String>) -> Witness {
    let principal = &caller.principal;
    match user.filter(|_| principal.role == Role::Server) {
        Some(user) => Witness::named(principal.id, &user),
        None => Witness::new(principal.id, sender.of_caller(principal)),
    }
}

/// The last user message is the question; what came before it is the history.
fn input(
    app: &App,
    caller: &Caller,
    sender: Sender,
    witness: Witness,
    messages: Vec<ChatCompletionMessage>,
) -> Result<TurnInput, ApiError> {
    if messages.len() > MAX_MESSAGES {
        let detail = format!("may have at most {MAX_MESSAGES} items");
        return Err(ApiError::field("messages", detail));
    }
    let (text, history) =
        request::conversation(messages).map_err(|missing| ApiError::field("messages", missing))?;
    let chars = text.chars().count();
    let max_chars = app.config.sessions.max_message_chars;
    if chars > max_chars || text.contains('\0') {
        let detail = format!("the last message must have 1 to {max_chars} characters and no NUL");
        return Err(ApiError::field("messages", detail));
    }
    Ok(TurnInput {
        purpose: Purpose::Completion,
        site: caller.principal.site_id.clone(),
        visitor: caller.principal.id,
        from: sender.of_caller(&caller.principal),
        witness,
        locale: "en".into(),
        page: None,
        customer: None,
        lane: triage::lane(&text, caller.principal.role),
        text,
        history,
        duty: None,
        code: None,
        handoff: None,
        made: Vec::new(),
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

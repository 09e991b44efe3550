//! The routes of the simulated servers.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sim,
    fault::{Fault, MODELS},
    frames::{Frames, Kind},
    stats::Account,
    talk::Talk,
    text::Lorem,
};

const MAX_BODY_BYTES: usize = 4 << 20;

/// The part of a request that a simulator reads, in OpenAI's or Ollama's format.
#[derive(Deserialize)]
struct ChatRequest {
    /// vLLM accepts requests without it.
    #[serde(default = "default_model")]
    model: String,
    messages: Vec<ChatMessage>,
    stream: Option<bool>,
    #[serde(default)]
    stream_options: StreamOptions,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    options: OllamaOptions,
}

fn default_model() -> String {
    "sim".into()
}

#[derive(Deserialize)]
struct ChatMessage {
    role: String,
    #[serde(default)]
    content: Value,
}

#[derive(Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Default, Deserialize)]
struct OllamaOptions {
    num_predict: Option<i64>,
}

impl ChatMessage {
    fn text(&self) -> String {
        match &self.content {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
            _ => String::new(),
        }
    }
}

impl ChatRequest {
    fn last_question(&self) -> String {
        let last = self.messages.iter().rfind(|message| message.role == "user");
        last.map(ChatMessage::text).unwrap_or_default()
    }

    fn limit(&self) -> Option<usize> {
        let predict = self.options.num_predict.and_then(|n| usize::try_from(n).ok());
        self.max_completion_tokens.or(self.max_tokens).or(predict)
    }

    /// About four characters per token.
    fn prompt_tokens(&self) -> usize {
        self.messages.iter().map(|message| message.text().len() / 4 + 4).sum()
    }
}

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
        .route("/", web::get().to(root))
        .route("/stats", web::get().to(stats))
        .route("/v1/chat/completions", web::post().to(chat))
        .route("/v1/models", web::get().to(models))
        .route("/health", web::get().to(health))
        .route("/ping", web::get().to(health))
        .route("/version", web::get().to(vllm_version))
        .route("/load", web::get().to(load))
        .route("/metrics", web::get().to(metrics))
        .route("/api/chat", web::post().to(chat))
        .route("/api/tags", web::get().to(tags))
        .route("/api/ps", web::get().to(tags))
        .route("/api/version", web::get().to(ollama_version))
        .default_service(web::to(not_found));
}

async fn root(sim: web::Data<Sim>) -> HttpResponse {
    let real = match sim.args.kind {
        Kind::Vllm => "vLLM",
        Kind::Ollama => "Ollama is running",
    };
    HttpResponse::Ok().content_type("text/plain").body(format!(
        "{real}: simulated by rushdesk-load. There is no model here; every answer is made up.\n"
    ))
}

async fn chat(sim: web::Data<Sim>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let kind = sim.args.kind;
    let expected = if kind == Kind::Vllm { "/v1/chat/completions" } else { "/api/chat" };
    if request.path() != expected {
        return not_found(sim).await;
    }
    sim.stats.count_request();
    let chat: ChatRequest = match serde_json::from_slice(&body) {
        Ok(chat) => chat,
        Err(error) => {
            return refusal(kind, StatusCode::BAD_REQUEST, "Bad Request", &error.to_string());
        }
    };
    let fault = match Fault::of_model(sim.args.fault.as_deref().unwrap_or(&chat.model)) {
        Some(Fault::Busy) => {
            let text = "The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.";
            return refusal(kind, StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", text);
        }
        Some(Fault::Broken) => {
            let text = "cannot schedule new futures after shutdown";
            return refusal(kind, StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", text);
        }
        Some(fault) => fault,
        None => {
            let text = format!(
                "The model `{}` does not exist. Valid aliases: {}.",
                chat.model,
                MODELS.join(", ")
            );
            return refusal(kind, StatusCode::NOT_FOUND, "NotFoundError", &text);
        }
    };
    let request_id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
    let request_id = request_id
        .filter(|id| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
    let talk = Talk {
        frames: Frames::new(kind, &chat.model, request_id, chat.stream_options.include_usage),
        lorem: Lorem::new(&chat.last_question(), sim.args.seed),
        fault,
        pace: sim.pace(),
        tokens: sim.args.tokens,
        limit: chat.limit(),
        prompt_tokens: chat.prompt_tokens(),
        account: Account::open(sim.stats.clone()),
        slots: sim.slots.clone(),
    };
    answer(kind, chat.stream.unwrap_or(kind == Kind::Ollama), talk).await
}

async fn answer(kind: Kind, streamed: bool, talk: Talk) -> HttpResponse {
    if !streamed {
        return match talk.whole().await {
            Ok(body) => json_response(StatusCode::OK, kind).body(body),
            Err(_) => refusal(
                kind,
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "EngineCore encountered an issue. See stack trace (above) for the root cause.",
            ),
        };
    }
    match kind {
        // vLLM sends its headers at once, even to a request that waits for a slot.
        Kind::Vllm => response(StatusCode::OK, kind)
            .insert_header((header::CONTENT_TYPE, "text/event-stream; charset=utf-8"))
            .streaming(talk.stream()),
        // Ollama sends its headers with its first line.
        Kind::Ollama => {
            let mut stream = Box::pin(talk.stream());
            let first = stream.next().await;
            response(StatusCode::OK, kind)
                .insert_header((header::CONTENT_TYPE, "application/x-ndjson"))
                .streaming(futures_util::stream::iter(first).chain(stream))
        }
    }
}

fn response(status: StatusCode, kind: Kind) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if kind == Kind::Vllm {
        response.insert_header((header::SERVER, "uvicorn")).insert_header((header::VARY, "Origin"));
    }
    response.insert_header(("x-simulator", "rushdesk-load"));
    response
}

fn json_response(status: StatusCode, kind: Kind) -> HttpResponseBuilder {
    let mut response = response(status, kind);
    response.insert_header((header::CONTENT_TYPE, "application/json"));
    response
}

fn refusal(kind: Kind, status: StatusCode, name: &str, message: &str) -> HttpResponse {
    let body = match kind {
        Kind::Vllm => {
            json!({"error": {"message": message, "type": name, "param": null, "code": status.as_u16()}})
        }
        Kind::Ollama => json!({"error": message}),
    };
    json_response(status, kind).body(body.to_string())
}

async fn not_found(sim: web::Data<Sim>) -> HttpResponse {
    match sim.args.kind {
        Kind::Vllm => {
            json_response(StatusCode::NOT_FOUND, Kind::Vllm).body(r#"{"detail":"Not Found"}"#)
        }
        Kind::Ollama => response(StatusCode::NOT_FOUND, Kind::Ollama).body("404 page not found"),
    }
}

async fn health(sim: web::Data<Sim>) -> HttpResponse {
    response(StatusCode::OK, sim.args.kind).finish()
}

async fn stats(sim: web::Data<Sim>) -> HttpResponse {
    HttpResponse::Ok().json(sim.stats.snapshot())
}

async fn models(sim: web::Data<Sim>) -> HttpResponse {
    let data: Vec<Value> = MODELS
        .iter()
        .map(|id| {
            json!({"id": id, "object": "model", "created": 0, "owned_by": "simulator",
                "root": id, "parent": null, "max_model_len": 8192, "permission": []})
        })
        .collect();
    json_response(StatusCode::OK, sim.args.kind)
        .body(json!({"object": "list", "data": data}).to_string())
}

async fn vllm_version(sim: web::Data<Sim>) -> HttpResponse {
    json_response(StatusCode::OK, sim.args.kind).body(r#"{"version":"0.32.0"}"#)
}

async fn load(sim: web::Data<Sim>) -> HttpResponse {
    let snapshot = sim.stats.snapshot();
    let body = json!({"server_load": snapshot.active + snapshot.waiting});
    json_response(StatusCode::OK, sim.args.kind).body(body.to_string())
}

async fn metrics(sim: web::Data<Sim>) -> HttpResponse {
    let snapshot = sim.stats.snapshot();
    let (running, waiting) = (snapshot.active as f64, snapshot.waiting as f64);
    let used = if sim.args.slots == 0 { 0.0 } else { running / sim.args.slots as f64 };
    response(StatusCode::OK, sim.args.kind)
        .insert_header((header::CONTENT_TYPE, "text/plain; version=1.0.0; charset=utf-8"))
        .body(format!(
            "# HELP vllm:num_requests_running Number of requests in model execution batches.\n\
             # TYPE vllm:num_requests_running gauge\n\
             vllm:num_requests_running{{engine=\"0\",model_name=\"sim\"}} {running:.1}\n\
             # HELP vllm:num_requests_waiting Number of requests waiting to be processed.\n\
             # TYPE vllm:num_requests_waiting gauge\n\
             vllm:num_requests_waiting{{engine=\"0\",model_name=\"sim\"}} {waiting:.1}\n\
             # HELP vllm:kv_cache_usage_perc KV-cache usage. 1 means 100 percent usage.\n\
             # TYPE vllm:kv_cache_usage_perc gauge\n\
             vllm:kv_cache_usage_perc{{engine=\"0\",model_name=\"sim\"}} {used:.3}\n"
        ))
}

async fn tags(sim: web::Data<Sim>) -> HttpResponse {
    let models: Vec<Value> = MODELS
        .iter()
        .map(|name| {
            json!({"name": name, "model": name, "modified_at": "2026-01-01T00:00:00Z", "size": 0,
                "digest": "simulated", "details": {"parent_model": "", "format": "gguf",
                "family": "simulator", "families": ["simulator"], "parameter_size": "0B",
                "quantization_level": "none"}})
        })
        .collect();
    json_response(StatusCode::OK, sim.args.kind).body(json!({"models": models}).to_string())
}

async fn ollama_version(sim: web::Data<Sim>) -> HttpResponse {
    json_response(StatusCode::OK, sim.args.kind).body(r#"{"version":"0.12.6"}"#)
}

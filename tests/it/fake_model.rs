//! A model server over real HTTP, in the shape of vLLM, whose behaviour is picked by the model's name.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse, dev::ServerHandle, web};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::servers::served;

/// Between two signs of life of a model that is held back.
const BREATH: Duration = Duration::from_millis(50);

/// Words of every answer; a test recognises them.
pub const WORDS: [&str; 6] = ["All ", "boots ", "ship ", "within ", "two ", "days [1]."];

/// What a `gullible` model says if the prompt claims it.
pub const LIE: &str = "All is free.";

/// What a `claims` model answers to these questions. The demo shop's pages support the last three.
pub const CLAIMS: [(&str, &str); 9] = [
    ("Do you have a store in Berlin?", "Yes, we have a store in Berlin."),
    ("How much is express shipping?", "Express costs $10 per item. Have a nice day!"),
    ("Where is my parcel?", "Your parcel is in the cold room of the Munich store."),
    ("Please refund me the money", "I will refund the amount to your IBAN."),
    ("How do I write to you?", "Contact us at help@rival.example or [EMAIL_1]."),
    ("Is the Vidde 2 in stock in Hamburg?", "Yes, we have the Vidde 2 in stock in Hamburg."),
    (SUPPORTED[0], SUPPORTED[1]),
    ("Can I rent sleeping bags?", "I do not know that. Would you like to talk to a person?"),
    ("Could you say hello to me?", "Hello! How can I help you?"),
];

/// A question, and an answer that a page of the demo shop gives nearly word for word.
pub const SUPPORTED: [&str; 2] =
    ["How much does shipping to Norway cost?", "Shipping to Norway costs 16.90 EUR [1]."];

/// What a `recalls` model says once it was given two addresses.
const RECALLED: [&str; 3] = ["Your addresses: [EMA", "IL_1] and [EMAIL_2]", "."];

#[derive(Clone, Default)]
pub struct Seen {
    pub requests: Arc<AtomicUsize>,
    pub open: Arc<AtomicUsize>,
    pub prompts: Arc<std::sync::Mutex<Vec<String>>>,
    pub bodies: Arc<std::sync::Mutex<Vec<Value>>>,
    /// The `traceparent` of each request, empty without one.
    pub traceparents: Arc<std::sync::Mutex<Vec<String>>>,
}

pub struct FakeModel {
    pub url: String,
    pub seen: Seen,
    /// One permit lets one piece of a `step` model pass.
    pub steps: Arc<Semaphore>,
    handle: ServerHandle,
}

impl FakeModel {
    pub async fn start() -> Self {
        let (seen, steps) = (Seen::default(), Arc::new(Semaphore::new(0)));
        let state = (seen.clone(), Arc::clone(&steps));
        let (url, handle) = served(move |config| {
            config
                .app_data(web::Data::new(state.clone()))
                .route("/v1/chat/completions", web::post().to(chat))
                .route("/health", web::get().to(HttpResponse::Ok))
                .route("/v1/models", web::get().to(HttpResponse::Ok));
        });
        Self { url, seen, steps, handle }
    }

    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    pub fn last_prompt(&self) -> String {
        self.seen.prompts.lock().unwrap().last().cloned().unwrap_or_default()
    }

    /// The newest request as the model server got it.
    pub fn last_body(&self) -> Value {
        self.seen.bodies.lock().unwrap().last().cloned().unwrap_or_default()
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({
        "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": "fake",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    });
    format!("data: {chunk}\n\n")
}

async fn chat(
    state: web::Data<(Seen, Arc<Semaphore>)>,
    request: HttpRequest,
    body: web::Json<Value>,
) -> HttpResponse {
    let (seen, steps) = state.get_ref().clone();
    let traceparent = request.headers().get("traceparent").map(|value| value.to_str().unwrap());
    seen.traceparents.lock().unwrap().push(traceparent.unwrap_or_default().to_owned());
    let count = seen.requests.fetch_add(1, Ordering::SeqCst);
    seen.prompts.lock().unwrap().push(body["messages"].to_string());
    seen.bodies.lock().unwrap().push(body.0.clone());
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    if model == "broken" {
        return HttpResponse::InternalServerError().json(json!({"error": {"message": "boom"}}));
    }
    let mut pieces = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
    let knows_both = body["messages"].to_string().contains("[EMAIL_2]");
    let number = count.to_string();
    let lies = body["messages"].to_string().to_lowercase().contains("all is free");
    let said = body["messages"].as_array().and_then(|messages| messages.last());
    let said = said.and_then(|message| message["content"].as_str()).unwrap_or_default();
    let claim = CLAIMS.iter().find(|(asked, _)| *asked == said).map_or("", |(_, claim)| *claim);
    let claim: Vec<&str> = claim.split_inclusive(' ').collect();
    let words: &[&str] = match model.as_str() {
        "claims" => &claim,
        "recalls" if knows_both => &RECALLED,
        "gullible" | "gullible_step" if lies => &[LIE],
        "numbers" => &["It takes ", &number, " days."],
        "wordy" if count % 2 == 0 => &["We deliver to Germany ", "in 5 days [1]."],
        "wordy" => &["Delivery to Germany takes ", "5 days [1]."],
        "placeholder" => &["Write to [EMAIL_1] or [EMAIL_2]."],
        _ => &WORDS,
    };
    pieces.extend(words.iter().map(|word| chunk(&json!({ "content": word }), None)));
    let dies_now = model == "no_end" || (model == "no_end_once" && count == 0);
    match model.as_str() {
        "error_frame" => pieces.push("data: {\"error\": {\"message\": \"dead\"}}\n\n".into()),
        _ if dies_now => pieces.truncate(4),
        "links" => {
            pieces.push(chunk(
                &json!({"content": " [x](javascript:alert(1)) <script>alert(1)</script>"}),
                None,
            ));
            pieces.push(chunk(&json!({}), Some("stop")));
        }
        _ => pieces.push(chunk(&json!({}), Some("stop"))),
    }
    if !dies_now {
        pieces.push(
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":6}}\n\n"
                .into(),
        );
        pieces.push("data: [DONE]\n\n".into());
    }
    seen.open.fetch_add(1, Ordering::SeqCst);
    let open = Open(Arc::clone(&seen.open));
    let state = (pieces.into_iter(), open, steps, model, None);
    let body = stream::unfold(state, |mut state| async move {
        let piece = state.4.take().or_else(|| state.0.next())?;
        match state.3.as_str() {
            "slow" => tokio::time::sleep(Duration::from_millis(30)).await,
            "step" | "gullible_step" | "stall" => {
                // The server notices that its client left only when it writes.
                let steps = Arc::clone(&state.2);
                let permit = match state.3.as_str() {
                    "stall" => {
                        tokio::time::sleep(BREATH).await;
                        None
                    }
                    _ => tokio::time::timeout(BREATH, steps.acquire()).await.ok(),
                };
                let Some(permit) = permit else {
                    state.4 = Some(piece);
                    return Some((Ok(web::Bytes::from_static(b": waiting\n\n")), state));
                };
                permit.ok()?.forget();
            }
            _ => {}
        }
        Some((Ok::<_, Infallible>(web::Bytes::from(piece)), state))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(body)
}

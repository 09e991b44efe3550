//! One shopper: signs in, opens a session, sends questions, and reads in one of several ways.

use std::{sync::Arc, time::Duration};

use goose::prelude::*;
use reqwest::{RequestBuilder, Response};
use rushdesk_load::{
    proof::Challenge,
    sse::{SseEvent, SseReader},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A stream, to its end.
    Whole,
    /// A stream, read in one network chunk every 100 ms.
    Slow,
    /// A stream that is cut after its first words and resumed on the session's events.
    Cut,
    /// One JSON body.
    Json,
}

const SLOWLY: Duration = Duration::from_millis(100);
/// How many words are read before the cut.
const BEFORE_CUT: usize = 3;

pub struct Shopper {
    pub token: String,
    pub session: String,
}

/// The content of one stream.
#[derive(Default)]
struct Heard {
    last_id: Option<String>,
    first_token: Option<Duration>,
    words: usize,
    /// When the latest stream delivered its first event.
    first_event: Option<Duration>,
    end: Option<Result<(), String>>,
}

impl Heard {
    /// Records one event, `at` after the question.
    fn hear(&mut self, event: &SseEvent, at: Duration) {
        self.first_event.get_or_insert(at);
        if event.id.is_some() {
            self.last_id.clone_from(&event.id);
        }
        match event.name.as_str() {
            "answer.delta" => {
                self.words += 1;
                self.first_token.get_or_insert(at);
            }
            "answer.completed" => {
                self.first_token.get_or_insert(at);
                self.end = Some(Ok(()));
            }
            "turn.failed" => {
                let event: Value = serde_json::from_str(&event.data).unwrap_or_default();
                let code = event["problem"]["code"].as_str().unwrap_or("turn.failed");
                self.end = Some(Err(code.to_owned()));
            }
            "turn.cancelled" | "stream.reset" => self.end = Some(Err(event.name.clone())),
            _ => {}
        }
    }
}

impl Shopper {
    /// A new visitor with an open session.
    pub async fn arrives(user: &mut GooseUser, key: &str) -> Result<Self, Box<TransactionError>> {
        let tokens = visitor(user, key).await?;
        let token = text(&tokens, "access_token")?;
        let session = post(user, "/v1/sessions", "session", Some(&token), &json!({})).await?;
        Ok(Self { session: text(&session, "id")?, token })
    }

    /// A customer who registers, signs in, refreshes and signs out, and a visitor.
    pub async fn signs_in_and_out(user: &mut GooseUser, key: Arc<str>) -> TransactionResult {
        visitor(user, &key).await?;
        let customer = json!({"site_key": *key, "password": Uuid::new_v4().to_string(),
            "email": format!("{}@load.example.com", Uuid::new_v4())});
        post(user, "/v1/auth/register", "register", None, &customer).await?;
        let tokens = post(user, "/v1/auth/login", "login", None, &customer).await?;
        let refresh = json!({"refresh_token": text(&tokens, "refresh_token")?});
        let tokens = post(user, "/v1/auth/refresh", "refresh", None, &refresh).await?;
        text(&tokens, "access_token")?;
        Ok(())
    }

    /// One turn. Its times are separate metrics: `SSE first token`, `SSE answer`, and after a cut
    /// `SSE resumed`.
    pub async fn asks(
        &mut self,
        user: &mut GooseUser,
        question: &str,
        reading: Reading,
    ) -> TransactionResult {
        let path = format!("/v1/sessions/{}/messages", self.session);
        let accept =
            if reading == Reading::Json { "application/json" } else { "text/event-stream" };
        let request = user
            .get_request_builder(&GooseMethod::Post, &path)?
            .bearer_auth(&self.token)
            .header("accept", accept)
            .header("idempotency-key", Uuid::new_v4().to_string())
            .json(&json!({"text": question}));
        let sent = Instant::now();
        let mut response = send(user, request, "message").await?;
        if reading == Reading::Json {
            let body = response.bytes().await.map_err(TransactionError::from)?;
            let turn: Value = serde_json::from_slice(&body).unwrap_or_default();
            let is_answered = turn["answer"]["text"].is_string();
            let error = (!is_answered).then_some("no answer");
            return user
                .record_custom_request_duration(
                    "JSON",
                    "answer",
                    sent.elapsed(),
                    is_answered,
                    None,
                    error,
                )
                .await;
        }
        let mut heard = listen(&mut response, Heard::default(), reading, sent).await;
        if reading == Reading::Cut && heard.end.is_none() {
            drop(response);
            heard = self.resume(user, heard, sent).await?;
        }
        report(
            user,
            "SSE",
            heard.first_token,
            heard.end.unwrap_or(Err("no end".into())),
            sent.elapsed(),
        )
        .await
    }

    /// Reconnects with the last position and reads to the end of the turn.
    async fn resume(
        &self,
        user: &mut GooseUser,
        heard: Heard,
        sent: Instant,
    ) -> Result<Heard, Box<TransactionError>> {
        let path = format!("/v1/sessions/{}/events", self.session);
        let request = user
            .get_request_builder(&GooseMethod::Get, &path)?
            .bearer_auth(&self.token)
            .header("accept", "text/event-stream")
            .header("last-event-id", heard.last_id.as_deref().unwrap_or("0"));
        let came_back = Instant::now();
        let mut response = send(user, request, "events").await?;
        let words = heard.words;
        let heard = listen(&mut response, heard, Reading::Whole, sent).await;
        let is_resumed = heard.words > words || heard.end.is_some();
        let error = (!is_resumed).then_some("nothing came after the cut");
        user.record_custom_request_duration(
            "SSE",
            "resumed",
            came_back.elapsed(),
            is_resumed,
            None,
            error,
        )
        .await?;
        Ok(heard)
    }
}

/// The metrics of one turn.
pub async fn report(
    user: &mut GooseUser,
    way: &str,
    first_token: Option<Duration>,
    end: Result<(), String>,
    whole: Duration,
) -> TransactionResult {
    if let Some(time) = first_token {
        user.record_custom_request_duration(way, "first token", time, true, None, None).await?;
    }
    let error = end.as_ref().err().map(String::as_str);
    user.record_custom_request_duration(way, "answer", whole, error.is_none(), None, error).await
}

/// Reads until the turn or the stream ends, or the cut is due.
async fn listen(
    response: &mut Response,
    mut heard: Heard,
    reading: Reading,
    sent: Instant,
) -> Heard {
    let mut reader = SseReader::default();
    while heard.end.is_none() {
        match response.chunk().await {
            Ok(Some(bytes)) if reader.push(&bytes).is_ok() => {}
            Ok(Some(_)) => heard.end = Some(Err("frame too long".into())),
            Ok(None) => break,
            Err(_) => heard.end = Some(Err("connection".into())),
        }
        while let Some(event) = reader.next_event() {
            heard.hear(&event, sent.elapsed());
            if reading == Reading::Cut && heard.words >= BEFORE_CUT {
                return heard;
            }
        }
        if reading == Reading::Slow {
            sleep(SLOWLY).await;
        }
    }
    heard
}

/// The tokens of a new visitor. A flooded site wants a proof of work first, which is no failure.
async fn visitor(user: &mut GooseUser, key: &str) -> Result<Value, Box<TransactionError>> {
    let path = "/v1/auth/visitor";
    let mut body = json!({"site_key": key});
    let request = user.get_request_builder(&GooseMethod::Post, path)?.json(&body);
    let request = GooseRequest::builder().name("visitor").set_request_builder(request).build();
    let mut asked = user.request(request).await?;
    let response = asked.response.map_err(TransactionError::from)?;
    let status = response.status();
    let mut answer: Value = response.json().await.map_err(TransactionError::from)?;
    if status.is_success() {
        return Ok(answer);
    }
    let Ok(challenge) = serde_json::from_value::<Challenge>(answer["challenge"].take()) else {
        return Err(Box::new(TransactionError::Custom(format!("visitor: status {status}"))));
    };
    user.set_success(&mut asked.request)?;
    let proof = challenge.solved().await;
    body["proof"] = proof.map_err(|error| Box::new(TransactionError::Custom(error.to_string())))?;
    post(user, path, "visitor with proof", None, &body).await
}

async fn post(
    user: &mut GooseUser,
    path: &str,
    name: &str,
    token: Option<&str>,
    body: &Value,
) -> Result<Value, Box<TransactionError>> {
    let mut request = user.get_request_builder(&GooseMethod::Post, path)?.json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = send(user, request, name).await?;
    Ok(response.json().await.map_err(TransactionError::from)?)
}

/// Sends with a fixed name, so that ids in paths do not create new metrics. A refusal ends the
/// visit.
async fn send(
    user: &mut GooseUser,
    request: RequestBuilder,
    name: &str,
) -> Result<Response, Box<TransactionError>> {
    let request =
        GooseRequest::builder().name(name).set_request_builder(request).error_on_fail().build();
    Ok(user.request(request).await?.response.map_err(TransactionError::from)?)
}

fn text(body: &Value, field: &str) -> Result<String, Box<TransactionError>> {
    let text = body[field].as_str().map(str::to_owned);
    text.ok_or_else(|| Box::new(TransactionError::Custom(format!("the answer has no {field}"))))
}

//! Closed loops of streamed requests: each of N streams sends a question, reads to the end, and
//! starts again.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, future::join_all};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use crate::{
    questions,
    replay::{Api, Failed, Latency, Visitor},
    sse::SseReader,
};

/// How long the server may be unreachable before a benchmark gives up.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A request that takes longer has failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Timeout for an answer that is slow on purpose.
const SLOW_REQUEST_TIMEOUT: Duration = Duration::from_secs(900);
/// 60 tokens: the first after 200 ms, then one every 20 ms.
const ONE_ANSWER: Duration = Duration::from_millis(1380);
/// Pause after a failure, so that a failing server is not called in a tight loop.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// How many turns a shopper has in one session before the next one begins.
const TURNS_PER_SESSION: usize = 5;

/// The counts of the streams inside the measured window.
#[derive(Default)]
pub struct Counts {
    pub answers: u64,
    pub by_route: BTreeMap<String, u64>,
    pub errors: BTreeMap<String, u64>,
    pub first_token: Latency,
    pub total: Latency,
}

/// The measured part of a loop. Answers that end outside are not counted.
#[derive(Clone, Copy)]
pub struct Window {
    pub from: Instant,
    pub to: Instant,
}

impl Window {
    /// A window without an end.
    pub fn always() -> Self {
        let from = Instant::now();
        Self { from, to: from + Duration::from_secs(86_400) }
    }

    fn is_open(&self) -> bool {
        (self.from..self.to).contains(&Instant::now())
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.to
    }

    /// Spreads the starts over the time of about one answer, so that the streams do not run in
    /// step.
    async fn stagger(&self, stream: usize, streams: usize) {
        sleep(ONE_ANSWER.mul_f64(stream as f64 / streams as f64)).await;
    }
}

/// The questions of the streams.
#[derive(Clone, Copy)]
pub enum Questions {
    /// A different one each time.
    Unique,
    /// The same one each time.
    One,
    /// The same one each time, in a wording that was not used before.
    Wordings,
}

impl Questions {
    fn text(self, stream: usize, turn: usize, nth: usize) -> String {
        match self {
            Self::Unique => questions::unique(stream, turn),
            Self::One => "What are the delivery times to the islands?".into(),
            Self::Wordings => questions::wording(nth % questions::WORDINGS),
        }
    }
}

/// How an answer is requested.
#[derive(Clone, Copy)]
pub enum Accept {
    Stream,
    Json,
}

impl Accept {
    fn media_type(self) -> &'static str {
        match self {
            Self::Stream => "text/event-stream",
            Self::Json => "application/json",
        }
    }
}

/// Runs whole turns of shoppers, a few in each session.
pub async fn shoppers(
    api: &Api,
    mut visitors: Vec<Visitor>,
    (questions, accept): (Questions, Accept),
    window: Window,
) -> Counts {
    let (counts, streams) = (RefCell::new(Counts::default()), visitors.len());
    let asked = Cell::new(0);
    let shopper = async |stream: usize, visitor: &mut Visitor| {
        let (mut session, mut turn) = (String::new(), 0);
        window.stagger(stream, streams).await;
        while !window.is_over() {
            if turn % TURNS_PER_SESSION == 0 {
                session = match api.session(visitor).await {
                    Ok(session) => session,
                    Err(failed) => {
                        count_failure(&counts, window, &failed);
                        sleep(AFTER_FAILURE).await;
                        continue;
                    }
                };
            }
            let text = questions.text(stream, turn, asked.replace(asked.get() + 1));
            let request = message(api, visitor, &session, &text, accept);
            let limit = REQUEST_TIMEOUT;
            match accept {
                Accept::Stream => read_one(request, read_turn, limit, window, &counts).await,
                Accept::Json => read_one(request, read_json, limit, window, &counts).await,
            }
            turn += 1;
        }
    };
    let shoppers = visitors.iter_mut().enumerate();
    join_all(shoppers.map(|(stream, visitor)| shopper(stream, visitor))).await;
    counts.into_inner()
}

/// One streamed turn with its own session and question, however slow its answer is.
pub async fn one_turn(
    api: &Api,
    visitor: &mut Visitor,
    number: usize,
    window: Window,
    counts: &RefCell<Counts>,
) {
    match api.session(visitor).await {
        Ok(session) => {
            let text = questions::unique(number, 0);
            let request = message(api, visitor, &session, &text, Accept::Stream);
            read_one(request, read_turn, SLOW_REQUEST_TIMEOUT, window, counts).await;
        }
        Err(failed) => count_failure(counts, window, &failed),
    }
}

/// One streamed turn with its own session and the question that all shoppers ask.
pub async fn one_cached_turn(
    api: &Api,
    visitor: &mut Visitor,
    window: Window,
    counts: &RefCell<Counts>,
) {
    match api.session(visitor).await {
        Ok(session) => {
            let text = Questions::One.text(0, 0, 0);
            let request = message(api, visitor, &session, &text, Accept::Stream);
            read_one(request, read_turn, REQUEST_TIMEOUT, window, counts).await;
        }
        Err(failed) => count_failure(counts, window, &failed),
    }
}

fn message(
    api: &Api,
    visitor: &Visitor,
    session: &str,
    text: &str,
    accept: Accept,
) -> RequestBuilder {
    api.http
        .post(api.url(&format!("/v1/sessions/{session}/messages")))
        .bearer_auth(&visitor.access_token)
        .header("accept", accept.media_type())
        .header("idempotency-key", Uuid::new_v4().to_string())
        .json(&json!({"text": text}))
}

/// The source of chat completions.
#[derive(Clone, Copy)]
pub struct Completions<'a> {
    pub url: &'a str,
    pub model: &'a str,
    pub token: &'a str,
    pub asks: (Questions, Accept),
}

impl<'a> Completions<'a> {
    /// The simulated backend, or a proxy of it.
    pub fn of_backend(url: &'a str) -> Self {
        Self { url, model: "sim", token: "none", asks: (Questions::Unique, Accept::Stream) }
    }
}

impl Completions<'_> {
    fn request(&self, http: &Client, text: &str) -> RequestBuilder {
        let body = json!({"model": self.model, "stream": matches!(self.asks.1, Accept::Stream),
            "messages": [{"role": "user", "content": text}]});
        http.post(format!("{}/v1/chat/completions", self.url)).bearer_auth(self.token).json(&body)
    }

    /// Requests one answer before the measurement: Python imports a lot during its first request,
    /// and cached answers must exist.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn warm(&self, http: &Client) -> anyhow::Result<()> {
        let answer = self.ask(http, &self.asks.0.text(0, 0, 0)).await;
        answer.map(drop).map_err(|error| anyhow::anyhow!("{} gives no answer: {error}", self.url))
    }

    /// Requests one streamed answer to `text`. Returns its route, or why there is none.
    pub async fn ask(&self, http: &Client, text: &str) -> Result<String, String> {
        let counts = RefCell::new(Counts::default());
        let streamed = Self { asks: (self.asks.0, Accept::Stream), ..*self };
        let request = streamed.request(http, text);
        read_one(request, read_completion, REQUEST_TIMEOUT, Window::always(), &counts).await;
        let Counts { by_route, errors, .. } = counts.into_inner();
        match (by_route.into_keys().next(), errors.into_keys().next()) {
            (Some(route), _) => Ok(route),
            (None, error) => Err(error.unwrap_or_default()),
        }
    }
}

/// Requests chat completions, directly from a backend or through a server that forwards them.
pub async fn completions(
    http: &Client,
    target: &Completions<'_>,
    streams: usize,
    window: Window,
) -> Counts {
    let (counts, limit) = (RefCell::new(Counts::default()), REQUEST_TIMEOUT);
    let (questions, accept) = target.asks;
    let caller = async |stream: usize| {
        let mut turn = 0;
        window.stagger(stream, streams).await;
        while !window.is_over() {
            let request = target.request(http, &questions.text(stream, turn, turn));
            match accept {
                Accept::Stream => read_one(request, read_completion, limit, window, &counts).await,
                Accept::Json => read_one(request, read_whole, limit, window, &counts).await,
            }
            turn += 1;
        }
    };
    join_all((0..streams).map(caller)).await;
    counts.into_inner()
}

/// The result of one streamed answer.
struct Answer {
    first_token: Option<Duration>,
    outcome: Result<String, String>,
}

async fn read_one<F>(
    request: RequestBuilder,
    read: impl Fn(reqwest::Response, Instant) -> F,
    limit: Duration,
    window: Window,
    counts: &RefCell<Counts>,
) where
    F: Future<Output = Answer>,
{
    let sent = Instant::now();
    let answer = async {
        match request.send().await {
            Ok(response) if response.status().is_success() => read(response, sent).await,
            Ok(response) => Answer {
                first_token: None,
                outcome: Err(format!("http_{}", response.status().as_u16())),
            },
            Err(_) => Answer { first_token: None, outcome: Err("connection".into()) },
        }
    };
    let answer = timeout(limit, answer)
        .await
        .unwrap_or(Answer { first_token: None, outcome: Err("timeout".into()) });
    let has_failed = answer.outcome.is_err();
    if window.is_open() {
        let mut counts = counts.borrow_mut();
        match answer.outcome {
            Ok(route) => {
                counts.answers += 1;
                *counts.by_route.entry(route).or_default() += 1;
                if let Some(time) = answer.first_token {
                    counts.first_token.record(time);
                }
                counts.total.record(sent.elapsed());
            }
            Err(code) => *counts.errors.entry(code).or_default() += 1,
        }
    }
    if has_failed {
        sleep(AFTER_FAILURE).await;
    }
}

fn count_failure(counts: &RefCell<Counts>, window: Window, failed: &Failed) {
    if window.is_open() {
        let code = match failed {
            Failed::Refused(problem) => problem.code.clone(),
            Failed::Gone => "gone".into(),
            Failed::Broken(_) => "broken_answer".into(),
        };
        *counts.borrow_mut().errors.entry(code).or_default() += 1;
    }
}

/// Reads a turn's events by name only; just the terminal one is parsed.
async fn read_turn(response: reqwest::Response, sent: Instant) -> Answer {
    let mut first_token = None;
    let outcome = events(response.bytes_stream(), |name, data| match name {
        "answer.delta" => {
            first_token.get_or_insert_with(|| sent.elapsed());
            None
        }
        "answer.completed" => {
            first_token.get_or_insert_with(|| sent.elapsed());
            let event: Value = serde_json::from_str(data).unwrap_or_default();
            Some(Ok(event["route"].as_str().unwrap_or("unnamed").to_owned()))
        }
        "turn.failed" | "turn.cancelled" => {
            let event: Value = serde_json::from_str(data).unwrap_or_default();
            Some(Err(event["problem"]["code"].as_str().unwrap_or(name).to_owned()))
        }
        _ => None,
    });
    let outcome = outcome.await;
    Answer { first_token, outcome }
}

/// A whole turn as one JSON body.
async fn read_json(response: reqwest::Response, sent: Instant) -> Answer {
    let outcome = match response.json::<Value>().await {
        Ok(turn) => turn["answer"]["route"].as_str().map_or_else(
            || Err(turn["answer"]["finish_reason"].as_str().unwrap_or("no_answer").to_owned()),
            |route| Ok(route.to_owned()),
        ),
        Err(_) => Err("broken_answer".into()),
    };
    Answer { first_token: Some(sent.elapsed()), outcome }
}

/// A completion as one JSON body.
async fn read_whole(response: reqwest::Response, sent: Instant) -> Answer {
    let outcome = match response.json::<Value>().await {
        Ok(body) if body["choices"][0]["message"]["content"].is_string() => Ok(route_of(&body)),
        _ => Err("broken_answer".into()),
    };
    Answer { first_token: Some(sent.elapsed()), outcome }
}

/// Rushdesk reports its route; the other servers do not.
fn route_of(body: &Value) -> String {
    body["rushdesk"]["route"].as_str().unwrap_or("completion").to_owned()
}

async fn read_completion(response: reqwest::Response, sent: Instant) -> Answer {
    let (mut first_token, mut has_finish) = (None, false);
    let mut route = "completion".to_owned();
    let outcome = events(response.bytes_stream(), |_, data| {
        // The role may come alone or with the first word.
        let has_word = data.contains("\"content\":\"") && !data.contains("\"content\":\"\"");
        if first_token.is_none() && has_word {
            first_token = Some(sent.elapsed());
        }
        if data.starts_with("{\"error\"") {
            let frame: Value = serde_json::from_str(data).unwrap_or_default();
            return Some(Err(frame["error"]["type"].as_str().unwrap_or("error").to_owned()));
        }
        if data.contains("\"finish_reason\":\"") {
            has_finish = true;
            route = route_of(&serde_json::from_str(data).unwrap_or_default());
        }
        let end = if has_finish { Ok(route.clone()) } else { Err("cut".to_owned()) };
        (data == "[DONE]").then_some(end)
    });
    let outcome = outcome.await;
    Answer { first_token, outcome }
}

/// Passes events to `see` until it returns the outcome, then reads the rest, so that the connection
/// can be used again.
async fn events(
    body: impl Stream<Item = reqwest::Result<Bytes>>,
    mut see: impl FnMut(&str, &str) -> Option<Result<String, String>>,
) -> Result<String, String> {
    let (mut body, mut reader) = (std::pin::pin!(body), SseReader::default());
    let mut outcome = None;
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| "connection".to_owned())?;
        reader.push(&bytes).map_err(|_| "frame_too_long".to_owned())?;
        while let Some(event) = reader.next_event() {
            outcome = outcome.or_else(|| see(&event.name, &event.data));
        }
    }
    outcome.unwrap_or(Err("no_end".to_owned()))
}

/// A window that opens after `settle` and stays open for `length`.
pub fn window(settle: Duration, length: Duration) -> Window {
    let from = Instant::now() + settle;
    Window { from, to: from + length }
}

/// Calls `sample` when the window opens, in its middle, and when it closes.
pub async fn sample<T>(window: Window, sample: impl Fn() -> T) -> [T; 3] {
    sleep_until(window.from).await;
    let first = sample();
    sleep_until(window.from + (window.to - window.from) / 2).await;
    let middle = sample();
    sleep_until(window.to).await;
    [first, middle, sample()]
}

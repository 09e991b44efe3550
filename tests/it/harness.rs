//! A service on port 0 with a method for each endpoint, and a reader of its streams.

use std::{collections::BTreeMap, path::PathBuf, sync::OnceLock, time::Duration};

use futures_util::StreamExt;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rushdesk::{
    app::Application,
    config::{Config, Sources},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// No wait of a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct TestApp {
    application: Application,
    pub client: Client,
    pub url: String,
    _data: TempDir,
}

/// A process has one recorder; the services of all tests share it.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}

/// Overrides of the configuration, as `section.key` and value.
pub type Settings<'a> = &'a [(&'a str, String)];

pub fn model_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("RUSHDESK_TEST_MODEL_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/model"),
        PathBuf::from,
    );
    folder.join("all-MiniLM-L6-v2/model_int8.onnx").is_file().then_some(folder)
}

/// A URL of a real store; under CI its absence is a failure, elsewhere the test says why it returns.
pub fn store_url(name: &str) -> Option<String> {
    let url = std::env::var(name).ok();
    if url.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} must be set under CI");
        eprintln!("{name} is not set: `make test` starts the stores; skipping");
    }
    url
}

pub fn backend(model: &str, url: &str) -> (&'static str, String) {
    (
        "inference.backends",
        format!("[{{name=\"fake\",kind=\"vllm\",url=\"{url}\",model=\"{model}\",slots=8}}]"),
    )
}

impl TestApp {
    /// Embedded, without an embedding model: search by words only.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: Settings<'_>) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self::in_folder(data, settings).await
    }

    /// With a fake model server that answers as its model's name says.
    pub async fn with_model(model: &str, fake: &super::fake_model::FakeModel) -> Self {
        Self::with(&[backend(model, &fake.url)]).await
    }

    pub async fn in_folder(data: TempDir, settings: Settings<'_>) -> Self {
        let mut flags: BTreeMap<String, String> = [
            ("server.listen", "127.0.0.1:0".to_owned()),
            ("server.workers", "1".to_owned()),
            ("server.data_dir", data.path().display().to_string()),
            ("server.drain_timeout_ms", "3000".to_owned()),
            ("embedding.model_dir", data.path().join("no-model").display().to_string()),
            ("inference.discover_ollama", "false".to_owned()),
            ("sessions.resume_grace_ms", "400".to_owned()),
            ("server.heartbeat_ms", "200".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        flags.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let sources = Sources { flags: flags.into_iter().collect(), ..Sources::default() };
        let config = Config::load(&sources).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let application = Application::start(config, metrics()).await.unwrap();
        let url = format!("http://{}", application.address);
        let client = Client::builder().no_proxy().build().unwrap();
        Self { application, client, url, _data: data }
    }

    /// Stops in order and says whether anything was left running.
    pub async fn stop(self) -> TempDir {
        let turns = self.application.app.turn_permits.clone();
        let most = self.application.app.config.sessions.max_turns;
        drop(self.client);
        tokio::time::timeout(PATIENCE, self.application.stop()).await.unwrap();
        assert_eq!(turns.available_permits(), most, "a turn is still running");
        self._data
    }

    /// A counter, by its name and labels as `/metrics` writes them; 0 where it does not show. All tests share it.
    pub fn counter(&self, name: &str) -> u64 {
        let page = self.application.app.metrics.render();
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }

    pub fn port(&self) -> u16 {
        self.application.address.port()
    }

    pub fn archive(&self) -> &rushdesk::archive::Archive {
        &self.application.app.archive
    }

    pub fn app(&self) -> &rushdesk::http::state::App {
        &self.application.app
    }

    /// How far the hot store has a session; `None` where it does not have it or is away.
    pub async fn hot_seq(&self, session: &str) -> Option<u64> {
        let hot = &self.application.app.hot;
        let found = hot.load(session.parse().unwrap(), 0).await.ok()??;
        Some(found.meta.last_seq)
    }

    /// Takes a session out of the hot store, as after its idle time.
    pub async fn forget_hot(&self, session: &str) {
        let id = session.parse().unwrap();
        let meta = self.archive().session(id).await.unwrap().unwrap();
        self.application.app.hot.erase(id, meta.owner).await.unwrap();
    }

    /// Entries in the cache of the demo site.
    pub async fn cached(&self) -> usize {
        let cache = self.application.app.cache.as_ref().unwrap();
        cache.list(&rushdesk::demo::site_id(), None, 100, rushdesk::clock::now()).items.len()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).timeout(PATIENCE)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub async fn visitor(&self) -> Shopper<'_> {
        let tokens: Value = self
            .post("/v1/auth/visitor")
            .json(&json!({"site_key": "pk_demo"}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        Shopper { app: self, token: tokens["access_token"].as_str().unwrap().to_owned() }
    }

    /// Makes an admin of the demo site and signs in.
    pub async fn admin(&self) -> Shopper<'_> {
        use rushdesk::{accounts::Credentials, domain::Role};
        let email = format!("admin-{}@example.com", uuid::Uuid::now_v7());
        let password = "correct horse battery".to_owned();
        let credentials = Credentials { email: email.clone(), password: password.clone() };
        let accounts = &self.application.app.accounts;
        accounts.create_staff(&rushdesk::demo::site_id(), Role::Admin, credentials).await.unwrap();
        let body = json!({"site_key": "pk_demo", "email": email, "password": password});
        let response = self.post("/v1/auth/login").json(&body).send().await.unwrap();
        let tokens: Value = response.json().await.unwrap();
        Shopper { app: self, token: tokens["access_token"].as_str().unwrap().to_owned() }
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Shopper<'a> {
    pub app: &'a TestApp,
    pub token: String,
}

impl Shopper<'_> {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.app.get(path).bearer_auth(&self.token)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.app.post(path).bearer_auth(&self.token)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(&self.token)
    }

    pub async fn session(&self) -> String {
        let response = self.post("/v1/sessions").json(&json!({})).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        body(response).await["id"].as_str().unwrap().to_owned()
    }

    pub fn message(&self, session: &str, key: &str, text: &str) -> RequestBuilder {
        self.post(&format!("/v1/sessions/{session}/messages"))
            .header("idempotency-key", key)
            .json(&json!({ "text": text }))
    }

    /// Asks and waits for the whole turn.
    pub async fn ask(&self, session: &str, text: &str) -> Value {
        let key = uuid::Uuid::now_v7().to_string();
        let response = self.message(session, &key, text).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.text().await);
        body(response).await
    }

    /// Asks and streams the turn on the response.
    pub async fn stream(&self, session: &str, text: &str) -> Events {
        let key = uuid::Uuid::now_v7().to_string();
        let request = self.message(session, &key, text).header("accept", "text/event-stream");
        Events::of(request.send().await.unwrap())
    }

    pub async fn events(&self, session: &str, last_event_id: Option<&str>) -> Events {
        let mut request = self.get(&format!("/v1/sessions/{session}/events"));
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        Events::of(request.send().await.unwrap())
    }

    pub async fn messages(&self, session: &str) -> Vec<Value> {
        let response = self.get(&format!("/v1/sessions/{session}/messages")).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        body(response).await["items"].as_array().unwrap().clone()
    }
}

pub async fn body(response: Response) -> Value {
    response.json().await.unwrap()
}

/// The problem of a refused request; checks that it is one.
pub async fn problem(response: Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(media_type, "application/problem+json");
    assert!(response.headers().contains_key("x-request-id"));
    let problem = body(response).await;
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail", "instance", "code", "request_id"] {
        assert!(problem[field].is_string(), "{field} is missing: {problem}");
    }
    (status, problem["code"].as_str().unwrap().to_owned(), problem)
}

/// Sends what must be refused with this status and code.
pub async fn refused(request: RequestBuilder, status: u16, code: &str) -> Value {
    let (got, got_code, problem) = problem(request.send().await.unwrap()).await;
    assert_eq!((got, got_code.as_str()), (status, code), "{problem}");
    problem
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: Option<String>,
    pub name: String,
    pub data: Value,
}

/// A reader of Server-Sent Events.
pub struct Events {
    pub status: StatusCode,
    stream: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: String,
}

impl Events {
    pub fn of(response: Response) -> Self {
        let status = response.status();
        Self { status, stream: response.bytes_stream().boxed(), buffer: String::new() }
    }

    /// The next event; `None` at the end of the stream. Comments and `retry:` are passed over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.stream.next()).await.unwrap()?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Everything up to and with the first event of this name.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await {
            let found = event.name == name;
            seen.push(event);
            if found {
                return seen;
            }
        }
        panic!("the stream ended without {name}: {seen:?}");
    }

    pub async fn rest(&mut self) -> Vec<Event> {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await {
            seen.push(event);
        }
        seen
    }
}

fn parse(block: &str) -> Option<Event> {
    let (mut id, mut name, mut data) = (None, None, String::new());
    for line in block.lines() {
        match line.split_once(": ").or_else(|| line.split_once(':')) {
            Some(("id", value)) => id = Some(value.to_owned()),
            Some(("event", value)) => name = Some(value.to_owned()),
            Some(("data", value)) => data.push_str(value),
            _ => {}
        }
    }
    Some(Event { id, name: name?, data: serde_json::from_str(&data).unwrap() })
}

/// The text of the deltas, in order.
pub fn text_of(events: &[Event]) -> String {
    let deltas = events.iter().filter(|event| event.name == "answer.delta");
    deltas.map(|event| event.data["text"].as_str().unwrap()).collect()
}

/// Waits until `holds`, without guessing a time.
pub async fn settle(what: &str, holds: impl AsyncFn() -> bool) {
    settle_within(PATIENCE, what, holds).await;
}

/// For what others decide by delays of their own.
pub async fn settle_within(limit: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let begun = std::time::SystemTime::now();
    while !holds().await {
        assert!(begun.elapsed().unwrap() < limit, "never settled: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! A service on port 0 that must leave nothing behind, and the questions that every test asks of a response.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rushdesk::{
    app::Application,
    config::{Config, Sources},
    domain::{Principal, Role},
    http::state::App,
    inference::Observe,
    session::messages::{Asker, Erase},
    shutdown,
    turn::ports::ActionPort,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake_model::FakeModel;
pub use super::{
    shopper::Shopper,
    streams::{Event, Events, Socket, text_of},
};

/// No wait of a test is longer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Without a model the demo shop's pages answer.
pub const NO_MODEL: &str = "no model";

/// A running service. A test ends it with [`TestApp::stop`], which checks that nothing is left.
pub struct TestApp {
    /// `None` once it is stopped.
    application: Option<Application>,
    model: Option<FakeModel>,
    data: Option<TempDir>,
    pub client: Client,
    pub url: String,
}

/// A process has one recorder; the services of all tests share it.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap()).clone()
}

/// Overrides of the configuration, as `section.key` and value.
pub type Settings<'a> = &'a [(&'a str, String)];
pub type OwnedSettings = Vec<(&'static str, String)>;

/// Settings of the embedding model; `None` where there is none (never under CI).
pub fn embedder() -> Option<OwnedSettings> {
    let folder = std::env::var_os("RUSHDESK_TEST_MODEL_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/model"),
        PathBuf::from,
    );
    if !folder.join("all-MiniLM-L6-v2/model_int8.onnx").is_file() {
        assert!(std::env::var_os("CI").is_none(), "the embedding model must be there under CI");
        eprintln!("no embedding model: `make model` makes it; skipping");
        return None;
    }
    Some(vec![
        ("embedding.model_dir", folder.join("all-MiniLM-L6-v2").display().to_string()),
        ("embedding.library", folder.join("libonnxruntime.so").display().to_string()),
        // On a busy machine a vector takes its time.
        ("embedding.timeout_ms", "15000".to_owned()),
    ])
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
    backend_with_slots(model, url, 8)
}

fn backend_with_slots(model: &str, url: &str, slots: usize) -> (&'static str, String) {
    (
        "inference.backends",
        format!("[{{name=\"fake\",kind=\"vllm\",url=\"{url}\",model=\"{model}\",slots={slots}}}]"),
    )
}

impl TestApp {
    /// Embedded, with the demo shop, without a model, searching terms only.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    pub async fn with(settings: Settings<'_>) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self::in_folder(data, settings).await
    }

    /// With a fake model server of its own that behaves as its model's name says.
    pub async fn with_model(model: &str) -> Self {
        Self::with_model_and(model, &[]).await
    }

    pub async fn with_model_and(model: &str, settings: Settings<'_>) -> Self {
        if model == NO_MODEL {
            return Self::with(settings).await;
        }
        Self::with_slots(8, model, settings).await
    }

    /// With a model server that answers only so many at once.
    pub async fn with_slots(slots: usize, model: &str, settings: Settings<'_>) -> Self {
        let fake = FakeModel::start().await;
        let settings = [&[backend_with_slots(model, &fake.url, slots)], settings].concat();
        let mut app = Self::with(&settings).await;
        app.model = Some(fake);
        app
    }

    /// A visitor of the demo shop with an empty session, answered by this model of [`FakeModel`] or by [`NO_MODEL`].
    pub async fn chat(model: &str) -> (Self, Shopper, String) {
        Self::chat_with(model, &[]).await
    }

    pub async fn chat_with(model: &str, settings: Settings<'_>) -> (Self, Shopper, String) {
        let app = Self::with_model_and(model, settings).await;
        let (shopper, session) = app.chatting().await;
        (app, shopper, session)
    }

    /// With a shop that makes changes.
    pub async fn with_actions(settings: Settings<'_>, actions: ActionPort) -> Self {
        Self::in_folder_with(tempfile::tempdir().unwrap(), settings, Some(actions)).await
    }

    pub async fn in_folder(data: TempDir, settings: Settings<'_>) -> Self {
        Self::in_folder_with(data, settings, None).await
    }

    pub async fn in_folder_with(
        data: TempDir,
        settings: Settings<'_>,
        actions: Option<ActionPort>,
    ) -> Self {
        let mut flags: BTreeMap<String, String> = [
            ("server.listen", "127.0.0.1:0".to_owned()),
            ("server.workers", "1".to_owned()),
            ("server.data_dir", data.path().display().to_string()),
            ("server.drain_timeout_ms", "3000".to_owned()),
            ("embedding.model_dir", data.path().join("no-model").display().to_string()),
            ("inference.discover_ollama", "false".to_owned()),
            // A test with a shop names it.
            ("tools.demo_shop_url", String::new()),
            // The fake models say what no page of the demo shop supports.
            ("guard.grounding", "off".to_owned()),
            ("sessions.resume_grace_ms", "400".to_owned()),
            ("server.heartbeat_ms", "200".to_owned()),
            // Tests ask again and again.
            ("limits.visitor_reads_per_minute", "100000".to_owned()),
            ("limits.visitor_sessions_per_hour", "100000".to_owned()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        flags.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let sources = Sources { flags: flags.into_iter().collect(), ..Sources::default() };
        let config = Config::load(&sources).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let application = Application::start_with(config, metrics(), actions).await.unwrap();
        let url = format!("http://{}", application.address);
        let client = Client::builder().no_proxy().build().unwrap();
        Self { application: Some(application), model: None, data: Some(data), client, url }
    }

    /// Stops a service where nothing is under way, and checks that nothing is left of it.
    pub async fn stop(self) -> TempDir {
        self.quiet().await;
        self.drain().await
    }

    /// Stops a service where turns may run, and checks that nothing is left of it.
    pub async fn drain(mut self) -> TempDir {
        let application = self.application.take().unwrap();
        let app = application.app.clone();
        let (turns, streams) = (app.turn_permits.clone(), app.streams.clone());
        let (sessions, tasks) = (app.config.sessions.clone(), app.tasks.clone());
        drop(app);
        tokio::time::timeout(PATIENCE * 3, shutdown::run(application)).await.unwrap();
        assert!(tasks.is_empty(), "a background task outlives the service");
        // Whoever can run a turn holds these: the supervisor, session actors, handlers and background tasks.
        settle("every actor and task is gone", async || Arc::strong_count(&turns) == 1).await;
        assert_eq!(turns.available_permits(), sessions.max_turns, "a turn is still running");
        assert_eq!(streams.taken(), 0, "a stream is still open");
        if let Some(model) = self.model.take() {
            model.stop().await;
        }
        self.data.take().unwrap()
    }

    /// Waits until no turn runs, and nobody holds a slot or waits for one.
    async fn quiet(&self) {
        let app = self.app();
        let most = app.config.sessions.max_turns;
        settle("no turn is running", async || app.turn_permits.available_permits() == most).await;
        self.slots_free().await;
    }

    /// Waits until the model works for nobody, and nobody waits for it.
    pub async fn slots_free(&self) {
        let Some(pool) = &self.app().pool else { return };
        settle("no slot is in use", async || {
            let status = pool.observe.send(Observe).await.unwrap();
            status.queued == 0 && status.backends.iter().all(|backend| backend.in_flight == 0)
        })
        .await;
    }

    /// A counter, by its name and labels as `/metrics` writes them; 0 where it does not show. All tests share it.
    pub fn counter(&self, name: &str) -> u64 {
        let page = self.app().metrics.render();
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }

    fn running(&self) -> &Application {
        self.application.as_ref().unwrap()
    }

    pub fn port(&self) -> u16 {
        self.running().address.port()
    }

    pub fn app(&self) -> &App {
        &self.running().app
    }

    /// Where links for people point to.
    pub fn link_base(&self) -> String {
        self.app().config.server.base_url()
    }

    pub fn archive(&self) -> &rushdesk::archive::Archive {
        &self.app().archive
    }

    /// The model server of an app that was started with one.
    pub fn model(&self) -> &FakeModel {
        self.model.as_ref().unwrap()
    }

    /// Takes a session out of memory, as after its idle time.
    pub async fn forget(&self, session: &str) {
        let id = session.parse().unwrap();
        let meta = self.archive().session(id).await.unwrap().unwrap();
        let owner = Principal { id: meta.owner, role: Role::Visitor, site_id: meta.site_id };
        // The actor stops; the archive is not touched.
        let stop = || Erase { asker: Asker(owner.clone()) };
        self.app().sessions.ask(id, stop).await.unwrap();
    }

    /// How many events of a session the archive has.
    pub async fn archived(&self, session: &str) -> usize {
        let events = self.archive().events(session.parse().unwrap(), 0, 100).await;
        events.map_or(0, |events| events.len())
    }

    /// Entries in the cache of the demo site.
    pub async fn cached(&self) -> usize {
        let cache = self.app().cache.as_ref().unwrap();
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

    pub async fn status(&self) -> Value {
        ok(self.get("/v1/status")).await
    }

    /// One of the ways to sign in: `visitor`, `register`, `login`, `identify`, `refresh`, `logout`.
    pub fn auth(&self, how: &str, body: &Value) -> RequestBuilder {
        self.post(&format!("/v1/auth/{how}")).json(body)
    }

    /// Whoever holds this token or key.
    pub fn holder(&self, token: &str) -> Shopper {
        Shopper::new(&self.client, &self.url, token)
    }

    /// Whoever was given these tokens.
    pub fn signed_in(&self, tokens: &Value) -> Shopper {
        self.holder(tokens["access_token"].as_str().unwrap())
    }

    pub async fn visitor(&self) -> Shopper {
        self.visitor_of("pk_demo").await
    }

    pub async fn visitor_of(&self, site_key: &str) -> Shopper {
        Shopper::visitor(&self.client, &self.url, site_key).await
    }

    /// A visitor and a new session of theirs.
    pub async fn chatting(&self) -> (Shopper, String) {
        let visitor = self.visitor().await;
        let session = visitor.session().await;
        (visitor, session)
    }

    /// Asks in a new session of a new visitor.
    pub async fn ask(&self, text: &str) -> Value {
        let (visitor, session) = self.chatting().await;
        visitor.ask(&session, text).await
    }

    /// Makes an admin of the demo site and signs in.
    pub async fn admin(&self) -> Shopper {
        let email = format!("admin-{}@example.com", uuid::Uuid::now_v7());
        self.staff("demo", rushdesk::domain::Role::Admin, &email).await
    }

    /// Makes somebody of a site's staff and signs in.
    pub async fn staff(&self, site: &str, role: rushdesk::domain::Role, email: &str) -> Shopper {
        self.named_staff(site, role, email, None).await
    }

    /// An agent of the demo shop, whose name shoppers read.
    pub async fn agent(&self, name: &str) -> Shopper {
        let email = format!("agent-{}@example.com", uuid::Uuid::now_v7());
        self.named_staff("demo", Role::Agent, &email, Some(name.to_owned())).await
    }

    async fn named_staff(
        &self,
        site: &str,
        role: Role,
        email: &str,
        name: Option<String>,
    ) -> Shopper {
        let password = "correct horse battery";
        let credentials = rushdesk::accounts::Credentials {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let site_id = rushdesk::domain::SiteId::parse(site).unwrap();
        self.app().accounts.create_staff(&site_id, role, credentials, name).await.unwrap();
        let site_key = format!("pk_{site}");
        let login = json!({"site_key": site_key, "email": email, "password": password});
        self.signed_in(&ok(self.auth("login", &login)).await)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // A test that fails already says why.
        let is_stopped = self.application.is_none() || std::thread::panicking();
        assert!(is_stopped, "a test ends with `stop` or `drain`, which check that nothing is left");
    }
}

pub async fn body(response: Response) -> Value {
    response.json().await.unwrap()
}

/// Sends what must succeed.
pub async fn sent(request: RequestBuilder) -> Response {
    let response = request.send().await.unwrap();
    let status = response.status();
    assert!(status.is_success(), "{status}: {:?}", response.text().await);
    response
}

/// Sends what must succeed; the body of the answer.
pub async fn ok(request: RequestBuilder) -> Value {
    body(sent(request).await).await
}

pub async fn status_of(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
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

/// A problem without what differs between two equal ones.
pub fn essence(mut problem: Value) -> Value {
    for field in ["request_id", "instance", "retry_after_ms"] {
        problem.as_object_mut().unwrap().remove(field);
    }
    problem
}

/// Waits until `holds`, without guessing a time.
pub async fn settle(what: &str, holds: impl AsyncFn() -> bool) {
    settle_within(PATIENCE, what, holds).await;
}

/// For what others decide by delays of their own.
pub async fn settle_within(limit: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let begun = SystemTime::now();
    while !holds().await {
        assert!(begun.elapsed().unwrap() < limit, "never settled: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

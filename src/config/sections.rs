//! The sections of the configuration; `rushdesk.toml.example` documents every key.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};
use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::domain::SiteId;

fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_secs)
}

fn millis_of_each<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[Duration; N], D::Error> {
    let found = Vec::<u64>::deserialize(deserializer)?;
    let spans: Vec<Duration> = found.into_iter().map(Duration::from_millis).collect();
    spans.try_into().map_err(|found: Vec<_>| {
        serde::de::Error::custom(format!("needs {N} numbers, not {}", found.len()))
    })
}

/// The whole configuration of one process.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: Server,
    pub store: Store,
    pub auth: Auth,
    pub sessions: Sessions,
    pub turn: Turn,
    pub brownout: Brownout,
    pub inference: Inference,
    pub embedding: Embedding,
    pub cache: Cache,
    pub knowledge: Knowledge,
    pub limits: Limits,
    pub telemetry: Telemetry,
    pub sites: Vec<Site>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    pub listen: SocketAddr,
    pub workers: usize,
    pub data_dir: PathBuf,
    pub replica: String,
    pub public_url: String,
    pub max_body_bytes: usize,
    #[serde(rename = "request_timeout_ms", deserialize_with = "millis")]
    pub request_timeout: Duration,
    pub max_connections: usize,
    #[serde(rename = "drain_timeout_ms", deserialize_with = "millis")]
    pub drain_timeout: Duration,
    #[serde(rename = "heartbeat_ms", deserialize_with = "millis")]
    pub heartbeat: Duration,
    pub tls_cert: PathBuf,
    pub tls_key: PathBuf,
}

impl Server {
    /// The certificate's chain and its key, where this process speaks TLS itself.
    pub fn tls(&self) -> Option<[PathBuf; 2]> {
        let both = !self.tls_cert.as_os_str().is_empty() && !self.tls_key.as_os_str().is_empty();
        both.then(|| [self.tls_cert.clone(), self.tls_key.clone()])
    }

    /// Whether shoppers come by TLS, to this process or to a proxy before it.
    pub fn is_https(&self) -> bool {
        self.tls().is_some() || self.public_url.starts_with("https://")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreMode {
    Embedded,
    Distributed,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Store {
    pub mode: StoreMode,
    pub mysql_url: Secret,
    pub redis_url: Secret,
    pub redis_prefix: String,
    #[serde(rename = "redis_timeout_ms", deserialize_with = "millis")]
    pub redis_timeout: Duration,
    #[serde(rename = "archive_timeout_ms", deserialize_with = "millis")]
    pub archive_timeout: Duration,
    pub redis_pool: usize,
    pub archive_pool: usize,
    #[serde(rename = "flush_interval_ms", deserialize_with = "millis")]
    pub flush_interval: Duration,
    pub flush_batch: usize,
    #[serde(rename = "hot_ttl_s", deserialize_with = "seconds")]
    pub hot_ttl: Duration,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Auth {
    pub jwt_secret: Secret,
    pub jwt_secret_file: PathBuf,
    pub issuer: String,
    pub audience: String,
    #[serde(rename = "access_ttl_s", deserialize_with = "seconds")]
    pub access_ttl: Duration,
    #[serde(rename = "refresh_ttl_s", deserialize_with = "seconds")]
    pub refresh_ttl: Duration,
    pub password_workers: usize,
    pub operator_sites: Vec<SiteId>,
    #[serde(default)]
    pub oidc: Vec<Oidc>,
}

/// An identity provider whose people are staff of a site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    pub site: SiteId,
    pub issuer: String,
    pub audience: String,
    pub jwks_url: String,
    pub role_claim: String,
    #[serde(default)]
    pub admin: Vec<String>,
    #[serde(default)]
    pub agent: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Sessions {
    pub max_sessions: usize,
    #[serde(rename = "idle_timeout_s", deserialize_with = "seconds")]
    pub idle_timeout: Duration,
    pub max_message_chars: usize,
    #[serde(rename = "max_wait_ms", deserialize_with = "millis")]
    pub max_wait: Duration,
    pub tail_events: usize,
    pub max_turns: usize,
    pub max_streams: usize,
    #[serde(rename = "resume_grace_ms", deserialize_with = "millis")]
    pub resume_grace: Duration,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Turn {
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
    pub prompt_tokens: usize,
    pub history_tokens: usize,
    pub max_answer_tokens: u32,
    pub max_answer_bytes: usize,
    pub temperature: f32,
    pub passages: usize,
    pub answer_confidence: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Brownout {
    /// Queue age from which each of the levels 1 to 4 is climbed to.
    #[serde(rename = "climb_ms", deserialize_with = "millis_of_each")]
    pub climb: [Duration; 4],
    #[serde(rename = "dwell_ms", deserialize_with = "millis")]
    pub dwell: Duration,
    #[serde(rename = "calm_ms", deserialize_with = "millis")]
    pub calm: Duration,
    /// Longest predicted wait that a turn accepts at each of the levels 0 to 4.
    #[serde(rename = "longest_wait_ms", deserialize_with = "millis_of_each")]
    pub longest_wait: [Duration; 5],
    #[serde(rename = "room_ms", deserialize_with = "millis")]
    pub room: Duration,
    pub short_answer_tokens: u32,
    pub tickets: bool,
    pub tickets_at_once: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Inference {
    pub max_queue: usize,
    pub max_queue_tokens: u64,
    pub max_queue_per_visitor: usize,
    #[serde(rename = "queue_timeout_ms", deserialize_with = "millis")]
    pub queue_timeout: Duration,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "millis")]
    pub connect_timeout: Duration,
    #[serde(rename = "first_token_timeout_ms", deserialize_with = "millis")]
    pub first_token_timeout: Duration,
    #[serde(rename = "token_gap_timeout_ms", deserialize_with = "millis")]
    pub token_gap_timeout: Duration,
    #[serde(rename = "total_timeout_ms", deserialize_with = "millis")]
    pub total_timeout: Duration,
    pub attempts: u32,
    pub breaker_failures: u32,
    #[serde(rename = "breaker_min_ms", deserialize_with = "millis")]
    pub breaker_min: Duration,
    #[serde(rename = "breaker_max_ms", deserialize_with = "millis")]
    pub breaker_max: Duration,
    #[serde(rename = "health_interval_ms", deserialize_with = "millis")]
    pub health_interval: Duration,
    pub discover_ollama: bool,
    #[serde(rename = "load_interval_ms", deserialize_with = "millis")]
    pub load_interval: Duration,
    pub hedge_budget: f64,
    #[serde(rename = "hedge_min_ms", deserialize_with = "millis")]
    pub hedge_min: Duration,
    pub restarts: u32,
    #[serde(rename = "promote_after_ms", deserialize_with = "millis")]
    pub promote_after: Duration,
    pub lanes: Lanes,
    #[serde(default)]
    pub backends: Vec<Backend>,
}

/// Shares of the slots by lane, relative to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lanes {
    pub checkout: u32,
    pub order: u32,
    pub paid: u32,
    pub browse: u32,
    /// 0: served only while nobody else waits.
    pub background: u32,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { checkout: 8, order: 4, paid: 4, browse: 3, background: 0 }
    }
}

/// How good the answers of a backend's model are; turns ask for a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    #[default]
    Full,
    /// Quicker and plainer, for when there is a rush.
    Small,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    Vllm,
    Ollama,
    Openai,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    pub name: String,
    pub kind: BackendKind,
    pub url: String,
    pub model: String,
    #[serde(default)]
    pub api_key: Secret,
    pub slots: usize,
    #[serde(default)]
    pub requests_per_second: u32,
    #[serde(default = "default_context_tokens")]
    pub context_tokens: u32,
    #[serde(default)]
    pub tier: Tier,
    #[serde(default)]
    pub thinks: bool,
    /// GPUs (or whole machines) that its slots share; 0: their time is not reported.
    #[serde(default)]
    pub gpus: f64,
    /// What one of them costs for an hour, in whatever currency; 0: not reported.
    #[serde(default)]
    pub gpu_hour_cost: f64,
}

const fn default_context_tokens() -> u32 {
    8192
}

#[derive(Clone, Debug, Deserialize)]
pub struct Embedding {
    pub model_dir: PathBuf,
    pub library: PathBuf,
    pub threads: usize,
    pub max_queue: usize,
    pub batch_tokens: usize,
    pub max_tokens: usize,
    #[serde(rename = "timeout_ms", deserialize_with = "millis")]
    pub timeout: Duration,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Cache {
    pub enabled: bool,
    #[serde(rename = "ttl_s", deserialize_with = "seconds")]
    pub ttl: Duration,
    #[serde(rename = "stale_s", deserialize_with = "seconds")]
    pub stale: Duration,
    pub max_entries: usize,
    pub max_bytes: usize,
    pub threshold: f32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Knowledge {
    pub max_document_bytes: usize,
    pub max_documents: usize,
    pub max_passages: usize,
    pub passage_chars: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Limits {
    pub visitor_messages_per_hour: u32,
    pub visitor_burst: u32,
    pub site_messages_per_second: u32,
    pub site_burst: u32,
    pub site_logins_per_second: u32,
    pub max_keys: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Telemetry {
    pub log_format: LogFormat,
    pub log: String,
    pub otlp_endpoint: String,
    pub otlp_sample: f64,
}

impl Telemetry {
    /// What is logged.
    ///
    /// # Errors
    /// Where `telemetry.log` cannot be read.
    pub fn filter(&self) -> Result<EnvFilter, ParseError> {
        EnvFilter::try_new(&self.log)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    pub site_key: String,
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    #[serde(default)]
    pub identity_secret: Secret,
}

/// Text that never appears in a log, an error or a debug print.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"[secret]\"" })
    }
}

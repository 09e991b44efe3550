//! Samples of the server's and the backend's own figures during the day.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::rig::Service;

const EVERY: Duration = Duration::from_millis(250);
const WITHIN: Duration = Duration::from_millis(2000);

/// One sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// From the start of the day.
    pub at_s: f64,
    pub level: u64,
    pub queue_depth: u64,
    pub queue_wait_ms: u64,
    pub rss_kib: u64,
    pub cpu_s: f64,
    /// Slots of the backend in use.
    pub active: u64,
    /// Chat requests that reached the backend, and those that it answered completely.
    pub requests: u64,
    pub completed: u64,
    /// Whether `/v1/status` answered in time.
    pub has_answered: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    service_level: u64,
    queue_depth: u64,
    queue_wait_ms: u64,
}

#[derive(Default, Deserialize)]
pub struct BackendStats {
    pub active: u64,
    pub requests: u64,
    pub completed: u64,
}

/// Samples until it is dropped or `until` is reached.
pub async fn watch(
    http: &reqwest::Client,
    server: &Service,
    backend: &Service,
    begun: Instant,
    until: Instant,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while Instant::now() < until {
        ticks.tick().await;
        samples.push(look(http, server, backend, begun).await);
    }
    samples
}

pub async fn look(
    http: &reqwest::Client,
    server: &Service,
    backend: &Service,
    begun: Instant,
) -> Sample {
    let at_s = begun.elapsed().as_secs_f64();
    let usage = server.process.usage().unwrap_or_default();
    let (status, stats) = tokio::join!(
        get::<Status>(http, format!("{}/v1/status", server.url)),
        get::<BackendStats>(http, format!("{}/stats", backend.url)),
    );
    let has_answered = status.is_some();
    let (status, stats) = (status.unwrap_or_default(), stats.unwrap_or_default());
    Sample {
        at_s,
        level: status.service_level,
        queue_depth: status.queue_depth,
        queue_wait_ms: status.queue_wait_ms,
        rss_kib: usage.rss_kib,
        cpu_s: usage.cpu_s,
        active: stats.active,
        requests: stats.requests,
        completed: stats.completed,
        has_answered,
    }
}

async fn get<T: for<'de> Deserialize<'de>>(http: &reqwest::Client, url: String) -> Option<T> {
    let answer = async { http.get(url).send().await.ok()?.json().await.ok() };
    timeout(WITHIN, answer).await.ok().flatten()
}

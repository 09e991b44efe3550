//! `bench streams`: how many answers one core can stream at the same time without an error, and the
//! memory for each.
//!
//! The answers are slow (a token every 1.5 s), so that their number is measured and not their
//! tokens.

use std::{cell::RefCell, fmt, time::Duration};

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::{
    Args,
    drive::{self, Counts, Window},
    report::figure,
};
use crate::{
    replay::{Api, Latency, Quantiles},
    rig::{Folder, Pace, Service, visitors},
};

const TOKEN: Duration = Duration::from_millis(1500);
/// All streams are open for this long before the first one ends.
const HOLD: Duration = Duration::from_secs(10);
/// The server's timeouts for a turn, an answer and a reader.
const TIMEOUT_MS: u64 = 900_000;

#[derive(Clone, Debug, Serialize)]
pub struct StreamsReport {
    pub streams: usize,
    pub ramp_s: f64,
    pub answers: u64,
    pub errors: Vec<(String, u64)>,
    /// The most streams open at the backend at the same time.
    pub open_at_once: u64,
    pub rss_idle_kib: u64,
    pub rss_open_kib: u64,
    pub rss_kib_per_stream: f64,
    /// Share of its core while all streams are open.
    pub busy: f64,
    pub first_token_ms: Quantiles,
}

/// Opens `args.streams` answers over a ramp, holds them, and reads each to its end.
///
/// # Errors
/// If a process does not start, or too few files may be open.
pub async fn run(args: &Args, ramp_per_s: f64) -> anyhow::Result<StreamsReport> {
    let streams = args.streams;
    files_suffice(streams)?;
    let ramp = Duration::from_secs_f64(streams as f64 / ramp_per_s.max(1.0));
    let tokens = ((ramp + HOLD).as_secs_f64() / TOKEN.as_secs_f64()).ceil() as usize + 2;
    let token_ms = TOKEN.as_millis() as u64;
    let backend = Service::backend(Pace { ttft_ms: 200, token_ms, tokens, slots: 0 }).await?;
    let folder = Folder::new()?;
    let mut server = args.server(&folder, &backend.url)?;
    for key in [
        "TURN__TIMEOUT_MS",
        "INFERENCE__TOTAL_TIMEOUT_MS",
        "INFERENCE__FIRST_TOKEN_TIMEOUT_MS",
        "INFERENCE__TOKEN_GAP_TIMEOUT_MS",
    ] {
        server.set(key, TIMEOUT_MS);
    }
    server.set("TURN__MAX_ANSWER_TOKENS", 4096);
    let server = server.start().await?;
    let api = Api::new(&server.url, drive::PATIENCE)?;
    let mut visitors = visitors(&api, streams).await?;
    let idle = server.process.usage()?;
    let begun = Instant::now();
    let counts = RefCell::new(Counts::default());
    let window = Window { from: begun, to: begun + Duration::from_secs(86_400) };
    let all = visitors.iter_mut().enumerate().map(|(number, visitor)| {
        let (api, counts) = (&api, &counts);
        async move {
            sleep_until(begun + ramp.mul_f64(number as f64 / streams as f64)).await;
            drive::one_turn(api, visitor, number, window, counts).await;
        }
    });
    let look = async {
        sleep_until(begun + ramp + HOLD / 4).await;
        let from = server.process.usage()?;
        sleep_until(begun + ramp + HOLD * 3 / 4).await;
        let stats: serde_json::Value =
            api.http.get(format!("{}/stats", backend.url)).send().await?.json().await?;
        anyhow::Ok((from, server.process.usage()?, stats["active"].as_u64().unwrap_or(0)))
    };
    let (_, looked) = tokio::join!(join_all(all), look);
    let (from, to, open_at_once) = looked?;
    server.stop().await;
    backend.stop().await;
    let counts = counts.into_inner();
    let rss_open_kib = to.rss_kib.max(from.rss_kib);
    let first_token: &Latency = &counts.first_token;
    Ok(StreamsReport {
        streams,
        ramp_s: ramp.as_secs_f64(),
        answers: counts.answers,
        errors: counts.errors.iter().map(|(code, count)| (code.clone(), *count)).collect(),
        open_at_once,
        rss_idle_kib: idle.rss_kib,
        rss_open_kib,
        rss_kib_per_stream: rss_open_kib.saturating_sub(idle.rss_kib) as f64 / streams as f64,
        busy: (to.cpu_s - from.cpu_s) / (HOLD / 2).as_secs_f64(),
        first_token_ms: first_token.quantiles(),
    })
}

/// Checks the limit of open files: the server holds two sockets for each stream.
fn files_suffice(streams: usize) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let most = open_files(&limits).context("no limit of open files")?;
    let needed = 2 * streams + 512;
    ensure!(most >= needed, "{streams} streams need {needed} open files: `ulimit -n` says {most}");
    Ok(())
}

fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        soft => soft.parse().ok(),
    }
}

impl fmt::Display for StreamsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} streams opened over {:.0} s, a token each {} ms",
            self.streams,
            self.ramp_s,
            TOKEN.as_millis()
        )?;
        figure(f, "open at once at the backend", self.open_at_once as f64, "")?;
        figure(f, "whole answers", self.answers as f64, "")?;
        let errors: u64 = self.errors.iter().map(|(_, count)| count).sum();
        figure(f, "errors", errors as f64, "")?;
        if errors > 0 {
            writeln!(f, "    {:?}", self.errors)?;
        }
        figure(f, "memory per open stream", self.rss_kib_per_stream, "KiB")?;
        figure(f, "RSS with all open", self.rss_open_kib as f64 / 1024.0, "MiB")?;
        figure(f, "share of the core with all open", self.busy * 100.0, "%")?;
        figure(f, "first token (backend 200 ms), p50", self.first_token_ms.p50, "ms")?;
        figure(f, "first token (backend 200 ms), p99", self.first_token_ms.p99, "ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_the_soft_one() {
        let limits = "Limit  Soft  Hard  Units\nMax open files            20000                50000                files\n";
        assert_eq!(open_files(limits), Some(20_000));
        assert_eq!(open_files("Max open files unlimited unlimited files"), Some(usize::MAX));
        assert_eq!(open_files(""), None);
    }
}

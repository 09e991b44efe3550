//! `bench turns`: whole turns and plain completions, compared with the backend alone, a bare proxy
//! and nginx in one run.

use std::fmt;

use anyhow::Context as _;
use serde::Serialize;

use super::{
    Args,
    drive::{self, Accept, Completions, Questions},
    report::{Side, figure, heading, median, row},
    sampled,
};
use crate::{
    replay::{Api, Quantiles},
    rig::{Folder, Pace, Service, visitors},
};

/// The same load on the backend alone, through the proxies, and on Rushdesk.
#[derive(Clone, Debug, Serialize)]
pub struct TurnsRun {
    pub backend_first_token_ms: Quantiles,
    pub proxy: Side,
    /// Absent if nginx is not installed.
    pub nginx: Option<Side>,
    pub turns: Side,
    /// `/v1/chat/completions` with the cache off.
    pub completions: Side,
    /// The same without an embedder, so that the knowledge search uses words only.
    pub gateway: Side,
}

pub async fn run(args: &Args) -> anyhow::Result<TurnsRun> {
    let backend = Service::backend(Pace::default()).await?;
    let http = crate::http_client().build()?;
    let target = Completions::of_backend(&backend.url);
    let alone = drive::completions(&http, &target, args.streams, args.window()).await;
    let folder = Folder::new()?;
    let proxy = proxied(args, Service::proxy(&backend.url).await?).await?;
    let nginx = match Service::nginx(&backend.url, &folder.0).await? {
        Some(nginx) => Some(proxied(args, nginx).await?),
        None => None,
    };
    let turns = args.shoppers(&backend.url, (Questions::Unique, Accept::Stream)).await?;
    let completions = completed(args, &backend.url, &["CACHE__ENABLED=false"]).await?;
    let no_model = "EMBEDDING__MODEL_DIR=/nonexistent";
    let gateway = completed(args, &backend.url, &["CACHE__ENABLED=false", no_model]).await?;
    backend.stop().await;
    let backend_first_token_ms = alone.first_token.quantiles();
    Ok(TurnsRun { backend_first_token_ms, proxy, nginx, turns, completions, gateway })
}

async fn proxied(args: &Args, proxy: Service) -> anyhow::Result<Side> {
    let http = crate::http_client().build()?;
    let idle = proxy.process.usage()?;
    let (window, target) = (args.window(), Completions::of_backend(&proxy.url));
    let (counts, usage) = tokio::join!(
        drive::completions(&http, &target, args.streams, window),
        sampled(&proxy.process, window),
    );
    let side = Side::new(counts, idle, usage?, args.seconds as f64, args.streams);
    proxy.stop().await;
    Ok(side)
}

/// Completions on a newly started Rushdesk with these settings.
async fn completed(args: &Args, backend: &str, settings: &[&str]) -> anyhow::Result<Side> {
    let folder = Folder::new()?;
    let mut server = args.server(&folder, backend)?;
    for setting in settings {
        let (key, value) = setting.split_once('=').context("not a setting")?;
        server.set(key, value);
    }
    let server = server.start().await?;
    let idle = server.process.usage()?;
    let api = Api::new(&server.url, drive::PATIENCE)?;
    let visitor = visitors(&api, 1).await?.pop().context("no visitor")?;
    let asks = (Questions::Unique, Accept::Stream);
    let token = &visitor.access_token;
    let target = Completions { url: &server.url, model: "rushdesk", token, asks };
    let window = args.window();
    let (counts, usage) = tokio::join!(
        drive::completions(&api.http, &target, args.streams, window),
        sampled(&server.process, window),
    );
    let side = Side::new(counts, idle, usage?, args.seconds as f64, args.streams);
    server.stop().await;
    Ok(side)
}

#[derive(Clone, Debug, Serialize)]
pub struct TurnsReport {
    pub streams: usize,
    pub seconds: u64,
    pub cpu_s_per_1000_answers: f64,
    pub proxy_cpu_s_per_1000_answers: f64,
    pub nginx_cpu_s_per_1000_answers: Option<f64>,
    /// CPU of whole turns, completions and the bare gateway relative to the bare proxy, in the same
    /// run.
    pub ratio_to_proxy: f64,
    pub completions_ratio_to_proxy: f64,
    pub gateway_ratio_to_proxy: f64,
    pub added_first_token_p50_ms: f64,
    pub added_first_token_p99_ms: f64,
    pub proxy_added_first_token_p50_ms: f64,
    pub proxy_added_first_token_p99_ms: f64,
    pub rss_kib_per_stream: f64,
    pub answers: u64,
    pub errors: u64,
    pub runs: Vec<TurnsRun>,
}

impl TurnsReport {
    pub fn new(streams: usize, seconds: u64, runs: Vec<TurnsRun>) -> Self {
        let middle = |of: &dyn Fn(&TurnsRun) -> f64| median(runs.iter().map(of).collect());
        let added = |side: &Side, run: &TurnsRun, of: fn(&Quantiles) -> f64| {
            of(&side.first_token_ms) - of(&run.backend_first_token_ms)
        };
        let cpu = |side: &Side| side.cpu_s_per_1000_answers;
        let nginx: Vec<f64> =
            runs.iter().filter_map(|run| Some(cpu(run.nginx.as_ref()?))).collect();
        let (p50, p99) = (|q: &Quantiles| q.p50, |q: &Quantiles| q.p99);
        Self {
            streams,
            seconds,
            cpu_s_per_1000_answers: middle(&|run| cpu(&run.turns)),
            proxy_cpu_s_per_1000_answers: middle(&|run| cpu(&run.proxy)),
            nginx_cpu_s_per_1000_answers: (!nginx.is_empty()).then(|| median(nginx)),
            ratio_to_proxy: middle(&|run| cpu(&run.turns) / cpu(&run.proxy)),
            completions_ratio_to_proxy: middle(&|run| cpu(&run.completions) / cpu(&run.proxy)),
            gateway_ratio_to_proxy: middle(&|run| cpu(&run.gateway) / cpu(&run.proxy)),
            added_first_token_p50_ms: middle(&|run| added(&run.turns, run, p50)),
            added_first_token_p99_ms: middle(&|run| added(&run.turns, run, p99)),
            proxy_added_first_token_p50_ms: middle(&|run| added(&run.proxy, run, p50)),
            proxy_added_first_token_p99_ms: middle(&|run| added(&run.proxy, run, p99)),
            rss_kib_per_stream: middle(&|run| run.turns.rss_kib_per_stream),
            answers: runs.iter().map(|run| run.turns.answers).sum(),
            errors: runs.iter().map(|run| run.turns.error_count()).sum(),
            runs,
        }
    }
}

impl fmt::Display for TurnsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} streams, {} s a window", self.streams, self.seconds)?;
        heading(f)?;
        for (number, run) in self.runs.iter().enumerate() {
            let (number, alone) = (number + 1, &run.backend_first_token_ms);
            writeln!(
                f,
                "{number:<4} {:<14} {:>8} {:>38.1} {:>10.1}",
                "backend", alone.count, alone.p50, alone.p99
            )?;
            row(f, number, "bare proxy", &run.proxy)?;
            if let Some(nginx) = &run.nginx {
                row(f, number, "nginx", nginx)?;
            }
            row(f, number, "whole turns", &run.turns)?;
            row(f, number, "completions", &run.completions)?;
            row(f, number, "  no embedder", &run.gateway)?;
        }
        writeln!(f, "medians")?;
        figure(f, "CPU of the server per 1,000 whole turns", self.cpu_s_per_1000_answers, "s")?;
        figure(f, "  the bare proxy", self.proxy_cpu_s_per_1000_answers, "s")?;
        if let Some(nginx) = self.nginx_cpu_s_per_1000_answers {
            figure(f, "  nginx", nginx, "s")?;
        }
        figure(f, "whole turns to the bare proxy", self.ratio_to_proxy, "x")?;
        figure(f, "completions, cache off, to it", self.completions_ratio_to_proxy, "x")?;
        figure(f, "  and without an embedder", self.gateway_ratio_to_proxy, "x")?;
        figure(f, "added first-token time, p50", self.added_first_token_p50_ms, "ms")?;
        figure(f, "added first-token time, p99", self.added_first_token_p99_ms, "ms")?;
        figure(f, "  the bare proxy, p50", self.proxy_added_first_token_p50_ms, "ms")?;
        figure(f, "  the bare proxy, p99", self.proxy_added_first_token_p99_ms, "ms")?;
        figure(f, "memory per open stream", self.rss_kib_per_stream, "KiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(cpu: f64, p50: f64) -> Side {
        let first_token_ms = Quantiles { p50, p99: 2.0 * p50, ..Quantiles::default() };
        Side { cpu_s_per_1000_answers: cpu, first_token_ms, ..Side::default() }
    }

    fn run(scale: f64) -> TurnsRun {
        TurnsRun {
            backend_first_token_ms: Quantiles { p50: 200.0, p99: 400.0, ..Quantiles::default() },
            proxy: side(scale, 201.0),
            nginx: None,
            turns: side(3.0 * scale, 205.0),
            completions: side(2.0 * scale, 203.0),
            gateway: side(1.5 * scale, 202.0),
        }
    }

    #[test]
    fn ratios_are_taken_within_a_run_and_times_against_the_backend_alone() {
        let report = TurnsReport::new(1, 1, vec![run(1.0), run(10.0), run(2.0)]);
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        close(report.ratio_to_proxy, 3.0);
        close(report.completions_ratio_to_proxy, 2.0);
        close(report.gateway_ratio_to_proxy, 1.5);
        close(report.cpu_s_per_1000_answers, 6.0);
        close(report.added_first_token_p50_ms, 5.0);
        close(report.added_first_token_p99_ms, 10.0);
        assert_eq!(report.nginx_cpu_s_per_1000_answers, None);
    }
}

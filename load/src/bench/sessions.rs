//! `bench sessions`: the cost of an idle session that stays in memory, and whether other sessions
//! notice.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use anyhow::{Context as _, ensure};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::time::Instant;

use super::{
    Args,
    drive::{self, Counts, Window},
    report::figure,
};
use crate::{
    replay::{Api, Quantiles, Visitor},
    rig::{Folder, Pace, Service, visitors},
};

/// How many shoppers open sessions at the same time.
const AT_ONCE: usize = 64;
/// How many turns are measured before and after.
const PROBES: usize = 200;

#[derive(Clone, Debug, Serialize)]
pub struct SessionsReport {
    pub sessions: usize,
    /// From the server's own metrics, including the sessions of the probes.
    pub live: u64,
    pub errors: u64,
    pub opened_in_s: f64,
    pub rss_idle_kib: u64,
    pub rss_kib: u64,
    pub bytes_per_session: f64,
    /// A cached turn in a new session: without the other sessions, and with them.
    pub turn_before_ms: Quantiles,
    pub turn_beside_ms: Quantiles,
}

/// Opens the sessions, sends one message in each, and keeps them.
///
/// # Errors
/// If a process does not start or ends early.
pub async fn run(args: &Args, sessions: usize) -> anyhow::Result<SessionsReport> {
    ensure!(sessions > 0, "zero of what is measured");
    let backend = Service::backend(Pace::default()).await?;
    let folder = Folder::new()?;
    let mut server = args.server(&folder, &backend.url)?;
    server.set("SESSIONS__IDLE_TIMEOUT_S", 86_400);
    server.set("AUTH__ACCESS_TTL_S", 86_400);
    let server = server.start().await?;
    let api = Api::new(&server.url, drive::PATIENCE)?;
    let mut visitors = visitors(&api, AT_ONCE).await?;
    let probe = async |visitor: &mut Visitor| {
        let counts = RefCell::new(Counts::default());
        for _ in 0..PROBES {
            drive::one_cached_turn(&api, visitor, Window::always(), &counts).await;
        }
        counts.into_inner().total.quantiles()
    };
    let turn_before_ms = probe(&mut visitors[0]).await;
    let idle = server.process.usage()?;
    let (begun, next) = (Instant::now(), Cell::new(0));
    let counts = RefCell::new(Counts::default());
    let opened = visitors.iter_mut().map(|visitor| {
        let (api, next, counts) = (&api, &next, &counts);
        async move {
            while next.replace(next.get() + 1) < sessions {
                drive::one_cached_turn(api, visitor, Window::always(), counts).await;
            }
        }
    });
    join_all(opened).await;
    let opened_in_s = begun.elapsed().as_secs_f64();
    let usage = server.process.usage()?;
    let turn_beside_ms = probe(&mut visitors[0]).await;
    let metrics = api.http.get(api.url("/metrics")).send().await?.text().await?;
    server.stop().await;
    backend.stop().await;
    Ok(SessionsReport {
        sessions,
        live: gauge(&metrics, "rushdesk_sessions_live").context("no gauge of sessions")?,
        errors: counts.borrow().errors.values().sum(),
        opened_in_s,
        rss_idle_kib: idle.rss_kib,
        rss_kib: usage.rss_kib,
        bytes_per_session: usage.rss_kib.saturating_sub(idle.rss_kib) as f64 * 1024.0
            / sessions as f64,
        turn_before_ms,
        turn_beside_ms,
    })
}

fn gauge(metrics: &str, name: &str) -> Option<u64> {
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|value| value as u64)
}

impl fmt::Display for SessionsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} sessions with one answered message each, opened in {:.0} s",
            self.sessions, self.opened_in_s
        )?;
        figure(f, "held hot, as the server counts (with 400 of probes)", self.live as f64, "")?;
        figure(f, "errors", self.errors as f64, "")?;
        figure(f, "memory before", self.rss_idle_kib as f64 / 1024.0, "MiB")?;
        figure(f, "memory with all of them", self.rss_kib as f64 / 1024.0, "MiB")?;
        figure(f, "memory per session", self.bytes_per_session / 1024.0, "KiB")?;
        figure(f, "for 100,000 sessions, the idle server included", self.projected_mib(), "MiB")?;
        figure(f, "a cached turn before, p50", self.turn_before_ms.p50, "ms")?;
        figure(f, "a cached turn before, p99", self.turn_before_ms.p99, "ms")?;
        figure(f, "a cached turn beside them, p50", self.turn_beside_ms.p50, "ms")?;
        figure(f, "a cached turn beside them, p99", self.turn_beside_ms.p99, "ms")
    }
}

impl SessionsReport {
    fn projected_mib(&self) -> f64 {
        (self.rss_idle_kib as f64 + self.bytes_per_session / 1024.0 * 100_000.0) / 1024.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_read_past_its_help() {
        let metrics = "# HELP rushdesk_sessions_live session actors\n# TYPE rushdesk_sessions_live gauge\nrushdesk_sessions_live 42\n";
        assert_eq!(gauge(metrics, "rushdesk_sessions_live"), Some(42));
        assert_eq!(gauge(metrics, "rushdesk_other"), None);
    }
}

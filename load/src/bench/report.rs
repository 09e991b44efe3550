//! The figures of the runs, and their medians.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::drive::Counts;
use crate::{replay::Quantiles, rig::Usage};

/// The results of one server in one window.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Side {
    pub answers: u64,
    pub answers_by_route: BTreeMap<String, u64>,
    pub errors: BTreeMap<String, u64>,
    pub cpu_s: f64,
    pub cpu_s_per_1000_answers: f64,
    /// Share of its core that the server used.
    pub busy: f64,
    pub rss_idle_kib: u64,
    pub rss_loaded_kib: u64,
    /// Memory that the load added, including sessions that stay in memory.
    pub rss_kib_per_stream: f64,
    pub first_token_ms: Quantiles,
}

impl Side {
    /// `usage`: at the start, in the middle and at the end of the window.
    pub fn new(
        counts: Counts,
        idle: Usage,
        usage: [Usage; 3],
        seconds: f64,
        streams: usize,
    ) -> Self {
        let cpu_s = usage[2].cpu_s - usage[0].cpu_s;
        let rss_loaded_kib = usage.map(|usage| usage.rss_kib).into_iter().max().unwrap_or(0);
        Self {
            answers: counts.answers,
            answers_by_route: counts.by_route,
            errors: counts.errors,
            cpu_s,
            cpu_s_per_1000_answers: cpu_s * 1000.0 / (counts.answers.max(1) as f64),
            busy: cpu_s / seconds,
            rss_idle_kib: idle.rss_kib,
            rss_loaded_kib,
            rss_kib_per_stream: rss_loaded_kib.saturating_sub(idle.rss_kib) as f64 / streams as f64,
            first_token_ms: counts.first_token.quantiles(),
        }
    }

    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Answers by this route per CPU-second of the server.
    pub fn per_cpu_s(&self, route: &str) -> f64 {
        let count = self.answers_by_route.get(route).copied().unwrap_or(0);
        if self.cpu_s > 0.0 { count as f64 / self.cpu_s } else { 0.0 }
    }

    /// Share of the answers by this route.
    pub fn share(&self, route: &str) -> f64 {
        let count = self.answers_by_route.get(route).copied().unwrap_or(0);
        count as f64 / self.answers.max(1) as f64
    }
}

/// The middle value, or the mean of the two middle values. 0 without values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => 0.0,
        (len, half) if len % 2 == 0 => f64::midpoint(values[half - 1], values[half]),
        (_, half) => values[half],
    }
}

/// The header of a table of [`Side`]s.
pub fn heading(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{:<4} {:<14} {:>8} {:>7} {:>12} {:>6} {:>10} {:>10} {:>9} {:>10}",
        "run",
        "server",
        "answers",
        "errors",
        "CPU-s/1000",
        "busy",
        "ttft p50",
        "ttft p99",
        "RSS MiB",
        "KiB/stream"
    )
}

/// One row of the table. Routes and errors get extra lines if they are informative.
pub fn row(f: &mut fmt::Formatter<'_>, run: usize, name: &str, side: &Side) -> fmt::Result {
    writeln!(
        f,
        "{run:<4} {name:<14} {:>8} {:>7} {:>12.2} {:>5.0}% {:>10.1} {:>10.1} {:>9.1} {:>10.1}",
        side.answers,
        side.error_count(),
        side.cpu_s_per_1000_answers,
        side.busy * 100.0,
        side.first_token_ms.p50,
        side.first_token_ms.p99,
        side.rss_loaded_kib as f64 / 1024.0,
        side.rss_kib_per_stream,
    )?;
    if side.answers_by_route.keys().any(|route| route != "completion") {
        writeln!(f, "     routes {:?}", side.answers_by_route)?;
    }
    if side.error_count() > 0 {
        writeln!(f, "     errors {:?}", side.errors)?;
    }
    Ok(())
}

/// One figure at the end of a report.
pub fn figure(f: &mut fmt::Formatter<'_>, name: &str, value: f64, unit: &str) -> fmt::Result {
    writeln!(f, "  {name:<56} {value:>10.2} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_few_values() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_side_takes_its_time_and_memory_from_the_window() {
        let usage = |cpu_s, rss_kib| Usage { cpu_s, rss_kib };
        let counts = Counts { answers: 500, ..Counts::default() };
        let window = [usage(10.0, 2_000), usage(10.5, 3_000), usage(11.0, 2_500)];
        let side = Side::new(counts, usage(1.0, 1_000), window, 10.0, 100);
        assert!((side.cpu_s_per_1000_answers - 2.0).abs() < 1e-9);
        assert!((side.rss_kib_per_stream - 20.0).abs() < 1e-9);
        assert!((side.busy - 0.1).abs() < 1e-9);
    }
}

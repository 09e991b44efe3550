//! The figures of the runs, and their medians.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{drive::Counts, process::Usage};
use crate::replay::Quantiles;

/// What one server did in one window.
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
    /// What the load added, sessions that stay hot included.
    pub rss_kib_per_stream: f64,
    pub first_token_ms: Quantiles,
}

impl Side {
    /// `usage`: when the window opened, in its middle and when it closed.
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

    fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// One run of `bench turns`: the same load on the backend alone, through the proxy and on Rushdesk.
#[derive(Clone, Debug, Serialize)]
pub struct TurnsRun {
    pub backend_first_token_ms: Quantiles,
    pub proxy: Side,
    pub rushdesk: Side,
}

#[derive(Clone, Debug, Serialize)]
pub struct TurnsReport {
    pub streams: usize,
    pub seconds: u64,
    pub runs: Vec<TurnsRun>,
    pub cpu_s_per_1000_answers: f64,
    pub proxy_cpu_s_per_1000_answers: f64,
    /// Of the two, in the same run.
    pub ratio_to_proxy: f64,
    pub added_first_token_p50_ms: f64,
    pub added_first_token_p99_ms: f64,
    pub proxy_added_first_token_p50_ms: f64,
    pub proxy_added_first_token_p99_ms: f64,
    pub rss_kib_per_stream: f64,
    pub answers: u64,
    pub errors: u64,
}

/// The middle value; of an even number the mean of the middle two. 0 for none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => 0.0,
        (len, half) if len % 2 == 0 => f64::midpoint(values[half - 1], values[half]),
        (_, half) => values[half],
    }
}

impl TurnsReport {
    pub fn new(streams: usize, seconds: u64, runs: Vec<TurnsRun>) -> Self {
        let middle = |of: &dyn Fn(&TurnsRun) -> f64| median(runs.iter().map(of).collect());
        let added = |side: &Quantiles, run: &TurnsRun, of: &dyn Fn(&Quantiles) -> f64| {
            of(side) - of(&run.backend_first_token_ms)
        };
        let (p50, p99) = (&|q: &Quantiles| q.p50, &|q: &Quantiles| q.p99);
        Self {
            streams,
            seconds,
            cpu_s_per_1000_answers: middle(&|run| run.rushdesk.cpu_s_per_1000_answers),
            proxy_cpu_s_per_1000_answers: middle(&|run| run.proxy.cpu_s_per_1000_answers),
            ratio_to_proxy: middle(&|run| {
                run.rushdesk.cpu_s_per_1000_answers / run.proxy.cpu_s_per_1000_answers
            }),
            added_first_token_p50_ms: middle(&|run| added(&run.rushdesk.first_token_ms, run, p50)),
            added_first_token_p99_ms: middle(&|run| added(&run.rushdesk.first_token_ms, run, p99)),
            proxy_added_first_token_p50_ms: middle(&|run| {
                added(&run.proxy.first_token_ms, run, p50)
            }),
            proxy_added_first_token_p99_ms: middle(&|run| {
                added(&run.proxy.first_token_ms, run, p99)
            }),
            rss_kib_per_stream: middle(&|run| run.rushdesk.rss_kib_per_stream),
            answers: runs.iter().map(|run| run.rushdesk.answers).sum(),
            errors: runs.iter().map(|run| run.rushdesk.error_count()).sum(),
            runs,
        }
    }
}

impl fmt::Display for TurnsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} streams, {} s a window", self.streams, self.seconds)?;
        writeln!(
            f,
            "{:<4} {:<10} {:>8} {:>7} {:>12} {:>6} {:>10} {:>10} {:>9} {:>10}",
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
        )?;
        for (number, run) in self.runs.iter().enumerate() {
            let backend = &run.backend_first_token_ms;
            writeln!(
                f,
                "{:<4} {:<10} {:>8} {:>7} {:>12} {:>6} {:>10.1} {:>10.1}",
                number + 1,
                "backend",
                backend.count,
                "",
                "",
                "",
                backend.p50,
                backend.p99
            )?;
            for (name, side) in [("proxy", &run.proxy), ("rushdesk", &run.rushdesk)] {
                writeln!(
                    f,
                    "{:<4} {:<10} {:>8} {:>7} {:>12.2} {:>5.0}% {:>10.1} {:>10.1} {:>9.1} {:>10.1}",
                    number + 1,
                    name,
                    side.answers,
                    side.error_count(),
                    side.cpu_s_per_1000_answers,
                    side.busy * 100.0,
                    side.first_token_ms.p50,
                    side.first_token_ms.p99,
                    side.rss_loaded_kib as f64 / 1024.0,
                    side.rss_kib_per_stream,
                )?;
            }
            writeln!(f, "     routes {:?}", run.rushdesk.answers_by_route)?;
            if run.rushdesk.error_count() > 0 {
                writeln!(f, "     errors {:?}", run.rushdesk.errors)?;
            }
        }
        writeln!(f, "medians")?;
        let mut row =
            |name: &str, value: f64, unit: &str| writeln!(f, "  {name:<44} {value:>8.2} {unit}");
        row("CPU of the server per 1,000 answers", self.cpu_s_per_1000_answers, "s")?;
        row("the same of the bare proxy", self.proxy_cpu_s_per_1000_answers, "s")?;
        row("ratio", self.ratio_to_proxy, "x")?;
        row("added first-token time, p50", self.added_first_token_p50_ms, "ms")?;
        row("added first-token time, p99", self.added_first_token_p99_ms, "ms")?;
        row("the same of the bare proxy, p50", self.proxy_added_first_token_p50_ms, "ms")?;
        row("the same of the bare proxy, p99", self.proxy_added_first_token_p99_ms, "ms")?;
        row("memory per open stream", self.rss_kib_per_stream, "KiB")
    }
}

/// `bench hits`: one cached answer, streamed as whole turns.
#[derive(Clone, Debug, Serialize)]
pub struct HitsReport {
    pub streams: usize,
    pub seconds: u64,
    pub runs: Vec<Side>,
    pub exact_hits_per_cpu_s: f64,
    /// Of all answers.
    pub exact_share: f64,
}

impl HitsReport {
    pub fn new(streams: usize, seconds: u64, runs: Vec<Side>) -> Self {
        let exact = |side: &Side| side.answers_by_route.get("exact").copied().unwrap_or(0) as f64;
        let per_cpu = |side: &Side| if side.cpu_s > 0.0 { exact(side) / side.cpu_s } else { 0.0 };
        let all: u64 = runs.iter().map(|side| side.answers).sum();
        Self {
            streams,
            seconds,
            exact_hits_per_cpu_s: median(runs.iter().map(per_cpu).collect()),
            exact_share: runs.iter().map(exact).sum::<f64>() / (all.max(1) as f64),
            runs,
        }
    }
}

impl fmt::Display for HitsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} streams, {} s a window", self.streams, self.seconds)?;
        for (number, side) in self.runs.iter().enumerate() {
            writeln!(
                f,
                "run {}: {} answers {:?}, {} errors, {:.2} CPU-s ({:.0}% of the core), first token p50 {:.1} p99 {:.1} ms",
                number + 1,
                side.answers,
                side.answers_by_route,
                side.error_count(),
                side.cpu_s,
                side.busy * 100.0,
                side.first_token_ms.p50,
                side.first_token_ms.p99,
            )?;
        }
        writeln!(
            f,
            "exact hits per CPU-s of the server, median: {:.0}",
            self.exact_hits_per_cpu_s
        )?;
        writeln!(f, "share of answers from the exact cache: {:.1} %", self.exact_share * 100.0)
    }
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

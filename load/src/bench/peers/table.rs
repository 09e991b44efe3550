//! The table of the peers.

use std::fmt;

use serde::Serialize;

use crate::{
    bench::report::{Side, heading, median, row},
    replay::Quantiles,
    surge::profile::Phase,
};

/// One server under this load.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: String,
    pub side: Side,
    /// Requests that reached the backend in the meantime, including the time before the window.
    pub upstream: u64,
}

/// A burst of 160 a second for half a minute on a backend with 11.6 answers a second.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Day {
    pub name: String,
    /// Shoppers in the burst.
    pub offered: u64,
    /// Whole answers of the model within the patience of the shoppers, and those from cache or
    /// knowledge.
    pub by_model: u64,
    pub without_model: u64,
    /// Tickets, which are a promise and not an answer.
    pub tickets: u64,
    /// 429 or 503, also as a frame of the stream.
    pub refused: u64,
    /// Other errors, and streams without an end.
    pub broken: u64,
    /// Shoppers who left without a whole answer.
    pub left: u64,
    /// Shoppers after the burst, and how many of them were answered in time.
    pub after: u64,
    pub after_answered: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub backend_first_token_ms: Quantiles,
    pub streamed: Vec<Row>,
    pub cached: Vec<Row>,
    pub days: Vec<Day>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PeersReport {
    pub streams: usize,
    pub seconds: u64,
    pub versions: Vec<String>,
    pub runs: Vec<Run>,
}

impl Day {
    /// `end`: the route or the error; none if the shopper left.
    pub fn count(&mut self, phase: Phase, end: Option<Result<String, String>>) {
        let is_answered = matches!(&end, Some(Ok(route)) if route != "template");
        match phase {
            Phase::Before => return,
            Phase::After => {
                self.after += 1;
                self.after_answered += u64::from(is_answered);
                return;
            }
            Phase::Burst => self.offered += 1,
        }
        match end.as_ref().map(|end| end.as_deref().map_err(String::as_str)) {
            Some(Ok("completion" | "model")) => self.by_model += 1,
            Some(Ok("template")) => self.tickets += 1,
            Some(Ok(_)) => self.without_model += 1,
            Some(Err("http_429" | "http_503" | "overloaded" | "rate_limited")) => self.refused += 1,
            Some(Err(_)) => self.broken += 1,
            None => self.left += 1,
        }
    }
}

impl PeersReport {
    /// The medians of one table, in the order of its rows.
    fn medians(
        &self,
        rows: impl Fn(&Run) -> &[Row],
        of: impl Fn(&Run, &Side) -> f64,
    ) -> Vec<(String, f64)> {
        let Some(first) = self.runs.first() else { return Vec::new() };
        let names = rows(first).iter().map(|row| row.name.clone()).enumerate();
        let value = |at: usize, run: &Run| rows(run).get(at).map(|row| of(run, &row.side));
        names
            .map(|(at, name)| {
                (name, median(self.runs.iter().filter_map(|run| value(at, run)).collect()))
            })
            .collect()
    }
}

impl fmt::Display for PeersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.versions.join("; "))?;
        writeln!(
            f,
            "each alone on core 0, load and simulated backend on core 1; {} streams in a closed loop, {} s a window;
60 tokens, the first after 200 ms, then one each 20 ms; POST /v1/chat/completions with a key for all.
LiteLLM: one worker, no database, LITELLM_MODE=PRODUCTION, errors logged only, cache of type local where one is on.
nginx: one process, keep-alive, proxy_buffering off. Rushdesk: its defaults without limits; `plain` has no cache and no
embedder, `turns` are whole turns with sessions, retrieval and a journal on disk.",
            self.streams, self.seconds
        )?;
        heading(f)?;
        for (number, run) in self.runs.iter().enumerate() {
            for line in run.streamed.iter().chain(&run.cached) {
                row(f, number + 1, &line.name, &line.side)?;
            }
        }
        writeln!(f, "\nmedians: streamed answers, each question its own")?;
        let cpu = self.medians(
            |run| &run.streamed,
            |_, side| if side.answers > 0 { side.cpu_s_per_1000_answers } else { 0.0 },
        );
        let added = |of: fn(&Quantiles) -> f64| {
            self.medians(
                |run| &run.streamed,
                move |run, side| of(&side.first_token_ms) - of(&run.backend_first_token_ms),
            )
        };
        let (p50, p99) = (added(|q| q.p50), added(|q| q.p99));
        for (((name, cpu), (_, p50)), (_, p99)) in cpu.into_iter().zip(p50).zip(p99) {
            if cpu == 0.0 {
                writeln!(f, "  {name:<18} no answer")?;
                continue;
            }
            writeln!(
                f,
                "  {name:<18} {cpu:>8.2} CPU-s per 1,000, first token + {p50:.1} / {p99:.1} ms (p50 / p99)"
            )?;
        }
        writeln!(f, "medians: the same question from the cache")?;
        let hits = |_: &Run, side: &Side| {
            if side.cpu_s > 0.0 { side.answers as f64 / side.cpu_s } else { 0.0 }
        };
        for (at, (name, hits)) in self.medians(|run| &run.cached, hits).into_iter().enumerate() {
            let upstream: u64 =
                self.runs.iter().filter_map(|run| Some(run.cached.get(at)?.upstream)).sum();
            writeln!(
                f,
                "  {name:<18} {hits:>8.0} answers per CPU-s ({upstream} requests reached the backend)"
            )?;
        }
        for (number, run) in self.runs.iter().enumerate() {
            for day in &run.days {
                writeln!(
                    f,
                    "surge {} {:<10} of {} in the burst: {} by the model in time, {} from knowledge or cache, {} tickets, {} refused, {} broken, {} left; after it {} of {} answered",
                    number + 1,
                    day.name,
                    day.offered,
                    day.by_model,
                    day.without_model,
                    day.tickets,
                    day.refused,
                    day.broken,
                    day.left,
                    day.after_answered,
                    day.after
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoppers_are_counted_by_phase_and_end() {
        let mut day = Day::default();
        for (phase, end) in [
            (Phase::Before, None),
            (Phase::Burst, Some(Ok("completion"))),
            (Phase::Burst, Some(Ok("model"))),
            (Phase::Burst, Some(Ok("knowledge"))),
            (Phase::Burst, Some(Ok("template"))),
            (Phase::Burst, Some(Err("http_503"))),
            (Phase::Burst, Some(Err("overloaded"))),
            (Phase::Burst, Some(Err("connection"))),
            (Phase::Burst, None),
            (Phase::After, Some(Ok("template"))),
            (Phase::After, Some(Ok("model"))),
        ] {
            day.count(phase, end.map(|end| end.map(str::to_owned).map_err(str::to_owned)));
        }
        let burst =
            [day.by_model, day.without_model, day.tickets, day.refused, day.broken, day.left];
        assert_eq!((day.offered, burst), (8, [2, 1, 1, 2, 1, 1]));
        assert_eq!((day.after, day.after_answered), (2, 1));
    }

    #[test]
    fn the_table_has_a_line_for_each_server_and_its_median() {
        let row = |name: &str, cpu: f64| Row {
            name: name.into(),
            upstream: 0,
            side: Side { cpu_s_per_1000_answers: cpu, cpu_s: 2.0, answers: 10, ..Side::default() },
        };
        let run = |cpu| Run {
            backend_first_token_ms: Quantiles::default(),
            streamed: vec![row("nginx", cpu), row("LiteLLM", 70.0 * cpu)],
            cached: vec![row("LiteLLM", 1.0)],
            days: vec![Day { name: "nginx".into(), offered: 9, ..Day::default() }],
        };
        let report = PeersReport {
            streams: 10,
            seconds: 5,
            versions: vec!["a 1".into()],
            runs: vec![run(3.0), run(1.0), run(2.0)],
        };
        let text = report.to_string();
        for words in [
            "nginx                  2.00 CPU-s",
            "140.00 CPU-s",
            "5 answers per CPU-s",
            "surge 3 nginx",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}

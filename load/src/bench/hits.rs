//! `bench hits`: cached answers per CPU-second of the server, and new wordings compared with the
//! model alone.

use std::fmt;

use serde::Serialize;

use super::{
    Args,
    alone::ModelAlone,
    drive::{Accept, Questions},
    report::{Side, figure, heading, median, row},
};
use crate::rig::{Pace, Service};

#[derive(Clone, Debug, Serialize)]
pub struct HitsRun {
    pub streamed: Side,
    pub json: Side,
    /// The same question in new wordings.
    pub wordings: Side,
    /// The throughput of the embedding model alone on the server's core; absent without a model.
    pub alone: Option<ModelAlone>,
}

pub async fn run(args: &Args) -> anyhow::Result<HitsRun> {
    let backend = Service::backend(Pace::default()).await?;
    let streamed = args.shoppers(&backend.url, (Questions::One, Accept::Stream)).await?;
    let json = args.shoppers(&backend.url, (Questions::One, Accept::Json)).await?;
    let wordings = args.shoppers(&backend.url, (Questions::Wordings, Accept::Stream)).await?;
    let alone = ModelAlone::measure(args.seconds).await?;
    backend.stop().await;
    Ok(HitsRun { streamed, json, wordings, alone })
}

#[derive(Clone, Debug, Serialize)]
pub struct HitsReport {
    pub streams: usize,
    pub seconds: u64,
    pub exact_hits_per_cpu_s: f64,
    pub exact_json_hits_per_cpu_s: f64,
    /// Share of all answers to the one question.
    pub exact_share: f64,
    pub semantic_hits_per_cpu_s: f64,
    /// Share of all answers to its wordings. The others matched an earlier wording exactly, or were
    /// not recognised.
    pub semantic_share: f64,
    pub texts_per_cpu_s_alone: Option<f64>,
    pub semantic_to_alone: Option<f64>,
    pub runs: Vec<HitsRun>,
}

impl HitsReport {
    pub fn new(streams: usize, seconds: u64, runs: Vec<HitsRun>) -> Self {
        let middle = |of: &dyn Fn(&HitsRun) -> f64| median(runs.iter().map(of).collect());
        let of_alone = |of: &dyn Fn(&HitsRun, &ModelAlone) -> f64| {
            let values: Vec<f64> =
                runs.iter().filter_map(|run| Some(of(run, run.alone.as_ref()?))).collect();
            (!values.is_empty()).then(|| median(values))
        };
        let semantic = |run: &HitsRun| run.wordings.per_cpu_s("semantic");
        Self {
            streams,
            seconds,
            exact_hits_per_cpu_s: middle(&|run| run.streamed.per_cpu_s("exact")),
            exact_json_hits_per_cpu_s: middle(&|run| run.json.per_cpu_s("exact")),
            exact_share: middle(&|run| run.streamed.share("exact")),
            semantic_hits_per_cpu_s: middle(&semantic),
            semantic_share: middle(&|run| run.wordings.share("semantic")),
            texts_per_cpu_s_alone: of_alone(&|_, alone| alone.best()),
            semantic_to_alone: of_alone(&|run, alone| semantic(run) / alone.best()),
            runs,
        }
    }
}

impl fmt::Display for HitsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} streams, {} s a window", self.streams, self.seconds)?;
        heading(f)?;
        for (number, run) in self.runs.iter().enumerate() {
            let number = number + 1;
            row(f, number, "one, streamed", &run.streamed)?;
            row(f, number, "one, JSON", &run.json)?;
            row(f, number, "wordings", &run.wordings)?;
            if let Some(ModelAlone { one_by_one, in_batches }) = run.alone {
                writeln!(
                    f,
                    "{number:<4} model alone: {one_by_one:.0} texts per CPU-s one by one, {in_batches:.0} in batches"
                )?;
            }
        }
        writeln!(f, "medians")?;
        figure(f, "exact hits, streamed, per CPU-s", self.exact_hits_per_cpu_s, "/s")?;
        figure(f, "exact hits, JSON, per CPU-s", self.exact_json_hits_per_cpu_s, "/s")?;
        figure(f, "share of exact hits", self.exact_share * 100.0, "%")?;
        figure(f, "semantic hits of new wordings per CPU-s", self.semantic_hits_per_cpu_s, "/s")?;
        figure(f, "share of semantic hits", self.semantic_share * 100.0, "%")?;
        match (self.texts_per_cpu_s_alone, self.semantic_to_alone) {
            (Some(alone), Some(ratio)) => {
                figure(f, "the model alone, its better way", alone, "/s")?;
                figure(f, "semantic hits to the model alone", ratio * 100.0, "%")
            }
            _ => writeln!(f, "  no model: `make model` first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn side(route: &str, count: u64, cpu_s: f64) -> Side {
        let answers_by_route = BTreeMap::from([(route.to_owned(), count)]);
        Side { answers: 2 * count, answers_by_route, cpu_s, ..Side::default() }
    }

    #[test]
    fn hits_are_counted_for_each_cpu_second_of_the_server() {
        let run = HitsRun {
            streamed: side("exact", 1000, 0.5),
            json: side("exact", 300, 0.1),
            wordings: side("semantic", 400, 1.0),
            alone: Some(ModelAlone { one_by_one: 400.0, in_batches: 500.0 }),
        };
        let report = HitsReport::new(1, 1, vec![run]);
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        close(report.exact_hits_per_cpu_s, 2000.0);
        close(report.exact_json_hits_per_cpu_s, 3000.0);
        close(report.exact_share, 0.5);
        close(report.semantic_hits_per_cpu_s, 400.0);
        close(report.semantic_to_alone.unwrap(), 0.8);
    }
}

//! Compares the model with a recorded sale day.

use std::{fmt, path::Path};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::erlang::{Queue, Steady};

/// The compared part of a surge's JSON.
#[derive(Deserialize)]
struct Report {
    capacity: f64,
    plan: Rates,
    model_answers_in_burst: u64,
    phases: BTreeMap<String, Phase>,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Rates {
    before_s: f64,
    burst_s: f64,
}

#[derive(Deserialize)]
struct Phase {
    offered: u64,
}

#[derive(Deserialize)]
struct Sample {
    at_s: f64,
    active: u64,
    queue_depth: u64,
}

/// The burst according to the model, and as recorded.
pub struct Check {
    queue: Queue,
    model: Steady,
    answered: f64,
    busy: f64,
    waiting: f64,
}

impl Check {
    /// # Errors
    /// If the file is not a report of `surge --json`, or no shopper came in its burst.
    pub fn of(path: &Path, patience_s: f64) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let report: Report = serde_json::from_slice(&text)
            .with_context(|| format!("{name} is not a report of `surge --json`"))?;
        Self::new(&report, patience_s)
    }

    fn new(report: &Report, patience_s: f64) -> anyhow::Result<Self> {
        ensure!(patience_s > 0.0, "--patience-s must be above 0");
        let offered = report.phases.get("burst").map_or(0, |phase| phase.offered) as f64;
        let end = report.plan.before_s + report.plan.burst_s;
        // The first seconds fill the slots and are not the steady state.
        let settled = report.plan.before_s + report.plan.burst_s / 4.0;
        let during: Vec<&Sample> =
            report.samples.iter().filter(|one| (settled..end).contains(&one.at_s)).collect();
        ensure!(offered > 0.0 && !during.is_empty(), "no shopper came in the burst of this report");
        let slots = during.iter().map(|one| one.active).max().unwrap_or(0).max(1);
        let mean = |of: fn(&Sample) -> u64| {
            during.iter().map(|one| of(one) as f64).sum::<f64>() / during.len() as f64
        };
        let queue = Queue {
            arrivals_per_s: offered / report.plan.burst_s,
            slots: usize::try_from(slots)?,
            answer_s: slots as f64 / report.capacity,
            patience_s,
        };
        Ok(Self {
            queue,
            model: queue.steady(),
            answered: report.model_answers_in_burst as f64 / offered,
            busy: mean(|one| one.active) / slots as f64,
            waiting: mean(|one| one.queue_depth),
        })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, model, .. } = self;
        writeln!(
            f,
            "{:.1} arrivals a second, {} slots, {:.2} s an answer, patience {:.1} s",
            queue.arrivals_per_s, queue.slots, queue.answer_s, queue.patience_s
        )?;
        writeln!(f, "                              model   measured")?;
        let answered = (1.0 - model.gives_up) * 100.0;
        writeln!(f, "answered by the model   {answered:>9.1} % {:>8.1} %", self.answered * 100.0)?;
        writeln!(
            f,
            "slots busy              {:>9.1} % {:>8.1} %",
            model.busy * 100.0,
            self.busy * 100.0
        )?;
        writeln!(f, "waiting, mean           {:>9.1}   {:>8.1}", model.queue, self.waiting)?;
        // Little's law, for the model and for the record.
        let wait = |queue_length: f64| queue_length / queue.arrivals_per_s;
        writeln!(
            f,
            "wait of all, mean       {:>9.1} s {:>8.1} s",
            wait(model.queue),
            wait(self.waiting)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_compared_with_the_model_of_its_burst() {
        let sample = |at_s, active, queue_depth| Sample { at_s, active, queue_depth };
        let report = Report {
            capacity: 11.6,
            plan: Rates { before_s: 20.0, burst_s: 40.0 },
            model_answers_in_burst: 460,
            phases: BTreeMap::from([("burst".into(), Phase { offered: 6400 })]),
            samples: vec![
                sample(21.0, 1, 900),
                sample(31.0, 16, 100),
                sample(59.0, 16, 120),
                sample(70.0, 2, 0),
            ],
        };
        let check = Check::new(&report, 10.0).unwrap();
        assert_eq!(check.queue.slots, 16);
        assert!((check.answered - 460.0 / 6400.0).abs() < 1e-9);
        assert!((check.busy - 1.0).abs() < 1e-9 && (check.waiting - 110.0).abs() < 1e-9);
        // 11.6 of 160 a second.
        assert!((1.0 - check.model.gives_up - 0.0725).abs() < 0.001);
        assert!(Check::new(&Report { samples: Vec::new(), ..report }, 10.0).is_err());
    }
}

//! One line for each mode.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::judge::Findings;
use crate::chaos::fault::Mode;

pub struct Round {
    pub mode: Mode,
    pub seed: u64,
    /// Of the shoppers.
    pub took: Duration,
    /// From the last shopper to the last change of which it is known what became of it.
    pub settled_after: Duration,
    pub kills: BTreeMap<&'static str, u32>,
    pub findings: Findings,
}

impl Round {
    pub fn has_failed(&self) -> bool {
        self.findings.has_failed()
    }
}

pub fn heading() -> String {
    format!(
        "{:<12} {:>6} {:>9} {:>6} {:>6} {:>7} {:>5} {:>8} {:>11} {:>5} {:>7} {:>6} {:>7} {:>7}  kills",
        "mode",
        "seed",
        "confirmed",
        "done",
        "failed",
        "doubted",
        "twice",
        "repeated",
        "unconfirmed",
        "lost",
        "differs",
        "no yes",
        "minutes",
        "settled"
    )
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.findings;
        let kills: Vec<String> =
            self.kills.iter().map(|(part, count)| format!("{part} {count}")).collect();
        writeln!(
            f,
            "{:<12} {:>6} {:>9} {:>6} {:>6} {:>7} {:>5} {:>8} {:>11} {:>5} {:>7} {:>6} {:>7.1} {:>5.0} s  {}",
            self.mode.to_string(),
            self.seed,
            found.confirmed,
            found.done,
            found.failed,
            found.doubted,
            found.twice,
            found.repeated,
            found.unconfirmed,
            found.lost,
            found.contradicted,
            found.untaken,
            self.took.as_secs_f64() / 60.0,
            self.settled_after.as_secs_f64(),
            kills.join(", ")
        )?;
        found.examples.iter().try_for_each(|example| writeln!(f, "    {example}"))
    }
}

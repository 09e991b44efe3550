//! What was acknowledged, what was found, and how long it took to come back.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::fault::{Fault, Mode};
use crate::replay::Report;

#[derive(Clone, Debug, Serialize)]
pub struct Round {
    pub mode: Mode,
    pub fault: Fault,
    pub seed: u64,
    /// From the start of the load to the strike.
    pub struck_after_ms: u64,
    pub replay: Report,
    /// Questions of a shopper who kept asking while it was broken: answered, and all.
    pub answered_meanwhile: u64,
    pub asked_meanwhile: u64,
    /// From the moment at which it was put back to the first answer to a new question; `None`: none in time.
    pub recovered_s: Option<f64>,
    /// What went wrong with the round itself, such as a server that did not end in good order.
    pub trouble: Option<String>,
}

impl Round {
    pub fn has_failed(&self) -> bool {
        let replay = &self.replay;
        let unseen = replay.server_gone || replay.unverified > 0;
        replay.has_failed() || unseen || self.recovered_s.is_none() || self.trouble.is_some()
    }
}

/// Everything of one mode, looked for once more after all servers were started again.
#[derive(Clone, Debug, Serialize)]
pub struct Last {
    pub mode: Mode,
    pub replay: Report,
}

impl Last {
    pub fn has_failed(&self) -> bool {
        self.replay.has_failed() || self.replay.server_gone || self.replay.unverified > 0
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ChaosReport {
    pub seed: u64,
    pub rounds: Vec<Round>,
    pub last: Vec<Last>,
    /// Planned rounds that an earlier run did, and those of them that failed.
    pub done_before: usize,
    pub failed_before: usize,
    /// Faults that were not tried, with the reason.
    pub left_out: Vec<String>,
}

impl ChaosReport {
    pub fn has_failed(&self) -> bool {
        (self.rounds.is_empty() && self.done_before == 0)
            || self.failed_before > 0
            || self.rounds.iter().any(Round::has_failed)
            || self.last.iter().any(Last::has_failed)
    }
}

fn duplicated(replay: &Report) -> u64 {
    replay.duplicated + replay.foreign + replay.doubled_terminal
}

fn lost(replay: &Report) -> u64 {
    replay.lost + replay.altered + replay.answers_altered
}

/// What was read and is not in the final list.
fn contradicted(replay: &Report) -> u64 {
    replay.contradictions.values().sum()
}

pub fn heading() -> String {
    format!(
        "{:<12} {:<20} {:>6} {:>6} {:>6} {:>5} {:>5} {:>7} {:>5} {:>9} {:>10}",
        "mode",
        "fault",
        "seed",
        "acked",
        "found",
        "lost",
        "twice",
        "no end",
        "reads",
        "meanwhile",
        "back after"
    )
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replay = &self.replay;
        let back = self.recovered_s.map_or("never".to_owned(), |seconds| format!("{seconds:.1} s"));
        write!(
            f,
            "{:<12} {:<20} {:>6} {:>6} {:>6} {:>5} {:>5} {:>7} {:>5} {:>9} {:>10} {}",
            self.mode.to_string(),
            self.fault.to_string(),
            self.seed,
            replay.acknowledged,
            replay.found,
            lost(replay),
            duplicated(replay),
            replay.missing_terminal,
            contradicted(replay),
            format!("{}/{}", self.answered_meanwhile, self.asked_meanwhile),
            back,
            if self.has_failed() { "FAILED" } else { "ok" }
        )?;
        if self.has_failed() {
            write!(f, "\n    struck after {} ms", self.struck_after_ms)?;
            if let Some(trouble) = &self.trouble {
                write!(f, "\n    {trouble}")?;
            }
            let Report { errors, violations, contradictions, .. } = replay;
            write!(f, "\n    errors {errors:?}, violations {violations:?}")?;
            write!(f, "\n    readings that do not fit the final list {contradictions:?}")?;
            if replay.server_gone || replay.unverified > 0 {
                write!(f, "\n    {} messages could not be looked for", replay.unverified)?;
            }
            let mut findings = replay.findings.clone();
            findings.dedup();
            for finding in findings {
                write!(f, "\n    - {finding}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replay = &self.replay;
        write!(
            f,
            "{:<12} all once more, after a restart: acknowledged {}, found {}, lost {}, twice {}, without an end {} {}",
            self.mode.to_string(),
            replay.acknowledged,
            replay.found,
            lost(replay),
            duplicated(replay),
            replay.missing_terminal,
            if self.has_failed() { "FAILED" } else { "ok" }
        )?;
        for finding in replay.findings.iter().filter(|_| self.has_failed()) {
            write!(f, "\n    - {finding}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ChaosReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&Report) -> u64| -> u64 {
            self.rounds.iter().map(|round| of(&round.replay)).sum()
        };
        writeln!(f, "{} rounds, seed {}", self.rounds.len(), self.seed)?;
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "  {name:<34} {value}");
        row("messages acknowledged", &sum(|replay| replay.acknowledged))?;
        row("found again", &sum(|replay| replay.found))?;
        row("lost or altered", &sum(lost))?;
        row("there twice, or from nowhere", &sum(duplicated))?;
        row("turns without a terminal event", &sum(|replay| replay.missing_terminal))?;
        row("broken promises of the streams", &sum(|replay| replay.violations.values().sum()))?;
        row("readings that do not fit the list", &sum(contradicted))?;
        let mut slowest: BTreeMap<String, f64> = BTreeMap::new();
        for round in &self.rounds {
            let slow = slowest.entry(round.fault.to_string()).or_default();
            *slow = slow.max(round.recovered_s.unwrap_or(f64::INFINITY));
        }
        for (fault, seconds) in slowest {
            row(&format!("back after, at most: {fault}"), &format!("{seconds:.1} s"))?;
        }
        for reason in &self.left_out {
            row("left out", reason)?;
        }
        let failed = self.rounds.iter().filter(|round| round.has_failed()).count();
        row("rounds that failed", &failed)?;
        if self.done_before > 0 {
            let text = format!("{}, of which {} failed", self.done_before, self.failed_before);
            row("rounds of an earlier run", &text)?;
        }
        row("result", &if self.has_failed() { "FAILED" } else { "ok" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round() -> Round {
        Round {
            mode: Mode::Embedded,
            fault: Fault::ServerKilled,
            seed: 1,
            struck_after_ms: 500,
            replay: Report { acknowledged: 9, found: 9, ..Report::default() },
            answered_meanwhile: 1,
            asked_meanwhile: 4,
            recovered_s: Some(1.5),
            trouble: None,
        }
    }

    #[test]
    fn a_round_fails_for_loss_for_doubt_and_for_no_recovery() {
        assert!(!round().has_failed());
        let replay = Report { lost: 1, ..Report::default() };
        assert!(Round { replay, ..round() }.has_failed());
        let replay = Report { unverified: 1, ..Report::default() };
        assert!(Round { replay, ..round() }.has_failed());
        assert!(Round { recovered_s: None, ..round() }.has_failed());
        assert!(Round { trouble: Some("x".into()), ..round() }.has_failed());
    }

    #[test]
    fn a_report_without_rounds_proves_nothing() {
        assert!(ChaosReport::default().has_failed());
        let report = ChaosReport { rounds: vec![round()], ..ChaosReport::default() };
        assert!(!report.has_failed());
        let text = report.to_string();
        assert!(text.contains("server-killed") && text.contains("1.5 s"), "{text}");
        let replay = Report { missing_terminal: 1, ..Report::default() };
        let last = vec![Last { mode: Mode::Embedded, replay }];
        assert!(ChaosReport { last, ..report.clone() }.has_failed());
        let before = ChaosReport { done_before: 2, ..ChaosReport::default() };
        assert!(!before.has_failed());
        assert!(ChaosReport { failed_before: 1, ..before }.has_failed());
    }
}

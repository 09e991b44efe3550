//! One line for each round, in a file that outlives the run, so that an interrupted long form goes on where it stopped.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::Path,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::{
    fault::{Fault, Mode},
    plan::Planned,
    report::{Last, Round},
};
use crate::replay::{Contradiction, Report};

const MOST_FINDINGS: usize = 5;

/// What went wrong, by kind. Zeros are good news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Acknowledged messages that are not there as they were, and events that a reader saw and nobody finds.
    pub lost: u64,
    /// Messages, ends, events or pieces that came more than once, and messages from nowhere.
    pub duplicated: u64,
    /// Turns.
    pub without_end: u64,
    /// Numbers or pieces that were passed over.
    pub gaps: u64,
    /// `stream.reset` for positions that exist.
    pub valid_resets: u64,
    /// Answers, events and pages that differ from the list, and shown pieces that are not the completed text.
    pub different: u64,
    /// Anything else, such as a follower that never came to the end, or messages that could not be looked for.
    pub other: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Of the servers.
    pub commit: String,
    pub mode: Mode,
    /// `None`: everything once more, after the last round of a run.
    pub fault: Option<Fault>,
    pub seed: u64,
    /// Whether other processes took all cores, see `--busy`.
    pub busy: bool,
    /// Of the last minute, when the round was over.
    pub load_average: f64,
    pub acknowledged: u64,
    #[serde(flatten)]
    pub counts: Counts,
    /// `None`: never.
    pub back_after_s: Option<f64>,
    pub failed: bool,
    /// The first ones, without any text of a customer.
    pub findings: Vec<String>,
}

impl Counts {
    pub fn of(report: &Report) -> Self {
        let mut counts = Self {
            lost: report.lost + report.altered,
            duplicated: report.duplicated + report.foreign + report.doubled_terminal,
            without_end: report.missing_terminal,
            gaps: report.journal_gaps,
            valid_resets: 0,
            different: report.answers_altered,
            // The judge counts the same faults of the same streams.
            other: report.unverified + report.violations.values().sum::<u64>(),
        };
        for (what, count) in &report.contradictions {
            *counts.of_kind(*what) += count;
        }
        counts
    }

    fn of_kind(&mut self, what: Contradiction) -> &mut u64 {
        match what {
            Contradiction::AcknowledgedLost | Contradiction::EventGone => &mut self.lost,
            Contradiction::AcknowledgedTwice
            | Contradiction::SecondEnd
            | Contradiction::SeqBack
            | Contradiction::PieceRepeated => &mut self.duplicated,
            Contradiction::NoEnd => &mut self.without_end,
            Contradiction::ListGap | Contradiction::SeqGap | Contradiction::PieceLost => {
                &mut self.gaps
            }
            Contradiction::ValidPositionReset => &mut self.valid_resets,
            Contradiction::EventDiffers
            | Contradiction::PageDiffers
            | Contradiction::TextCutShort
            | Contradiction::TextDiffers => &mut self.different,
            Contradiction::TurnsOverlap
            | Contradiction::PieceOutOfPlace
            | Contradiction::SessionDenied
            | Contradiction::FellBehind
            | Contradiction::ForeignSession
            | Contradiction::BadFrame => &mut self.other,
        }
    }
}

impl Record {
    pub fn of_round(round: &Round, commit: &str, busy: bool) -> Self {
        let Round { mode, fault, seed, replay, .. } = round;
        Self {
            fault: Some(*fault),
            seed: *seed,
            back_after_s: round.recovered_s,
            failed: round.has_failed(),
            findings: round.trouble.iter().chain(&replay.findings).cloned().collect(),
            ..Self::of_report(*mode, replay, commit, busy)
        }
        .shortened()
    }

    /// `seed`: of the run.
    pub fn of_last(last: &Last, seed: u64, commit: &str, busy: bool) -> Self {
        let Last { mode, replay } = last;
        let failed = last.has_failed();
        Self { seed, failed, ..Self::of_report(*mode, replay, commit, busy) }.shortened()
    }

    fn of_report(mode: Mode, report: &Report, commit: &str, busy: bool) -> Self {
        Self {
            commit: commit.to_owned(),
            mode,
            fault: None,
            seed: 0,
            busy,
            load_average: load_average(),
            acknowledged: report.acknowledged,
            counts: Counts::of(report),
            back_after_s: None,
            failed: false,
            findings: report.findings.clone(),
        }
    }

    fn shortened(mut self) -> Self {
        self.findings.dedup();
        self.findings.truncate(MOST_FINDINGS);
        self
    }

    /// Whether this is the round that is planned.
    pub fn is_of(&self, planned: Planned, commit: &str, busy: bool) -> bool {
        let Planned { mode, fault, seed } = planned;
        self.commit == commit
            && (self.mode, self.fault, self.seed, self.busy) == (mode, Some(fault), seed, busy)
    }

    /// Adds it to the file and waits for the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, path: &Path) -> anyhow::Result<()> {
        // A run that was killed may have left half a line.
        let is_torn =
            std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|b| *b != b'\n'));
        let line = serde_json::to_string(self)?;
        let line = format!("{}{line}\n", if is_torn { "\n" } else { "" });
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// All records of a file; none where there is no file. Half a line is passed over, and its round is done again.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
pub mod tests {
    use std::{collections::BTreeMap, path::PathBuf};

    use super::*;

    pub fn record(fault: Fault, seed: u64, counts: Counts) -> Record {
        Record {
            commit: "abc".into(),
            mode: Mode::Distributed,
            fault: Some(fault),
            seed,
            busy: false,
            load_average: 0.5,
            acknowledged: 20,
            counts,
            back_after_s: Some(1.5),
            failed: counts != Counts::default(),
            findings: Vec::new(),
        }
    }

    fn file() -> PathBuf {
        std::env::temp_dir().join(format!("rushdesk-load-chaos-{}.jsonl", uuid::Uuid::new_v4()))
    }

    #[test]
    fn lines_are_read_back_and_half_a_line_is_passed_over() {
        let path = file();
        assert_eq!(read(&path).unwrap(), []);
        let counts = Counts { lost: 1, ..Counts::default() };
        let records = [record(Fault::RedisKilled, 1, counts), record(Fault::SqlKilled, 2, counts)];
        records[0].append(&path).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_within(..20);
        std::fs::write(&path, bytes).unwrap();
        records[1].append(&path).unwrap();
        assert_eq!(read(&path).unwrap(), records);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_round_is_done_only_for_the_same_commit_seed_and_load() {
        let record = record(Fault::RedisKilled, 7, Counts::default());
        let planned = Planned { mode: Mode::Distributed, fault: Fault::RedisKilled, seed: 7 };
        assert!(record.is_of(planned, "abc", false));
        assert!(!record.is_of(planned, "abd", false));
        assert!(!record.is_of(planned, "abc", true));
        assert!(!record.is_of(Planned { seed: 8, ..planned }, "abc", false));
        assert!(!record.is_of(Planned { fault: Fault::SqlKilled, ..planned }, "abc", false));
        assert!(!Record { fault: None, ..record }.is_of(planned, "abc", false));
    }

    #[test]
    fn each_fault_of_a_report_is_counted_under_its_kind() {
        let contradictions = BTreeMap::from([
            (Contradiction::EventGone, 1),
            (Contradiction::PieceRepeated, 2),
            (Contradiction::PieceLost, 3),
            (Contradiction::ValidPositionReset, 4),
            (Contradiction::TextCutShort, 5),
            (Contradiction::FellBehind, 6),
        ]);
        let report = Report { lost: 10, missing_terminal: 7, contradictions, ..Report::default() };
        let expected = Counts {
            lost: 11,
            duplicated: 2,
            without_end: 7,
            gaps: 3,
            valid_resets: 4,
            different: 5,
            other: 6,
        };
        assert_eq!(Counts::of(&report), expected);
    }
}

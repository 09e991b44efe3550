//! The counts of a replay, as text and as JSON.

use std::{collections::BTreeMap, fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{check::Violation, judge::Contradiction};

/// Times in microseconds with three significant digits, up to ten minutes.
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        // The bounds are constants that the library accepts.
        #[expect(clippy::expect_used, reason = "constant bounds")]
        Self(Histogram::new_with_bounds(1, 600_000_000, 3).expect("valid bounds"))
    }
}

/// In milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latency {
    pub fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub fn quantiles(&self) -> Quantiles {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e3;
        if self.0.is_empty() {
            return Quantiles::default();
        }
        Quantiles {
            count: self.0.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: self.0.max() as f64 / 1e3,
        }
    }
}

/// Counts while the replay runs.
#[derive(Default)]
pub struct Tally {
    pub report: Report,
    pub first_token: Latency,
    pub total: Latency,
}

impl Tally {
    pub fn count_error(&mut self, code: &str) {
        let code = if code.is_empty() { "unknown" } else { code };
        *self.report.errors.entry(code.to_owned()).or_default() += 1;
    }

    pub fn finish(self, elapsed: Duration) -> Report {
        let mut report = self.report;
        report.first_token_ms = self.first_token.quantiles();
        report.total_ms = self.total.quantiles();
        report.elapsed_s = elapsed.as_secs_f64();
        report
    }
}

/// The result. Counts of zero are good news from `lost` down to `contradictions`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    pub conversations: u64,
    pub turns: u64,
    pub answers_by_route: BTreeMap<String, u64>,
    /// Refusals (including those that passed later), failed turns and broken connections, by code.
    pub errors: BTreeMap<String, u64>,
    /// Requests that were sent again with the same key.
    pub retries: u64,
    /// Messages that the server refused finally.
    pub refused: u64,
    /// Streams that were cut on purpose, and all that were reopened.
    pub cuts: u64,
    pub resumes: u64,
    /// Only for turns whose stream was not cut or retried.
    pub first_token_ms: Quantiles,
    pub total_ms: Quantiles,
    pub elapsed_s: f64,
    /// Messages that the server acknowledged as durable.
    pub acknowledged: u64,
    /// How many of those exist with the same `seq` and text.
    pub found: u64,
    /// Not checked, because the server is gone.
    pub unverified: u64,
    /// Acknowledged, but they do not exist.
    pub lost: u64,
    /// They exist with another `seq` or text.
    pub altered: u64,
    /// They exist more than once.
    pub duplicated: u64,
    /// They exist, but were never sent in this session.
    pub foreign: u64,
    /// Acknowledged turns without a terminal event.
    pub missing_terminal: u64,
    /// Turns with more than one answer or terminal event in the history.
    pub doubled_terminal: u64,
    /// Answers that differ between the stream and the history.
    pub answers_altered: u64,
    /// Sessions whose journal is not numbered 1, 2, 3, ...
    pub journal_gaps: u64,
    /// Broken promises of the streams, by kind.
    pub violations: BTreeMap<Violation, u64>,
    /// What was read and is not in the final list, by kind.
    pub contradictions: BTreeMap<Contradiction, u64>,
    /// The first findings, without any text of a customer.
    pub findings: Vec<String>,
    /// The server was unreachable for longer than the patience.
    pub server_gone: bool,
}

const MOST_FINDINGS: usize = 20;

impl Report {
    /// Whether a promise was broken.
    pub fn has_failed(&self) -> bool {
        let counts = [
            self.lost,
            self.altered,
            self.duplicated,
            self.foreign,
            self.missing_terminal,
            self.doubled_terminal,
            self.answers_altered,
            self.journal_gaps,
        ];
        counts.iter().any(|count| *count > 0)
            || !self.violations.is_empty()
            || !self.contradictions.is_empty()
    }

    /// Adds the findings of one session.
    pub fn add(&mut self, session: Self) {
        self.found += session.found;
        self.unverified += session.unverified;
        self.lost += session.lost;
        self.altered += session.altered;
        self.duplicated += session.duplicated;
        self.foreign += session.foreign;
        self.missing_terminal += session.missing_terminal;
        self.doubled_terminal += session.doubled_terminal;
        self.answers_altered += session.answers_altered;
        self.journal_gaps += session.journal_gaps;
        for (what, count) in session.contradictions {
            *self.contradictions.entry(what).or_default() += count;
        }
        session.findings.into_iter().for_each(|finding| self.find(|| finding));
    }

    /// Counts a contradiction where its kind is counted.
    pub fn contradict(&mut self, what: Contradiction) {
        match what {
            Contradiction::ListGap => self.journal_gaps += 1,
            Contradiction::NoEnd => self.missing_terminal += 1,
            Contradiction::SecondEnd => self.doubled_terminal += 1,
            Contradiction::AcknowledgedLost => self.lost += 1,
            Contradiction::AcknowledgedTwice => self.duplicated += 1,
            _ => *self.contradictions.entry(what).or_default() += 1,
        }
    }

    pub fn find(&mut self, finding: impl FnOnce() -> String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "{name:<24} {value}");
        row("conversations", &self.conversations)?;
        row("turns", &self.turns)?;
        for (route, count) in &self.answers_by_route {
            row(&format!("  answered by {route}"), count)?;
        }
        for (code, count) in &self.errors {
            row(&format!("  error {code}"), count)?;
        }
        row("retries, same key", &self.retries)?;
        row("refused for good", &self.refused)?;
        row("cuts / resumes", &format!("{} / {}", self.cuts, self.resumes))?;
        for (name, q) in [("first token", &self.first_token_ms), ("whole answer", &self.total_ms)] {
            let Quantiles { count, p50, p90, p99, max } = q;
            let text = format!(
                "p50 {p50:.1}  p90 {p90:.1}  p99 {p99:.1}  max {max:.1} ms  ({count} turns)"
            );
            row(name, &text)?;
        }
        row("elapsed", &format!("{:.1} s", self.elapsed_s))?;
        row("acknowledged", &self.acknowledged)?;
        row("found", &self.found)?;
        row("unverified", &self.unverified)?;
        row("lost", &self.lost)?;
        row("altered", &self.altered)?;
        row("duplicated", &self.duplicated)?;
        row("foreign", &self.foreign)?;
        row("terminal missing", &self.missing_terminal)?;
        row("terminal doubled", &self.doubled_terminal)?;
        row("answers altered", &self.answers_altered)?;
        row("journals with gaps", &self.journal_gaps)?;
        for (violation, count) in &self.violations {
            row(&format!("  violation {violation:?}"), count)?;
        }
        for (what, count) in &self.contradictions {
            row(&format!("  reading {what:?}"), count)?;
        }
        for finding in &self.findings {
            writeln!(f, "  - {finding}")?;
        }
        let verdict = match (self.has_failed(), self.server_gone) {
            (true, _) => "FAILED",
            (false, true) => "SERVER GONE (verify with the ledger when it is back)",
            (false, false) => "ok",
        };
        writeln!(f, "{:<24} {verdict}", "result")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_promise_alone_fails_the_report() {
        assert!(!Report::default().has_failed());
        assert!(Report { lost: 1, ..Report::default() }.has_failed());
        assert!(Report { duplicated: 1, ..Report::default() }.has_failed());
        assert!(Report { missing_terminal: 1, ..Report::default() }.has_failed());
        let violations = BTreeMap::from([(Violation::SeqGap, 1)]);
        assert!(Report { violations, ..Report::default() }.has_failed());
        let mut contradicted = Report::default();
        contradicted.contradict(Contradiction::EventGone);
        assert!(contradicted.has_failed());
        assert!(!Report { refused: 3, retries: 9, ..Report::default() }.has_failed());
    }

    #[test]
    fn quantiles_are_in_milliseconds() {
        let mut latency = Latency::default();
        (1..=100).for_each(|ms| latency.record(Duration::from_millis(ms)));
        let quantiles = latency.quantiles();
        assert!((quantiles.p50 - 50.0).abs() < 0.5 && (quantiles.max - 100.0).abs() < 0.5);
    }
}

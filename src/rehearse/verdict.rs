//! Whether the service is ready, and why not.

use std::fmt;

use super::{
    drive::{PATIENCE, Seen},
    options::Thresholds,
};

/// The figures of a rehearsal, and the reasons against the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    lines: Vec<String>,
    pub reasons: Vec<String>,
}

impl Verdict {
    pub fn of(seen: &Seen, thresholds: Thresholds) -> Self {
        let share = |count: u64| count as f64 / seen.planned.max(1) as f64;
        let (p50, p99) =
            (quantile(&seen.first_token_ms, 0.5), quantile(&seen.first_token_ms, 0.99));
        let refused = share(seen.refused);
        let refused_reads = seen.refused_reads as f64 / seen.reads.max(1) as f64;
        let late = quantile(&seen.late_ms, 0.99);
        let errors: u64 = seen.errors.values().sum();
        let missing = seen.admitted - seen.ended;
        let mut reasons = Vec::new();
        if missing > 0 {
            reasons.push(format!("{missing} of {} admitted turns have no end", seen.admitted));
        }
        if seen.first_token_ms.is_empty() {
            reasons.push("no answer had a first word".to_owned());
        } else if u128::from(p99) > thresholds.first_token_p99.as_millis() {
            reasons.push(format!(
                "the first word took {p99} ms (p99); the limit is {}",
                thresholds.first_token_p99.as_millis()
            ));
        }
        for (what, share) in [("messages", refused), ("readings", refused_reads)] {
            if share > thresholds.most_refused {
                reasons.push(format!(
                    "{:.1} % of the {what} were refused; the limit is {:.1} %",
                    share * 100.0,
                    thresholds.most_refused * 100.0
                ));
            }
        }
        if seen.silent > 0 {
            reasons.push(format!("{} refusals had no Retry-After", seen.silent));
        }
        if share(seen.useful) < thresholds.least_useful {
            reasons.push(format!(
                "{:.1} % got an answer or a ticket within {} s; the target is {:.1} %",
                share(seen.useful) * 100.0,
                PATIENCE.as_secs(),
                thresholds.least_useful * 100.0
            ));
        }
        if seen.not_sent > 0 || u128::from(late) > thresholds.most_late.as_millis() {
            reasons.push(format!(
                "the load generator was too slow: {} messages were not sent, others {late} ms late (p99); use a larger or idle machine",
                seen.not_sent
            ));
        }
        let mut lines = vec![
            format!("messages                {:>9}", seen.planned),
            format!("admitted / with an end  {:>9} / {}", seen.admitted, seen.ended),
            format!(
                "useful end in {} s      {:>9} ({:.1} %)",
                PATIENCE.as_secs(),
                seen.useful,
                share(seen.useful) * 100.0
            ),
            format!("refused                 {:>9} ({:.1} %)", seen.refused, refused * 100.0),
            format!("readings / refused      {:>9} / {}", seen.reads, seen.refused_reads),
            format!("first word p50 / p99    {p50:>9} / {p99} ms"),
            format!("generator late, p99     {late:>9} ms"),
            format!("errors                  {errors:>9}"),
        ];
        lines.extend(seen.errors.iter().map(|(name, count)| format!("  {name}: {count}")));
        Self { lines, reasons }
    }

    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        if self.is_ready() {
            return writeln!(f, "ready");
        }
        writeln!(f, "not ready:")?;
        self.reasons.iter().try_for_each(|reason| writeln!(f, "- {reason}"))
    }
}

/// The nearest rank; 0 without values.
fn quantile(values: &[u32], share: f64) -> u32 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        first_token_p99: PATIENCE,
        most_refused: 0.01,
        least_useful: 0.95,
        most_late: Duration::from_secs(1),
    };

    fn good() -> Seen {
        Seen {
            planned: 100,
            admitted: 100,
            ended: 100,
            useful: 100,
            first_token_ms: (1..=100).collect(),
            late_ms: vec![1; 100],
            ..Seen::default()
        }
    }

    fn reasons(seen: &Seen) -> Vec<String> {
        Verdict::of(seen, THRESHOLDS).reasons
    }

    #[test]
    fn a_good_rehearsal_is_ready() {
        let verdict = Verdict::of(&good(), THRESHOLDS);
        assert!(verdict.is_ready(), "{verdict}");
        assert!(verdict.to_string().contains("50 / 99 ms"), "{verdict}");
    }

    #[test]
    fn each_threshold_is_a_reason_of_its_own() {
        for (seen, word) in [
            (Seen { ended: 99, ..good() }, "no end"),
            (Seen { first_token_ms: vec![10_001; 100], ..good() }, "first word took"),
            (Seen { first_token_ms: Vec::new(), ..good() }, "had a first word"),
            (Seen { refused: 2, ..good() }, "messages were refused"),
            (Seen { reads: 10, refused_reads: 1, ..good() }, "readings were refused"),
            (Seen { refused: 1, silent: 1, ..good() }, "no Retry-After"),
            (Seen { useful: 94, ..good() }, "an answer or a ticket"),
            (Seen { not_sent: 1, ..good() }, "too slow"),
            (Seen { late_ms: vec![1001; 100], ..good() }, "too slow"),
        ] {
            let reasons = reasons(&seen);
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(reasons[0].contains(word), "{reasons:?}");
        }
    }
}

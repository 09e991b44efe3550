//! The goals for the figures of a day.

use super::SurgeReport;
use crate::surge::profile::{Phase, Profile};

/// One figure and its goal.
pub struct Measure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    pub goal: Goal,
}

pub enum Goal {
    Least(f64),
    Most(f64),
    None,
}

impl Goal {
    /// The limit, and how `value` compares with it, in words.
    pub fn verdict(&self, value: f64) -> (String, &'static str) {
        // Half of the last displayed digit.
        const SHOWN: f64 = 0.005;
        match self {
            Self::Least(bound) if value >= bound - SHOWN => (format!(">= {bound}"), "ok"),
            Self::Least(bound) => (format!(">= {bound}"), "MISSED"),
            Self::Most(bound) if value <= bound + SHOWN => (format!("<= {bound}"), "ok"),
            Self::Most(bound) => (format!("<= {bound}"), "MISSED"),
            Self::None => (String::new(), ""),
        }
    }
}

fn measure(name: impl Into<String>, value: f64, unit: &'static str, goal: Goal) -> Measure {
    Measure { name: name.into(), value, unit, goal }
}

fn share(name: impl Into<String>, (part, of): (u64, u64), goal: Goal) -> Measure {
    measure(name, part as f64 * 100.0 / of.max(1) as f64, "%", goal)
}

impl SurgeReport {
    pub(super) fn measures(&self) -> Vec<Measure> {
        let burst = self.phases.get(&Phase::Burst).cloned().unwrap_or_default();
        let after = self.phases.get(&Phase::After).cloned().unwrap_or_default();
        let answered = (burst.answered_in_time, burst.offered);
        if self.profile.is_one_question() {
            let most = if self.profile == Profile::One { 1.0 } else { 5.0 };
            let calls = self.upstream_requests as f64;
            return vec![
                measure("calls to the backend", calls, "", Goal::Most(most)),
                share("shoppers answered in 10 s", answered, Goal::Least(100.0)),
            ];
        }
        let of_capacity = self.of_capacity * 100.0;
        let useful = (burst.useful, burst.offered);
        let hot = if self.profile == Profile::Hot { Goal::Least(90.0) } else { Goal::None };
        let a = &self.aftermath;
        let ended = (a.ended, a.admitted);
        let mut measures = vec![
            measure(
                "answers of the model in the burst, of capacity",
                of_capacity,
                "%",
                Goal::Least(95.0),
            ),
            share("admitted turns with a terminal event", ended, Goal::Least(100.0)),
            share("burst: useful end in 10 s (answer or ticket)", useful, Goal::Least(95.0)),
            share("burst: answered in 10 s", answered, hot),
        ];
        if self.refused > 0 {
            let honest = (self.refused_with_retry_after, self.refused);
            measures.push(measure("refused: p99", self.refused_ms.p99, "ms", Goal::Most(50.0)));
            measures.push(share("refused: with Retry-After", honest, Goal::Least(100.0)));
        }
        if self.promises > 0 {
            let ratio = self.promise_ratio_p99;
            measures.push(measure("first token / promise, p99", ratio, "x", Goal::Most(1.3)));
        }
        if a.sampled > 0 {
            let kept = (a.kept, a.sampled);
            measures.push(share("tickets kept (sample)", kept, Goal::Least(100.0)));
            let name = format!("tickets answered (sample) {:.0} s later", a.ticket_wait_s);
            measures.push(share(name, (a.delivered, a.sampled), Goal::None));
        }
        let (whole, back) = (after.whole_ms.p99 / 1e3, self.recovered_after_s);
        let grown = (self.rss_peak_kib as f64 / self.rss_before_kib.max(1) as f64 - 1.0) * 100.0;
        measures.extend([
            measure("after the burst: p99 of a whole answer", whole, "s", Goal::Most(5.0)),
            measure("after the burst: back to the base's p99 after", back, "s", Goal::Most(5.0)),
            measure("memory over the burst", grown, "% more", Goal::Most(20.0)),
        ]);
        measures
    }
}

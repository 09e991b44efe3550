//! The figures as text.

use std::fmt;

use super::{SurgeReport, goals::Measure};
use crate::surge::profile::Plan;

impl fmt::Display for SurgeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { base, burst, before_s, burst_s, after_s } = self.plan;
        writeln!(
            f,
            "{:?}: {base}/s for {before_s} s, {burst:.0}/s for {burst_s} s, {base}/s for {after_s} s; capacity {:.1} answers/s; seed {}",
            self.profile, self.capacity, self.seed
        )?;
        writeln!(
            f,
            "{:<7} {:>7} {:>7} {:>10} {:>11} {:>11} {:>10} {:>10}",
            "phase",
            "offered",
            "useful",
            "answered",
            "answer p50",
            "answer p99",
            "ttft p50",
            "ttft p99"
        )?;
        for (phase, figures) in &self.phases {
            let (answer, first) = (&figures.answer_ms, &figures.first_token_ms);
            writeln!(
                f,
                "{:<7} {:>7} {:>7} {:>10} {:>8.0} ms {:>8.0} ms {:>7.0} ms {:>7.0} ms",
                format!("{phase:?}").to_lowercase(),
                figures.offered,
                figures.useful,
                figures.answered_in_time,
                answer.p50,
                answer.p99,
                first.p50,
                first.p99
            )?;
            writeln!(f, "        {:?}", figures.by_end)?;
        }
        for Measure { name, value, unit, goal } in self.measures() {
            let (bound, verdict) = goal.verdict(value);
            writeln!(f, "  {name:<48} {value:>9.2} {unit:<7} {bound:<8} {verdict}")?;
        }
        writeln!(
            f,
            "backend: {} requests, {} answers in the burst by its own count, {} seen by shoppers, slots {:.0} % busy",
            self.upstream_requests,
            self.completed_by_backend_in_burst,
            self.model_answers_in_burst,
            self.slots_busy * 100.0
        )?;
        writeln!(
            f,
            "server: highest level {}, {:.0} % of its core in the burst, RSS {} -> {} -> {} MiB; status unanswered {} of {}",
            self.level_peak,
            self.server_busy_in_burst * 100.0,
            self.rss_before_kib / 1024,
            self.rss_peak_kib / 1024,
            self.rss_after_kib / 1024,
            self.status_unanswered,
            self.samples.len()
        )?;
        let a = &self.aftermath;
        writeln!(
            f,
            "turns admitted {}, ended {}; tickets {}, of {} sampled: kept {}, answered {}, twice {}",
            a.admitted, a.ended, a.tickets, a.sampled, a.kept, a.delivered, a.doubled
        )?;
        writeln!(f, "generator late: p99 {:.0} ms", self.generator_late_ms.p99)
    }
}

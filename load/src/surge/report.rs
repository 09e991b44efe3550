//! The figures of a day, each beside what it must reach.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

use super::{
    aftermath::Aftermath,
    profile::{Phase, Plan, Profile},
    shopper::{End, PATIENCE, Visit},
    watch::Sample,
};
use crate::replay::{Latency, Quantiles};

/// A promise shorter than this is not judged by its ratio.
const SHORTEST_PROMISE: Duration = Duration::from_secs(1);

/// The shoppers of one phase.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PhaseFigures {
    pub offered: u64,
    /// A useful end within ten seconds, and those of them that are answers.
    pub useful: u64,
    pub answered_in_time: u64,
    pub by_end: BTreeMap<String, u64>,
    /// From the arrival to a whole answer.
    pub answer_ms: Quantiles,
    /// The same for all shoppers; who had no answer counts as ten seconds or more.
    pub whole_ms: Quantiles,
    /// From the question to the first word.
    pub first_token_ms: Quantiles,
}

/// What happened in one second of the day, by the moment at which it happened.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Second {
    pub offered: u64,
    pub ended: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SurgeReport {
    pub profile: Profile,
    pub plan: Plan,
    pub seed: u64,
    /// Whole answers a second of the backend.
    pub capacity: f64,
    pub phases: BTreeMap<Phase, PhaseFigures>,
    /// Answers of the model that reached their shopper while the burst lasted, and the same as the backend counts.
    pub model_answers_in_burst: u64,
    pub completed_by_backend_in_burst: u64,
    pub of_capacity: f64,
    /// Mean share of the backend's slots in use while the burst lasted.
    pub slots_busy: f64,
    pub upstream_requests: u64,
    pub refused: u64,
    pub refused_with_retry_after: u64,
    pub refused_ms: Quantiles,
    /// First token against the first promise, where that was a second or more.
    pub promises: u64,
    pub promise_ratio_p50: f64,
    pub promise_ratio_p99: f64,
    /// After the burst: how long shoppers still came whose wait was more than twice that of the base's p99.
    pub recovered_after_s: f64,
    pub aftermath: Aftermath,
    pub rss_before_kib: u64,
    pub rss_peak_kib: u64,
    pub rss_after_kib: u64,
    pub level_peak: u64,
    pub server_busy_in_burst: f64,
    /// Looks at `/v1/status` that were not answered within two seconds.
    pub status_unanswered: u64,
    /// How late the generator was: above some tens of milliseconds the load was not what the plan says.
    pub generator_late_ms: Quantiles,
    pub seconds: Vec<Second>,
    pub samples: Vec<Sample>,
}

impl SurgeReport {
    pub fn new(
        profile: Profile,
        plan: Plan,
        seed: u64,
        (capacity, slots): (f64, usize),
        visits: &[Visit],
        samples: Vec<Sample>,
        aftermath: Aftermath,
    ) -> Self {
        let (from, to) = plan.burst();
        let in_burst = |at: Duration| (from..to).contains(&at);
        let model = visits.iter().filter(|visit| visit.route() == Some("model"));
        let model_answers_in_burst =
            model.filter(|visit| in_burst(visit.at + visit.ended)).count() as u64;
        let during: Vec<&Sample> = samples
            .iter()
            .filter(|sample| in_burst(Duration::from_secs_f64(sample.at_s)))
            .collect();
        let over = |of: fn(&Sample) -> f64| match (during.first(), during.last()) {
            (Some(first), Some(last)) => of(last) - of(first),
            _ => 0.0,
        };
        let length = plan.burst_s;
        let busy: u64 = during.iter().map(|sample| sample.active).sum();
        let refused: Vec<(bool, Duration)> = visits
            .iter()
            .filter_map(|visit| match &visit.end {
                End::Refused { has_retry_after, .. } => Some((*has_retry_after, visit.decided)),
                _ => None,
            })
            .collect();
        let ratios = promise_ratios(visits);
        let first = samples.first().copied().unwrap_or_default();
        let rss_until = |until_s: f64| {
            let before = samples.iter().filter(|sample| sample.at_s < until_s);
            before.map(|sample| sample.rss_kib).max().unwrap_or(0)
        };
        Self {
            profile,
            plan,
            seed,
            capacity,
            phases: phases(visits),
            model_answers_in_burst,
            completed_by_backend_in_burst: over(|sample| sample.completed as f64) as u64,
            of_capacity: model_answers_in_burst as f64 / (capacity * length),
            slots_busy: busy as f64 / (during.len() * slots).max(1) as f64,
            upstream_requests: samples.iter().map(|sample| sample.requests).max().unwrap_or(0)
                - first.requests,
            refused: refused.len() as u64,
            refused_with_retry_after: refused.iter().filter(|(has, _)| *has).count() as u64,
            refused_ms: quantiles(refused.iter().map(|(_, time)| *time)),
            promises: ratios.len() as u64,
            promise_ratio_p50: quantile(&ratios, 0.5),
            promise_ratio_p99: quantile(&ratios, 0.99),
            recovered_after_s: recovered_after(visits, to),
            aftermath,
            rss_before_kib: rss_until(plan.before_s),
            rss_peak_kib: rss_until(f64::INFINITY),
            rss_after_kib: samples.last().map_or(0, |sample| sample.rss_kib),
            level_peak: samples.iter().map(|sample| sample.level).max().unwrap_or(0),
            server_busy_in_burst: over(|sample| sample.cpu_s) / length,
            status_unanswered: samples.iter().filter(|sample| !sample.has_answered).count() as u64,
            generator_late_ms: quantiles(visits.iter().map(|visit| visit.late)),
            seconds: seconds(visits, plan.length()),
            samples,
        }
    }

    /// Whether an admitted turn has no end, or a ticket was lost or answered twice.
    pub fn has_failed(&self) -> bool {
        let after = &self.aftermath;
        after.ended < after.admitted || after.kept < after.sampled || after.doubled > 0
    }

    fn measures(&self) -> Vec<(String, f64, &'static str, Goal)> {
        let burst = self.phases.get(&Phase::Burst).cloned().unwrap_or_default();
        let after = self.phases.get(&Phase::After).cloned().unwrap_or_default();
        let share = |part: u64, of: u64| part as f64 * 100.0 / of.max(1) as f64;
        if self.profile.is_one_question() {
            let most = if self.profile == Profile::One { 1.0 } else { 5.0 };
            return vec![
                (
                    "calls to the backend".into(),
                    self.upstream_requests as f64,
                    "",
                    Goal::Most(most),
                ),
                (
                    "shoppers answered in 10 s".into(),
                    share(burst.answered_in_time, burst.offered),
                    "%",
                    Goal::Least(100.0),
                ),
            ];
        }
        let a = &self.aftermath;
        let mut measures = vec![
            (
                "answers of the model in the burst, of capacity".to_owned(),
                self.of_capacity * 100.0,
                "%",
                Goal::Least(95.0),
            ),
            (
                "admitted turns with a terminal event".into(),
                share(a.ended, a.admitted),
                "%",
                Goal::Least(100.0),
            ),
            (
                "burst: useful end in 10 s (answer or ticket)".into(),
                share(burst.useful, burst.offered),
                "%",
                Goal::Least(95.0),
            ),
        ];
        let answered = share(burst.answered_in_time, burst.offered);
        let goal = if self.profile == Profile::Hot { Goal::Least(90.0) } else { Goal::None };
        measures.push(("burst: answered in 10 s".into(), answered, "%", goal));
        if self.refused > 0 {
            let honest = share(self.refused_with_retry_after, self.refused);
            measures.push(("refused: p99".into(), self.refused_ms.p99, "ms", Goal::Most(50.0)));
            measures.push(("refused: with Retry-After".into(), honest, "%", Goal::Least(100.0)));
        }
        if self.promises > 0 {
            let ratio = self.promise_ratio_p99;
            measures.push(("first token / promise, p99".into(), ratio, "x", Goal::Most(1.3)));
        }
        if a.sampled > 0 {
            let kept = share(a.kept, a.sampled);
            measures.push(("tickets kept (sample)".into(), kept, "%", Goal::Least(100.0)));
            let delivered = share(a.delivered, a.sampled);
            let name = format!("tickets answered (sample) {:.0} s later", a.ticket_wait_s);
            measures.push((name, delivered, "%", Goal::None));
        }
        measures.push((
            "after the burst: p99 of a whole answer".into(),
            after.whole_ms.p99 / 1e3,
            "s",
            Goal::Most(5.0),
        ));
        measures.push((
            "after the burst: back to the base's p99 after".into(),
            self.recovered_after_s,
            "s",
            Goal::Most(5.0),
        ));
        let grown = (self.rss_peak_kib as f64 / self.rss_before_kib.max(1) as f64 - 1.0) * 100.0;
        measures.push(("memory over the burst".into(), grown, "% more", Goal::Most(20.0)));
        measures
    }
}

/// What a figure must reach.
enum Goal {
    Least(f64),
    Most(f64),
    None,
}

impl Goal {
    fn verdict(&self, value: f64) -> (String, &'static str) {
        // Half of the last digit that is shown.
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

fn label(end: &End) -> String {
    match end {
        End::Answered(route) => route.clone(),
        End::Ticket => "ticket".into(),
        End::Refused { .. } => "refused".into(),
        End::Failed(code) => format!("failed {code}"),
        End::Left => "left".into(),
        End::Broken(why) => format!("broken {why}"),
    }
}

fn phases(visits: &[Visit]) -> BTreeMap<Phase, PhaseFigures> {
    let mut phases = BTreeMap::new();
    for phase in [Phase::Before, Phase::Burst, Phase::After] {
        let of_phase: Vec<&Visit> = visits.iter().filter(|visit| visit.phase == phase).collect();
        let answered = of_phase.iter().filter(|visit| visit.route().is_some());
        let mut by_end = BTreeMap::new();
        for visit in &of_phase {
            *by_end.entry(label(&visit.end)).or_insert(0) += 1;
        }
        let count = |is: fn(&Visit) -> bool| of_phase.iter().filter(|visit| is(visit)).count();
        let figures = PhaseFigures {
            offered: of_phase.len() as u64,
            useful: count(Visit::is_useful) as u64,
            answered_in_time: count(Visit::is_answered_in_time) as u64,
            by_end,
            answer_ms: quantiles(answered.map(|visit| visit.ended)),
            whole_ms: quantiles(of_phase.iter().map(|visit| match visit.route() {
                Some(_) => visit.ended,
                None => visit.ended.max(PATIENCE),
            })),
            first_token_ms: quantiles(of_phase.iter().filter_map(|visit| visit.first_token)),
        };
        phases.insert(phase, figures);
    }
    phases
}

/// Sorted. Of answers of the model that came after a promised wait.
fn promise_ratios(visits: &[Visit]) -> Vec<f64> {
    let ratio = |visit: &Visit| {
        let (promise, first) = (visit.promise?, visit.first_token?);
        let is_judged = promise.wait >= SHORTEST_PROMISE && visit.route() == Some("model");
        let waited = first.saturating_sub(promise.seen);
        is_judged.then(|| waited.as_secs_f64() / promise.wait.as_secs_f64())
    };
    let mut ratios: Vec<f64> = visits.iter().filter_map(ratio).collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

/// Of sorted values; 0 for none.
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

fn quantiles(times: impl Iterator<Item = Duration>) -> Quantiles {
    let mut latency = Latency::default();
    times.for_each(|time| latency.record(time));
    latency.quantiles()
}

/// Seconds from the end of the burst to the last arrival that was not answered within twice the base's p99.
fn recovered_after(visits: &[Visit], burst_end: Duration) -> f64 {
    let before = visits.iter().filter(|visit| visit.phase == Phase::Before);
    let base = quantiles(before.filter(|visit| visit.route().is_some()).map(|visit| visit.ended));
    let bound = Duration::from_secs_f64(base.p99 * 2.0 / 1e3);
    let is_late = |visit: &&Visit| {
        visit.phase == Phase::After && (visit.route().is_none() || visit.ended > bound)
    };
    let last = visits.iter().filter(is_late).map(|visit| visit.at).max();
    last.map_or(0.0, |at| at.saturating_sub(burst_end).as_secs_f64())
}

fn seconds(visits: &[Visit], length: Duration) -> Vec<Second> {
    let mut seconds = vec![Second::default(); length.as_secs_f64().ceil() as usize];
    for visit in visits {
        if let Some(second) = seconds.get_mut(visit.at.as_secs() as usize) {
            second.offered += 1;
        }
        if let Some(second) = seconds.get_mut((visit.at + visit.ended).as_secs() as usize) {
            *second.ended.entry(label(&visit.end)).or_default() += 1;
        }
    }
    seconds
}

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
        for (name, value, unit, goal) in self.measures() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surge::{
        shopper::{Promise, tests::arrived},
        watch::Sample,
    };

    fn ended(phase: Phase, at_s: f64, after_s: f64, end: End) -> Visit {
        let ended = Duration::from_secs_f64(after_s);
        Visit { end, ended, decided: ended, ..arrived(phase, at_s) }
    }

    fn model() -> End {
        End::Answered("model".into())
    }

    fn plan() -> Plan {
        Plan { base: 1.0, burst: 10.0, before_s: 10.0, burst_s: 10.0, after_s: 10.0 }
    }

    fn report(visits: &[Visit], samples: Vec<Sample>) -> SurgeReport {
        let aftermath = Aftermath::default();
        SurgeReport::new(Profile::Burst, plan(), 1, (2.0, 4), visits, samples, aftermath)
    }

    #[test]
    fn an_answer_counts_for_the_burst_if_it_is_whole_while_the_burst_lasts() {
        let visits = [
            ended(Phase::Before, 9.0, 1.5, model()),
            ended(Phase::Burst, 12.0, 1.5, model()),
            ended(Phase::Burst, 19.0, 1.5, model()),
            ended(Phase::Burst, 12.0, 1.5, End::Ticket),
        ];
        let report = report(&visits, Vec::new());
        assert_eq!(report.model_answers_in_burst, 2);
        assert!((report.of_capacity - 0.1).abs() < 1e-9);
    }

    #[test]
    fn an_end_after_ten_seconds_is_not_useful() {
        let visits = [
            ended(Phase::Burst, 12.0, 9.9, model()),
            ended(Phase::Burst, 12.0, 10.1, model()),
            ended(Phase::Burst, 12.0, 0.1, End::Ticket),
            ended(Phase::Burst, 12.0, 10.0, End::Left),
        ];
        let report = report(&visits, Vec::new());
        let burst = &report.phases[&Phase::Burst];
        assert_eq!((burst.offered, burst.useful, burst.answered_in_time), (4, 2, 1));
    }

    #[test]
    fn a_promise_is_compared_with_the_wait_from_the_moment_it_was_made() {
        let visit = |seen: f64, wait: f64, first: f64| Visit {
            promise: Some(Promise {
                seen: Duration::from_secs_f64(seen),
                wait: Duration::from_secs_f64(wait),
            }),
            first_token: Some(Duration::from_secs_f64(first)),
            ..ended(Phase::Burst, 12.0, 5.0, model())
        };
        let report = report(&[visit(1.0, 2.0, 4.0), visit(0.0, 0.5, 4.0)], Vec::new());
        assert_eq!(report.promises, 1);
        assert!((report.promise_ratio_p99 - 1.5).abs() < 1e-9);
    }

    #[test]
    fn the_base_is_back_when_the_last_late_arrival_was() {
        let visits = [
            ended(Phase::Before, 1.0, 1.5, model()),
            ended(Phase::After, 21.0, 9.0, model()),
            ended(Phase::After, 24.0, 4.0, model()),
            ended(Phase::After, 25.0, 1.6, model()),
        ];
        assert!((report(&visits, Vec::new()).recovered_after_s - 4.0).abs() < 1e-6);
        assert!(report(&visits[..1], Vec::new()).recovered_after_s.abs() < 1e-9);
    }

    #[test]
    fn refusals_are_counted_with_their_hint_and_their_time() {
        let refusal =
            |has_retry_after| End::Refused { status: 503, code: "x".into(), has_retry_after };
        let visits = [
            ended(Phase::Burst, 12.0, 0.02, refusal(true)),
            ended(Phase::Burst, 12.0, 0.04, refusal(false)),
        ];
        let report = report(&visits, Vec::new());
        assert_eq!((report.refused, report.refused_with_retry_after), (2, 1));
        assert!((report.refused_ms.max - 40.0).abs() < 0.5);
    }

    #[test]
    fn slots_memory_and_calls_come_from_the_samples() {
        let sample = |at_s, active, rss_kib, requests| Sample {
            at_s,
            active,
            rss_kib,
            requests,
            has_answered: true,
            ..Sample::default()
        };
        let samples =
            vec![sample(1.0, 0, 1000, 3), sample(12.0, 4, 1500, 9), sample(18.0, 2, 1200, 20)];
        let report = report(&[], samples);
        assert!((report.slots_busy - 0.75).abs() < 1e-9);
        assert_eq!((report.rss_before_kib, report.rss_peak_kib), (1000, 1500));
        assert_eq!(report.upstream_requests, 17);
    }

    #[test]
    fn a_turn_without_an_end_or_a_lost_ticket_fails_the_day() {
        let mut report = report(&[], Vec::new());
        assert!(!report.has_failed());
        report.aftermath = Aftermath { admitted: 2, ended: 1, ..Aftermath::default() };
        assert!(report.has_failed());
        report.aftermath = Aftermath { sampled: 2, kept: 1, ..Aftermath::default() };
        assert!(report.has_failed());
    }

    #[test]
    fn quantiles_of_sorted_values_take_the_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((quantile(&values, 0.99) - 99.0).abs() < 1e-9);
        assert!((quantile(&values, 0.5) - 50.0).abs() < 1e-9);
        assert!(quantile(&[], 0.5).abs() < 1e-9);
    }
}

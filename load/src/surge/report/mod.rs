//! The figures of a day: `goals` has their goals, `text` prints them.

mod goals;
mod phases;
#[cfg(test)]
mod tests;
mod text;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use self::phases::{PhaseFigures, Second, phases, seconds};
use super::{
    aftermath::Aftermath,
    profile::{Phase, Plan, Profile},
    shopper::{End, Visit},
    watch::Sample,
};
use crate::replay::{Latency, Quantiles};

/// A shorter promise is not judged by its ratio.
const SHORTEST_PROMISE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize)]
pub struct SurgeReport {
    pub profile: Profile,
    pub plan: Plan,
    pub seed: u64,
    /// Whole answers per second that the backend can give.
    pub capacity: f64,
    pub phases: BTreeMap<Phase, PhaseFigures>,
    /// Answers of the model that reached their shopper during the burst, and the backend's own
    /// count.
    pub model_answers_in_burst: u64,
    pub completed_by_backend_in_burst: u64,
    pub of_capacity: f64,
    /// Mean share of the backend's slots in use during the burst.
    pub slots_busy: f64,
    pub upstream_requests: u64,
    pub refused: u64,
    pub refused_with_retry_after: u64,
    pub refused_ms: Quantiles,
    /// First token relative to the first promise, if that was a second or more.
    pub promises: u64,
    pub promise_ratio_p50: f64,
    pub promise_ratio_p99: f64,
    /// After the burst: how long shoppers still waited more than twice the base's p99.
    pub recovered_after_s: f64,
    pub aftermath: Aftermath,
    pub rss_before_kib: u64,
    pub rss_peak_kib: u64,
    pub rss_after_kib: u64,
    pub level_peak: u64,
    pub server_busy_in_burst: f64,
    /// Requests to `/v1/status` without a response within two seconds.
    pub status_unanswered: u64,
    /// How late the generator was. If this is more than some tens of milliseconds, the load was not
    /// as planned.
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
                End::Answered(_) | End::Ticket | End::Failed(_) | End::Left | End::Broken(_) => {
                    None
                }
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
}

/// Sorted ratios, for answers of the model after a promised wait.
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

/// A quantile of sorted values; 0 without values.
fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let rank = (quantile * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
}

fn quantiles(times: impl Iterator<Item = Duration>) -> Quantiles {
    let mut latency = Latency::default();
    times.for_each(|time| latency.record(time));
    latency.quantiles()
}

/// Seconds from the end of the burst to the last arrival that was not answered within twice the
/// base's p99.
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

use super::*;
use crate::surge::shopper::{Promise, tests::arrived};

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
    let refusal = |has_retry_after| End::Refused { status: 503, code: "x".into(), has_retry_after };
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

//! What the pool tells the metrics. Labels are configured backend names and closed sets.

use std::{sync::Arc, time::Duration};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::{breaker::BreakerState, messages::LaneStatus};
use crate::domain::Lane;

const QUEUE_ENTRIES: &str = "rushdesk_inference_queue_entries";
const QUEUE_TOKENS: &str = "rushdesk_inference_queue_tokens";
const QUEUE_OLDEST: &str = "rushdesk_inference_queue_oldest_seconds";
const QUEUE_WAIT: &str = "rushdesk_inference_queue_wait_seconds";
const PROMISED_WAIT: &str = "rushdesk_inference_promised_wait_seconds";
const PREDICTED_WAIT: &str = "rushdesk_inference_predicted_wait_seconds";
const REFUSALS: &str = "rushdesk_inference_refusals_total";
const IN_FLIGHT: &str = "rushdesk_inference_requests_in_flight";
const OUTCOMES: &str = "rushdesk_inference_outcomes_total";
const RETRIES: &str = "rushdesk_inference_retries_total";
const FIRST_TOKEN: &str = "rushdesk_inference_first_token_seconds";
const BREAKER: &str = "rushdesk_inference_breaker_state";
const SLOTS: &str = "rushdesk_inference_slots";
const EJECTIONS: &str = "rushdesk_inference_ejections_total";
const HEDGES: &str = "rushdesk_inference_hedges_total";
const RESTARTS: &str = "rushdesk_inference_restarts_total";
const HEALTHY: &str = "rushdesk_inference_backend_healthy";

/// Describes every metric of this module; called once at start.
pub fn describe() {
    describe_gauge!(QUEUE_ENTRIES, "Requests that wait for a slot, by lane");
    describe_gauge!(QUEUE_OLDEST, "Seconds that the oldest request in the queue has waited");
    describe_gauge!(PREDICTED_WAIT, "Seconds that a visitor's request would wait that came now");
    describe_histogram!(PROMISED_WAIT, "Seconds that granted requests were told first, by lane");
    describe_gauge!(QUEUE_TOKENS, "Prompt and answer tokens of the requests that wait");
    describe_histogram!(QUEUE_WAIT, "Seconds that granted requests waited for a slot, by lane");
    describe_counter!(REFUSALS, "Requests that got no slot, by reason");
    describe_gauge!(IN_FLIGHT, "Requests in flight at a backend");
    describe_counter!(OUTCOMES, "Ended requests to a backend, by outcome");
    describe_counter!(RETRIES, "Second attempts after a failure before the first token");
    describe_histogram!(FIRST_TOKEN, "Seconds from the request to the first token of the answer");
    describe_gauge!(BREAKER, "Breaker of a backend: 0 passing, 1 probing, 2 refusing");
    describe_gauge!(SLOTS, "Slots of a backend as learned, never above the configured");
    describe_counter!(EJECTIONS, "Times a backend was taken out of service");
    describe_counter!(HEDGES, "Requests asked a second time for a late first token, by result");
    describe_counter!(
        RESTARTS,
        "Answers that broke off and were begun again, by the backend that failed"
    );
    describe_gauge!(HEALTHY, "1 while a backend is healthy, else 0");
}

pub(super) fn queue(lanes: impl Iterator<Item = LaneStatus>, tokens: u64) {
    for LaneStatus { lane, queued } in lanes {
        gauge!(QUEUE_ENTRIES, "lane" => lane.label()).set(queued as f64);
    }
    gauge!(QUEUE_TOKENS).set(tokens as f64);
}

pub(super) fn waits(oldest: Duration, predicted: Duration) {
    gauge!(QUEUE_OLDEST).set(oldest.as_secs_f64());
    gauge!(PREDICTED_WAIT).set(predicted.as_secs_f64());
}

/// `promised` is absent where nobody was told to wait.
pub(super) fn granted(lane: Lane, waited: Duration, promised: Option<Duration>) {
    histogram!(QUEUE_WAIT, "lane" => lane.label()).record(waited.as_secs_f64());
    if let Some(promised) = promised {
        histogram!(PROMISED_WAIT, "lane" => lane.label()).record(promised.as_secs_f64());
    }
}

pub(super) fn slots(backend: &Arc<str>, learned: usize) {
    gauge!(SLOTS, "backend" => backend.clone()).set(learned as f64);
}

pub(super) fn ejected(backend: &Arc<str>) {
    counter!(EJECTIONS, "backend" => backend.clone()).increment(1);
}

/// `won`: the second request had its first token before the first one.
pub(super) fn hedged(backend: &Arc<str>, won: bool) {
    let result = if won { "won" } else { "lost" };
    counter!(HEDGES, "backend" => backend.clone(), "result" => result).increment(1);
}

pub(super) fn restarted(backend: &Arc<str>) {
    counter!(RESTARTS, "backend" => backend.clone()).increment(1);
}

pub(super) fn refused(reason: &'static str) {
    counter!(REFUSALS, "reason" => reason).increment(1);
}

pub(super) fn in_flight(backend: &Arc<str>, requests: usize) {
    gauge!(IN_FLIGHT, "backend" => backend.clone()).set(requests as f64);
}

pub(super) fn outcome(backend: &Arc<str>, outcome: &'static str) {
    counter!(OUTCOMES, "backend" => backend.clone(), "outcome" => outcome).increment(1);
}

pub(super) fn retried() {
    counter!(RETRIES).increment(1);
}

pub(super) fn first_token(backend: &Arc<str>, after: Duration) {
    histogram!(FIRST_TOKEN, "backend" => backend.clone()).record(after.as_secs_f64());
}

pub(super) fn breaker(backend: &Arc<str>, state: BreakerState) {
    let level = match state {
        BreakerState::Passing => 0.0,
        BreakerState::Probing => 1.0,
        BreakerState::Refusing => 2.0,
    };
    gauge!(BREAKER, "backend" => backend.clone()).set(level);
}

pub(super) fn healthy(backend: &Arc<str>, healthy: bool) {
    gauge!(HEALTHY, "backend" => backend.clone()).set(if healthy { 1.0 } else { 0.0 });
}

//! What the pool tells the metrics. Labels are configured backend names and closed sets.

use std::{sync::Arc, time::Duration};

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::breaker::BreakerState;

const QUEUE_ENTRIES: &str = "rushdesk_inference_queue_entries";
const QUEUE_TOKENS: &str = "rushdesk_inference_queue_tokens";
const QUEUE_WAIT: &str = "rushdesk_inference_queue_wait_seconds";
const REFUSALS: &str = "rushdesk_inference_refusals_total";
const IN_FLIGHT: &str = "rushdesk_inference_requests_in_flight";
const OUTCOMES: &str = "rushdesk_inference_outcomes_total";
const RETRIES: &str = "rushdesk_inference_retries_total";
const FIRST_TOKEN: &str = "rushdesk_inference_first_token_seconds";
const BREAKER: &str = "rushdesk_inference_breaker_state";
const HEALTHY: &str = "rushdesk_inference_backend_healthy";

/// Describes every metric of this module; called once at start.
pub fn describe() {
    describe_gauge!(QUEUE_ENTRIES, "Requests that wait for a slot");
    describe_gauge!(QUEUE_TOKENS, "Prompt and answer tokens of the requests that wait");
    describe_histogram!(QUEUE_WAIT, "Seconds that granted requests waited for a slot");
    describe_counter!(REFUSALS, "Requests that got no slot, by reason");
    describe_gauge!(IN_FLIGHT, "Requests in flight at a backend");
    describe_counter!(OUTCOMES, "Ended requests to a backend, by outcome");
    describe_counter!(RETRIES, "Second attempts after a failure before the first token");
    describe_histogram!(FIRST_TOKEN, "Seconds from the request to the first token of the answer");
    describe_gauge!(BREAKER, "Breaker of a backend: 0 passing, 1 probing, 2 refusing");
    describe_gauge!(HEALTHY, "1 while a backend is healthy, else 0");
}

pub(super) fn queue(entries: usize, tokens: u64) {
    gauge!(QUEUE_ENTRIES).set(entries as f64);
    gauge!(QUEUE_TOKENS).set(tokens as f64);
}

pub(super) fn granted(waited: Duration) {
    histogram!(QUEUE_WAIT).record(waited.as_secs_f64());
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

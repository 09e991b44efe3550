//! The metrics of the pool. Labels are configured backend names and closed sets.

use std::{sync::Arc, time::Duration};

use metrics::{Histogram, counter, gauge, histogram};

use super::status::{BreakerState, LaneStatus};
use crate::{
    domain::{Lane, Usage},
    telemetry::declare,
};

declare! {
    QUEUE_ENTRIES: gauge "rushdesk_inference_queue_entries" ["lane"] "Requests that wait for a slot";
    QUEUE_TOKENS: gauge "rushdesk_inference_queue_tokens" []
        "Prompt and answer tokens of waiting requests";
    QUEUE_OLDEST: gauge "rushdesk_inference_queue_oldest_seconds" ["lane"]
        "Wait so far of the oldest request; always 0 for `background`";
    PREDICTED_WAIT: gauge "rushdesk_inference_predicted_wait_seconds" ["lane"]
        "Forecast wait of a new request; 0 if a slot is free";
    PROMISED_WAIT: histogram(SECONDS) "rushdesk_inference_promised_wait_seconds" ["lane"]
        "First promised wait of requests that got a slot; not counted if a request did not wait"
        when "after the first wait";
    QUEUE_WAIT: histogram(SECONDS) "rushdesk_inference_queue_wait_seconds" ["lane"]
        "Actual wait of requests that got a slot";
    REFUSALS: counter "rushdesk_inference_refusals_total" ["reason"]
        "Requests that got no slot" when "after the first";
    SLOTS: gauge "rushdesk_inference_slots" ["backend"]
        "Learned slots of a backend, at most the configured ones";
    SLOTS_CONFIGURED: gauge "rushdesk_inference_slots_configured" ["backend"]
        "Configured slots of a backend";
    IN_FLIGHT: gauge "rushdesk_inference_requests_in_flight" ["backend"] "Requests in flight at a backend";
    REQUEST: histogram(SECONDS) "rushdesk_inference_request_seconds" ["backend"]
        "Time that requests held a slot; the sum is the busy time of all slots of the backend";
    GPUS: gauge "rushdesk_inference_gpus" ["backend"]
        "Configured GPUs of a backend; GPU seconds are busy time × GPUs / configured slots"
        when "for a backend with `gpus`";
    GPU_HOUR_COST: gauge "rushdesk_inference_gpu_hour_cost" ["backend"]
        "Configured price of a GPU for an hour" when "for a backend with `gpu_hour_cost`";
    TOKENS: counter "rushdesk_inference_tokens_total" ["backend", "kind"]
        "Tokens of prompts (`prompt`) and answers (`completion`), as counted by the backend";
    OUTCOMES: counter "rushdesk_inference_outcomes_total" ["backend", "outcome"]
        "Requests to a backend, by outcome";
    FIRST_TOKEN: histogram(SECONDS) "rushdesk_inference_first_token_seconds" ["backend"]
        "Time from a request to its first token, reasoning included";
    FIRST_ANSWER_TOKEN: histogram(SECONDS) "rushdesk_inference_first_answer_token_seconds" ["backend"]
        "Time from a request to the first token of its answer";
    TOKEN_GAP: histogram(GAPS) "rushdesk_inference_token_gap_seconds" ["backend"]
        "Time between two tokens of an answer; nearly 0 for tokens that arrive together";
    BREAKER: gauge "rushdesk_inference_breaker_state" ["backend"]
        "Breaker of a backend: 0 passing, 1 probing, 2 refusing";
    HEALTHY: gauge "rushdesk_inference_backend_healthy" ["backend"] "1 if a backend is healthy, otherwise 0";
    EJECTIONS: counter "rushdesk_inference_ejections_total" ["backend"]
        "Times a backend was taken out of service";
    RETRIES: counter "rushdesk_inference_retries_total" []
        "Second attempts after a failure before the first token";
    RESTARTS: counter "rushdesk_inference_restarts_total" ["backend"]
        "Answers that broke off and restarted, by the backend that failed"
        when "after the first";
    HEDGES: counter "rushdesk_inference_hedges_total" ["backend", "result"]
        "Second attempts because of a late first token, by the second backend, and whether it `won` or `lost`"
        when "after the first";
}

pub(super) fn queue(lanes: impl Iterator<Item = LaneStatus>, tokens: u64) {
    for LaneStatus { lane, queued } in lanes {
        gauge!(QUEUE_ENTRIES, "lane" => lane.label()).set(queued as f64);
    }
    gauge!(QUEUE_TOKENS).set(tokens as f64);
}

pub(super) fn waits(lane: Lane, oldest: Duration, predicted: Duration) {
    gauge!(QUEUE_OLDEST, "lane" => lane.label()).set(oldest.as_secs_f64());
    gauge!(PREDICTED_WAIT, "lane" => lane.label()).set(predicted.as_secs_f64());
}

/// `promised` is absent if the request was never told a wait.
pub(super) fn granted(lane: Lane, waited: Duration, promised: Option<Duration>) {
    histogram!(QUEUE_WAIT, "lane" => lane.label()).record(waited.as_secs_f64());
    if let Some(promised) = promised {
        histogram!(PROMISED_WAIT, "lane" => lane.label()).record(promised.as_secs_f64());
    }
}

pub(super) fn slots(backend: &Arc<str>, learned: usize) {
    gauge!(SLOTS, "backend" => backend.clone()).set(learned as f64);
}

/// Registers a backend, so that its counters appear in the first scrape.
pub(super) fn backend(backend: &Arc<str>, slots: usize, gpus: f64, gpu_hour_cost: f64) {
    gauge!(SLOTS_CONFIGURED, "backend" => backend.clone()).set(slots as f64);
    for (name, value) in [(GPUS, gpus), (GPU_HOUR_COST, gpu_hour_cost)] {
        if value > 0.0 {
            gauge!(name, "backend" => backend.clone()).set(value);
        }
    }
    gauge!(IN_FLIGHT, "backend" => backend.clone()).set(0.0);
    counter!(EJECTIONS, "backend" => backend.clone()).increment(0);
}

pub(super) fn held(backend: &Arc<str>, time: Duration) {
    histogram!(REQUEST, "backend" => backend.clone()).record(time);
}

pub(super) fn tokens(backend: &Arc<str>, usage: Usage) {
    let count = |kind, tokens: u32| {
        counter!(TOKENS, "backend" => backend.clone(), "kind" => kind).increment(tokens.into());
    };
    count("prompt", usage.prompt_tokens);
    count("completion", usage.completion_tokens);
}

pub(super) fn ejected(backend: &Arc<str>) {
    counter!(EJECTIONS, "backend" => backend.clone()).increment(1);
}

/// `won`: the second request got its first token before the first one did.
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

pub(super) fn first_answer_token(backend: &Arc<str>, after: Duration) {
    histogram!(FIRST_ANSWER_TOKEN, "backend" => backend.clone()).record(after.as_secs_f64());
}

/// The gaps between the tokens of one answer. The histogram is looked up once, since each token is
/// recorded.
pub(super) fn token_gaps(backend: &Arc<str>) -> Histogram {
    histogram!(TOKEN_GAP, "backend" => backend.clone())
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

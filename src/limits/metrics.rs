//! Metrics of the rate limits.

use metrics::counter;

use super::quota::Limited;
use crate::telemetry::declare;

declare! {
    REFUSED: counter "rushdesk_limits_refused_total" ["scope"]
        "Requests refused by a rate limit, by scope of the limit" when "after the first refusal";
    FALLBACK: counter "rushdesk_limits_fallback_total" []
        "Requests that a replica counted alone while Redis was unreachable";
}

pub fn refused(limited: &Limited) {
    counter!(REFUSED, "scope" => limited.scope.as_str()).increment(1);
}

pub fn fell_back() {
    counter!(FALLBACK).increment(1);
}

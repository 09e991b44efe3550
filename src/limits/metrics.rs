//! What the limiter counts.

use metrics::counter;

use super::Limited;
use crate::telemetry::declare;

declare! {
    REFUSED: counter "rushdesk_limits_refused_total" ["scope"]
        "Requests refused by a rate limit, by whose limit it was" when "after the first refusal";
    FALLBACK: counter "rushdesk_limits_fallback_total" []
        "Requests decided by one replica alone while Redis was away";
}

pub fn refused(limited: &Limited) {
    counter!(REFUSED, "scope" => limited.scope.as_str()).increment(1);
}

pub fn fell_back() {
    counter!(FALLBACK).increment(1);
}

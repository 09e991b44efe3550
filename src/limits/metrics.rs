//! What the limiter counts.

use metrics::{counter, describe_counter};

use super::Limited;

const REFUSED: &str = "rushdesk_limits_refused_total";
const FALLBACK: &str = "rushdesk_limits_fallback_total";

/// Registers help texts; call once at start.
pub fn describe() {
    describe_counter!(REFUSED, "Requests refused by a rate limit, by scope");
    describe_counter!(FALLBACK, "Requests decided by one replica alone while Redis was away");
}

pub fn refused(limited: &Limited) {
    counter!(REFUSED, "scope" => limited.scope.as_str()).increment(1);
}

pub fn fell_back() {
    counter!(FALLBACK).increment(1);
}

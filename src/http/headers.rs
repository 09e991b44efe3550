//! Response headers that clients and proxies rely on.

use actix_web::{HttpResponseBuilder, http::header::HeaderName};

use crate::{domain::Timings, limits::Quota};

/// `Server-Timing` (W3C), in milliseconds.
pub fn server_timing(timings: &Timings) -> String {
    let parts = [
        ("queue", timings.queue_ms),
        ("embed", timings.embed_ms),
        ("cache", timings.cache_ms),
        ("retrieve", timings.retrieve_ms),
        ("tools", timings.tools_ms),
        ("ttft", timings.first_token_ms),
        ("total", Some(timings.total_ms)),
    ];
    let known = parts.iter().filter_map(|(name, ms)| ms.map(|ms| format!("{name};dur={ms}")));
    known.collect::<Vec<_>>().join(", ")
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
pub fn rate_limit(response: &mut HttpResponseBuilder, quota: Option<&Quota>) {
    let Some(quota) = quota else { return };
    response.insert_header((HeaderName::from_static("ratelimit"), quota.header()));
    response.insert_header((HeaderName::from_static("ratelimit-policy"), quota.policy.clone()));
}

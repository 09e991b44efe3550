//! Metrics of requests.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::telemetry::declare;

declare! {
    REQUESTS: counter "rushdesk_http_requests_total" ["method", "route", "status"]
        "HTTP requests by route template and status class (`2xx`); the route `none` is a path that is not served";
    RESPONSE: histogram(SECONDS) "rushdesk_http_response_seconds" ["method", "route"]
        "Time from a request to the headers of its response; a stream continues after them";
    STREAMS: gauge "rushdesk_http_streams_open" [] "Open event streams and sockets";
}

/// `route` is a served pattern or `none`, so the labels are a closed set.
pub(super) fn answered(
    method: &'static str,
    route: String,
    status: &'static str,
    elapsed: Duration,
) {
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    histogram!(RESPONSE, "method" => method, "route" => route).record(elapsed.as_secs_f64());
}

/// Set when the metrics are scraped.
pub(super) fn streams(open: usize) {
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
    gauge!(STREAMS).set(open as f64);
}

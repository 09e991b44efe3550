//! What the messages between replicas count.

use metrics::{counter, gauge, histogram};
use tokio::time::Instant;

use super::error::HotError;
use crate::telemetry::declare;

declare! {
    SECONDS: histogram(QUICK) "rushdesk_hot_operation_seconds" ["operation"]
        "Time of calls to Redis for messages between replicas, watchers and leases" when "in distributed mode";
    ERRORS: counter "rushdesk_hot_errors_total" ["kind"]
        "Failed calls to Redis for messages between replicas, watchers and leases" when "after the first failure";
    UP: gauge "rushdesk_hot_up" [] "1 if Redis answers, as known to this process";
}

/// Labels are names of operations and of [`HotError`] variants, so the set is closed.
pub fn called<T>(operation: &'static str, begun: Instant, outcome: &Result<T, HotError>) {
    histogram!(SECONDS, "operation" => operation).record(begun.elapsed().as_secs_f64());
    if let Err(error) = outcome {
        let kind = match error {
            HotError::Unavailable(_) => "unavailable",
            HotError::Timeout => "timeout",
            HotError::Corrupt(_) => "corrupt",
        };
        counter!(ERRORS, "kind" => kind).increment(1);
    }
}

pub fn up(up: bool) {
    gauge!(UP).set(f64::from(u8::from(up)));
}

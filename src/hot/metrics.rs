//! What the hot store counts.

use metrics::{counter, describe_counter, describe_histogram, histogram};
use tokio::time::Instant;

use super::HotError;

const ERRORS: &str = "rushdesk_hot_errors_total";
const SECONDS: &str = "rushdesk_hot_operation_seconds";

/// Registers help texts; call once at start.
pub fn describe() {
    describe_counter!(ERRORS, "Calls of the hot store that failed, by kind");
    describe_histogram!(SECONDS, "Duration of calls to Redis by the hot store, by operation");
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

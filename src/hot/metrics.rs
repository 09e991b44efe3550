//! What the hot store counts.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use tokio::time::Instant;

use super::HotError;

const ERRORS: &str = "rushdesk_hot_errors_total";
const UP: &str = "rushdesk_hot_up";
const SECONDS: &str = "rushdesk_hot_operation_seconds";

/// Registers help texts; call once at start.
pub fn describe() {
    describe_counter!(ERRORS, "Calls of the hot store that failed, by kind");
    describe_gauge!(UP, "1 while the hot store answers, as far as this process knows");
    gauge!(UP).set(1.0);
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

pub fn up(up: bool) {
    gauge!(UP).set(f64::from(u8::from(up)));
}

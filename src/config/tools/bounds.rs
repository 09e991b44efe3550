//! What holds for every tool, wherever it comes from.

use std::time::Duration;

use crate::config::check::Check;

const LONGEST_CALL: Duration = Duration::from_secs(30);
/// A result may be of a person who asks to be erased.
const LONGEST_CACHE: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 1_048_576;

/// Whether a model, a metric and a log can have this name of a tool.
pub(super) fn is_tool_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

pub(super) fn bounds(
    timeout: Duration,
    cache: Duration,
    max_bytes: usize,
    max_calls: usize,
    check: &mut Check<'_>,
) {
    let called = (Duration::from_millis(1)..=LONGEST_CALL).contains(&timeout);
    check.require("timeout_ms", called, "must lie between 1 and 30000");
    check.require("cache_ms", cache <= LONGEST_CACHE, "may be at most 60000");
    let bytes = (1..=MOST_BYTES).contains(&max_bytes);
    check.require("max_bytes", bytes, format_args!("must lie between 1 and {MOST_BYTES}"));
    check.not_zero("max_calls", max_calls);
}

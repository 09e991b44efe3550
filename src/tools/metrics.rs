//! The metrics of tools. Labels are names of the configuration and closed sets.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::telemetry::declare;

declare! {
    CALLS: counter "rushdesk_tools_calls_total" ["tool", "outcome"]
        "Calls of a tool, by how they ended; `in_doubt`: a write whose result is not known yet"
        when "for each declared tool";
    CALL: histogram(SECONDS) "rushdesk_tools_call_seconds" ["tool"]
        "Time of a call, with waiting for a place and with results that were kept"
        when "after the first call of a tool";
    LOOKUPS: counter "rushdesk_tools_lookups_total" ["tool", "result"]
        "Reads that asked the target (`asked`), or shared the result of an equal one (`shared`)"
        when "for each declared tool";
    BREAKER: gauge "rushdesk_tools_breaker_open" ["target"]
        "1 while the breaker of a target refuses calls, otherwise 0" when "for each target";
}

/// The label of tools that admins wrote.
pub(super) const WRITTEN: &str = "written";

/// How a call ended.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Found,
    NotFound,
    Refused,
    TooManyTries,
    Unavailable,
    Busy,
    BadAnswer,
    TooLarge,
    InDoubt,
}

impl Outcome {
    const ALL: [Self; 9] = [
        Self::Found,
        Self::NotFound,
        Self::Refused,
        Self::TooManyTries,
        Self::Unavailable,
        Self::Busy,
        Self::BadAnswer,
        Self::TooLarge,
        Self::InDoubt,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::TooManyTries => "too_many_tries",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::BadAnswer => "bad_answer",
            Self::TooLarge => "too_large",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// Registers a tool, so that its counters appear in the first scrape.
pub(super) fn declared(tool: &str) {
    for outcome in Outcome::ALL {
        counter!(CALLS, "tool" => tool.to_owned(), "outcome" => outcome.label()).increment(0);
    }
    for result in ["asked", "shared"] {
        counter!(LOOKUPS, "tool" => tool.to_owned(), "result" => result).increment(0);
    }
}

pub(super) fn called(tool: &str, outcome: Outcome, took: Duration) {
    counter!(CALLS, "tool" => tool.to_owned(), "outcome" => outcome.label()).increment(1);
    histogram!(CALL, "tool" => tool.to_owned()).record(took);
}

pub(super) fn looked_up(tool: &str, asked: bool) {
    let result = if asked { "asked" } else { "shared" };
    counter!(LOOKUPS, "tool" => tool.to_owned(), "result" => result).increment(1);
}

pub(super) fn breaker(target: &str, open: bool) {
    gauge!(BREAKER, "target" => target.to_owned()).set(f64::from(u8::from(open)));
}

//! What sessions count.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::domain::{Fact, Route};

pub fn describe() {
    describe_gauge!("rushdesk_sessions_live", Unit::Count, "session actors in this process");
    describe_gauge!("rushdesk_turns_running", Unit::Count, "turns being answered in this process");
    describe_counter!("rushdesk_turns_total", Unit::Count, "ended turns by outcome and route");
    describe_counter!("rushdesk_turns_interrupted_total", Unit::Count, "turns found unfinished");
    describe_counter!("rushdesk_turn_panics_total", Unit::Count, "turns that ended by a panic");
    describe_counter!(
        "rushdesk_journal_fallbacks_total",
        Unit::Count,
        "appends that the archive took because the hot store was away"
    );
    describe_counter!(
        "rushdesk_sessions_detached_total",
        Unit::Count,
        "sessions whose hot copy was left behind"
    );
    describe_gauge!(
        "rushdesk_sessions_detached",
        Unit::Count,
        "sessions whose hot copy is behind the archive, as this process knows"
    );
    describe_gauge!(
        "rushdesk_sessions_unsaved",
        Unit::Count,
        "sessions that this process keeps a second time until the archive has them"
    );
    describe_histogram!("rushdesk_turn_seconds", Unit::Seconds, "whole turn, by route");
    describe_histogram!(
        "rushdesk_turn_first_token_seconds",
        Unit::Seconds,
        "from the message to the first piece of its answer, by route"
    );
}

pub fn session_started() {
    gauge!("rushdesk_sessions_live").increment(1);
}

pub fn session_stopped() {
    gauge!("rushdesk_sessions_live").decrement(1);
}

pub fn fell_back() {
    counter!("rushdesk_journal_fallbacks_total").increment(1);
}

pub fn detached() {
    counter!("rushdesk_sessions_detached_total").increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "counts of sessions are small")]
pub fn fallback(unsaved: usize, detached: usize) {
    gauge!("rushdesk_sessions_unsaved").set(unsaved as f64);
    gauge!("rushdesk_sessions_detached").set(detached as f64);
}

pub fn turn_started() {
    gauge!("rushdesk_turns_running").increment(1);
}

pub fn turn_interrupted() {
    counter!("rushdesk_turns_interrupted_total").increment(1);
}

pub fn turn_panicked() {
    counter!("rushdesk_turn_panics_total").increment(1);
}

/// Counts one ended turn. Every label is from a closed set.
pub fn turn_ended(fact: &Fact) {
    gauge!("rushdesk_turns_running").decrement(1);
    let (outcome, route) = match fact {
        Fact::MessageCreated { .. } => return,
        Fact::AnswerCompleted { route, timings, .. } => {
            let label = route.as_str();
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a turn are small")]
            let seconds = |millis: u64| millis as f64 / 1_000.0;
            histogram!("rushdesk_turn_seconds", "route" => label).record(seconds(timings.total_ms));
            if let Some(first) = timings.first_token_ms {
                histogram!("rushdesk_turn_first_token_seconds", "route" => label)
                    .record(seconds(first));
            }
            ("completed", Some(*route))
        }
        Fact::TurnFailed { problem, .. } => {
            counter!("rushdesk_turn_failures_total", "code" => problem.code.as_str()).increment(1);
            ("failed", None)
        }
        Fact::TurnCancelled { .. } => ("cancelled", None),
    };
    let route = route.map_or("none", Route::as_str);
    counter!("rushdesk_turns_total", "outcome" => outcome, "route" => route).increment(1);
}

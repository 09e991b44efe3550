//! Metrics of all kinds of turns.

use metrics::counter;

use crate::{config::GuardAction, guard::Rule, telemetry::declare};

declare! {
    SCREENED: counter "rushdesk_guard_input_total" ["rule"]
        "Messages that tried to steer the assistant, by the rule that saw it, and insults and threats"
        when "after the first one";
    PANICS: counter "rushdesk_turn_panics_total" [] "Turns that panicked";
    DECISIONS: counter "rushdesk_guard_decisions_total" ["rule", "action"]
        "Sentences of models that broke a rule of the guard, and what was done"
        when "after the first one";
    DROPPED: counter "rushdesk_guard_decisions_dropped_total" []
        "Decisions of the guard that were not kept, since too many waited or the archive was away";
}

/// `rule` is a label of `guard::injection::Rule` or `guard::Abuse`.
pub fn screened(rule: &'static str) {
    counter!(SCREENED, "rule" => rule).increment(1);
}

pub fn panicked() {
    counter!(PANICS).increment(1);
}

pub(super) fn decided(rule: Rule, action: GuardAction) {
    counter!(DECISIONS, "rule" => rule.as_str(), "action" => action.as_str()).increment(1);
}

pub(super) fn decisions_dropped(count: u64) {
    counter!(DROPPED).increment(count);
}

//! Metrics of all kinds of turns.

use metrics::counter;

use crate::telemetry::declare;

declare! {
    PANICS: counter "rushdesk_turn_panics_total" [] "Turns that panicked";
}

pub fn panicked() {
    counter!(PANICS).increment(1);
}

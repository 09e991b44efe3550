//! What the relay counts.

use metrics::counter;

use crate::telemetry::declare;

declare! {
    DROPPED: counter "rushdesk_relay_dropped_total" [] "Messages to other replicas that were dropped";
}

pub fn dropped() {
    counter!(DROPPED).increment(1);
}

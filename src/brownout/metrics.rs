//! Metrics of the service level and of tickets.

use metrics::{counter, gauge};

use crate::{domain::ServiceLevel, telemetry::declare};

declare! {
    LEVEL: gauge "rushdesk_service_level" [] "Service level in force, 0 (full service) to 4 (tickets)";
    CHANGES: counter "rushdesk_service_level_changes_total" ["direction"]
        "Changes of the service level, `up` or `down`" when "after the first";
    OPENED: counter "rushdesk_tickets_opened_total" [] "Questions that became tickets";
    ANSWERED: counter "rushdesk_tickets_answered_total" [] "Tickets that were answered";
    FAILED: counter "rushdesk_ticket_failures_total" [] "Attempts to answer a ticket that failed";
    OPEN: gauge "rushdesk_tickets_open" [] "Tickets that are not answered yet, on all replicas";
}

pub(super) fn level(level: ServiceLevel) {
    gauge!(LEVEL).set(f64::from(level.0));
}

pub(super) fn changed(from: ServiceLevel, to: ServiceLevel) {
    let direction = if to > from { "up" } else { "down" };
    counter!(CHANGES, "direction" => direction).increment(1);
}

pub fn ticket_opened() {
    counter!(OPENED).increment(1);
}

pub fn ticket_answered() {
    counter!(ANSWERED).increment(1);
}

pub fn ticket_failed() {
    counter!(FAILED).increment(1);
}

pub fn tickets_open(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "there are not that many tickets")]
    gauge!(OPEN).set(count as f64);
}

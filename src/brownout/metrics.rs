//! What the ladder and the tickets count.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

use crate::domain::ServiceLevel;

const LEVEL: &str = "rushdesk_service_level";
const CHANGES: &str = "rushdesk_service_level_changes_total";
const OPENED: &str = "rushdesk_tickets_opened_total";
const ANSWERED: &str = "rushdesk_tickets_answered_total";
const FAILED: &str = "rushdesk_ticket_failures_total";
const OPEN: &str = "rushdesk_tickets_open";

/// Names the metrics to the recorder; once, at start.
pub fn describe() {
    describe_gauge!(LEVEL, Unit::Count, "service level in force, 0 (full) to 4 (ticket)");
    describe_counter!(CHANGES, Unit::Count, "steps of the brownout ladder, by direction");
    describe_counter!(OPENED, Unit::Count, "questions that were kept to be answered later");
    describe_counter!(ANSWERED, Unit::Count, "tickets whose answer was delivered");
    describe_counter!(FAILED, Unit::Count, "attempts at a ticket that gave no answer");
    describe_gauge!(OPEN, Unit::Count, "tickets that wait for their answer, of all replicas");
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

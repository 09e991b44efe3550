//! What the knowledge counts.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const PASSAGES: &str = "rushdesk_knowledge_passages";
const SEARCHES: &str = "rushdesk_knowledge_searches_total";
const CHANGES: &str = "rushdesk_knowledge_changes_total";

pub fn describe() {
    describe_gauge!(PASSAGES, Unit::Count, "Passages that this process searches");
    describe_counter!(SEARCHES, Unit::Count, "Searches by whether a passage was found");
    describe_counter!(CHANGES, Unit::Count, "Changes of documents that came to this process");
}

#[expect(clippy::cast_precision_loss, reason = "a count of passages")]
pub fn passages(count: usize) {
    gauge!(PASSAGES).set(count as f64);
}

pub fn searched(found: bool) {
    counter!(SEARCHES, "outcome" => if found { "found" } else { "none" }).increment(1);
}

/// `change` is `created`, `updated`, `unchanged` or `deleted`.
pub fn changed(change: &'static str) {
    counter!(CHANGES, "change" => change).increment(1);
}

//! Metrics of the knowledge.

use metrics::{counter, gauge};

use crate::telemetry::declare;

declare! {
    PASSAGES: gauge "rushdesk_knowledge_passages" [] "Passages in the search index of this process"
        when "after the first document";
    SEARCHES: counter "rushdesk_knowledge_searches_total" ["outcome"]
        "Searches: `found` at least one passage, or `none`";
    CHANGES: counter "rushdesk_knowledge_changes_total" ["change"]
        "Changes of documents that this process loaded" when "after the first change";
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

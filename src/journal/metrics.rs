//! What the journal counts.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::telemetry::declare;

declare! {
    APPEND: histogram(QUICK) "rushdesk_journal_append_seconds" []
        "Time until an append is durable, in Redis, on disk or in the archive";
    FALLBACKS: counter "rushdesk_journal_fallbacks_total" []
        "Appends that the archive took because redis was unreachable";
    DETACHED_TOTAL: counter "rushdesk_sessions_detached_total" []
        "Sessions whose copy in redis was left behind";
    DETACHED: gauge "rushdesk_sessions_detached" []
        "Sessions whose copy in redis is behind the archive, as far as this process knows"
        when "in distributed mode";
    UNSAVED: gauge "rushdesk_sessions_unsaved" []
        "Sessions that this process keeps a second copy of until the archive has them"
        when "in distributed mode";
    BACKLOG: gauge "rushdesk_archive_backlog_sessions" []
        "Sessions with events that the archive does not hold yet" when "in distributed mode";
    OLDEST: gauge "rushdesk_archive_oldest_unflushed_seconds" []
        "Age of the oldest event that the archive does not hold yet" when "in distributed mode";
    CONFLICTS: counter "rushdesk_archive_conflicts_total" []
        "Sessions that two replicas continued separately and that were merged";
}

pub fn appended(took: Duration) {
    histogram!(APPEND).record(took);
}

pub fn fell_back() {
    counter!(FALLBACKS).increment(1);
}

pub fn detached() {
    counter!(DETACHED_TOTAL).increment(1);
}

#[expect(clippy::cast_precision_loss, reason = "counts of sessions are small")]
pub fn fallback(unsaved: usize, detached: usize) {
    gauge!(UNSAVED).set(unsaved as f64);
    gauge!(DETACHED).set(detached as f64);
}

#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds are small")]
pub fn archivist(backlog: usize, oldest_unflushed_ms: u64) {
    gauge!(BACKLOG).set(backlog as f64);
    gauge!(OLDEST).set(oldest_unflushed_ms as f64 / 1_000.0);
}

pub fn conflict() {
    counter!(CONFLICTS).increment(1);
}

//! What the archive counts.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::{ArchiveError, ArchivistStatus};

const ERRORS: &str = "rushdesk_archive_errors_total";
const COMMIT: &str = "rushdesk_archive_commit_seconds";
const COMMITTED: &str = "rushdesk_archive_committed_sessions_total";
const CONFLICTS: &str = "rushdesk_archive_conflicts_total";
const UP: &str = "rushdesk_archive_up";
const BACKLOG: &str = "rushdesk_archive_backlog_sessions";
const OLDEST: &str = "rushdesk_archive_oldest_unflushed_seconds";

/// Names the metrics to the recorder; once, at start.
pub fn describe() {
    describe_counter!(ERRORS, "Archive operations that failed, by situation");
    describe_histogram!(COMMIT, "Time of one commit of sessions to the archive");
    describe_counter!(COMMITTED, "Session batches committed to the archive");
    describe_counter!(CONFLICTS, "Sessions that went on in two places and were merged");
    describe_gauge!(UP, "1 while the archive answers, as far as this process knows");
    gauge!(UP).set(1.0);
    describe_gauge!(BACKLOG, "Sessions seen with facts that the archive does not hold yet");
    describe_gauge!(OLDEST, "Age of the oldest fact that the archive does not hold yet");
}

pub(super) fn failed(error: &ArchiveError) {
    counter!(ERRORS, "error" => error.as_str()).increment(1);
}

pub(super) fn committed(sessions: usize, took: Duration) {
    histogram!(COMMIT).record(took);
    counter!(COMMITTED).increment(sessions as u64);
}

pub(super) fn archivist(status: &ArchivistStatus) {
    gauge!(BACKLOG).set(status.backlog as f64);
    gauge!(OLDEST).set(status.oldest_unflushed_ms as f64 / 1_000.0);
}

pub(super) fn conflict() {
    counter!(CONFLICTS).increment(1);
}

pub(super) fn up(up: bool) {
    gauge!(UP).set(f64::from(u8::from(up)));
}

//! What the archive counts.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::{ArchiveError, ArchivistStatus};
use crate::telemetry::declare;

declare! {
    CALLS: histogram(QUICK) "rushdesk_archive_operation_seconds" []
        "Calls of the archive, reads and commits, with their wait for a connection";
    COMMIT: histogram(QUICK) "rushdesk_archive_commit_seconds" []
        "Commits of sessions to the archive";
    COMMITTED: counter "rushdesk_archive_committed_sessions_total" []
        "Sessions in these commits";
    ERRORS: counter "rushdesk_archive_errors_total" ["error"]
        "Archive operations that failed, by situation" when "after the first failure";
    CONFLICTS: counter "rushdesk_archive_conflicts_total" []
        "Sessions that went on in two places and were merged";
    UP: gauge "rushdesk_archive_up" [] "1 while the archive answers, as far as this process knows";
    BACKLOG: gauge "rushdesk_archive_backlog_sessions" []
        "Sessions seen with facts that the archive does not hold yet" when "in distributed mode";
    OLDEST: gauge "rushdesk_archive_oldest_unflushed_seconds" []
        "Age of the oldest fact that the archive does not hold yet" when "in distributed mode";
}

pub(super) fn called(took: Duration) {
    histogram!(CALLS).record(took);
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

pub fn up(up: bool) {
    gauge!(UP).set(f64::from(u8::from(up)));
}

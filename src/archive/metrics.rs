//! What the archive counts.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::error::ArchiveError;
use crate::telemetry::declare;

declare! {
    CALLS: histogram(QUICK) "rushdesk_archive_operation_seconds" []
        "Reads and commits of the archive, including the wait for a connection";
    COMMIT: histogram(QUICK) "rushdesk_archive_commit_seconds" []
        "Transactions that append to sessions, each with the appends that waited together";
    COMMITTED: counter "rushdesk_archive_committed_total" []
        "Appends and new sessions that the archive has taken";
    ERRORS: counter "rushdesk_archive_errors_total" ["error"]
        "Failed operations of the archive, by error" when "after the first failure";
    UP: gauge "rushdesk_archive_up" [] "1 if the archive answers, as known to this process";
}

pub(super) fn called(took: Duration) {
    histogram!(CALLS).record(took);
}

pub(super) fn failed(error: &ArchiveError) {
    counter!(ERRORS, "error" => error.as_str()).increment(1);
}

pub(super) fn committed(steps: usize, took: Duration) {
    histogram!(COMMIT).record(took);
    counter!(COMMITTED).increment(steps as u64);
}

pub fn up(up: bool) {
    gauge!(UP).set(f64::from(u8::from(up)));
}

//! Metrics of files that are read again.

use metrics::counter;

use crate::telemetry::declare;

declare! {
    RENEWALS: counter "rushdesk_renewals_total" ["files", "outcome"]
        "Reloads of changed files, by outcome: `in_force`, or `refused` if they cannot be used and the previous ones stay in use"
        when "after the first change";
}

pub(super) fn renewed(files: &'static str, outcome: &'static str) {
    counter!(RENEWALS, "files" => files, "outcome" => outcome).increment(1);
}

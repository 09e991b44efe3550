//! What the journal counts.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::telemetry::declare;

declare! {
    APPEND: histogram(QUICK) "rushdesk_journal_append_seconds" []
        "Time until an append is durable or refused";
    TAKEN_OVER: counter "rushdesk_sessions_taken_over_total" []
        "Sessions that this replica took over from another owner, or from its own earlier actor";
    OUTRUN: counter "rushdesk_journal_outrun_total" []
        "Appends that were refused because another replica was faster";
    IN_DOUBT: gauge "rushdesk_journal_in_doubt" []
        "Messages that the archive may have taken without an answer; they are sent again";
}

/// A gauge shows only once it was set.
pub fn start() {
    gauge!(IN_DOUBT).set(0.0);
}

pub fn appended(took: Duration) {
    histogram!(APPEND).record(took);
}

pub fn taken_over() {
    counter!(TAKEN_OVER).increment(1);
}

pub fn outrun() {
    counter!(OUTRUN).increment(1);
}

/// Counts a message in doubt while it is held.
#[must_use]
pub struct InDoubt(());

impl InDoubt {
    pub fn one() -> Self {
        gauge!(IN_DOUBT).increment(1);
        Self(())
    }
}

impl Drop for InDoubt {
    fn drop(&mut self) {
        gauge!(IN_DOUBT).decrement(1);
    }
}

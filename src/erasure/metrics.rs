//! Metrics of erasures.

use metrics::gauge;

use crate::telemetry::declare;

declare! {
    OPEN: gauge "rushdesk_erasures_open" []
        "Erasures of customers that a store has not confirmed yet, on all replicas";
}

pub(super) fn open(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "there are not that many customers")]
    gauge!(OPEN).set(count as f64);
}

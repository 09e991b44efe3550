//! What desks count.

use metrics::gauge;

use crate::telemetry::declare;

declare! {
    WAITING: gauge "rushdesk_handoffs_waiting" []
        "Conversations that wait for a person, on all replicas";
}

pub fn waiting(count: u64) {
    #[expect(clippy::cast_precision_loss, reason = "there are not that many conversations")]
    gauge!(WAITING).set(count as f64);
}

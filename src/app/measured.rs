//! All metrics of the service.

use crate::{
    archive, brownout, cache, desk, embedding, erasure, hot, http, inference, journal, knowledge,
    limits, relay, renewal, session,
    telemetry::{Chapter, actors, process, traces},
    tools, turn,
};

/// In the order of `docs/metrics.md`.
pub fn measured() -> Vec<Chapter> {
    vec![
        ("HTTP", http::METRICS),
        ("Sessions", session::metrics::METRICS),
        ("Turns", turn::metrics::METRICS),
        ("Desk", desk::metrics::METRICS),
        ("Service level and tickets", brownout::metrics::METRICS),
        ("Inference pool", inference::metrics::METRICS),
        ("Cache", cache::metrics::METRICS),
        ("Embedding", embedding::metrics::METRICS),
        ("Knowledge", knowledge::METRICS),
        ("Tools", tools::metrics::METRICS),
        ("Limits", limits::METRICS),
        ("Hot store", hot::METRICS),
        ("Journal", journal::METRICS),
        ("Archive", archive::METRICS),
        ("Erasures", erasure::metrics::METRICS),
        ("Replicas", relay::METRICS),
        ("Actors", actors::METRICS),
        ("Certificate and signing secrets", renewal::METRICS),
        ("Traces", traces::METRICS),
        ("Process and disk", process::METRICS),
        ("Process, as every service shows it", process::PROCESS),
    ]
}

//! The recorder behind `/metrics`.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::metric::{Chapter, Kind, all};

/// Installs the recorder with the buckets that each histogram declares.
///
/// # Errors
/// If a recorder is already installed.
pub fn install(chapters: &[Chapter]) -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    for metric in all(chapters) {
        if let Kind::Histogram(buckets) = metric.kind {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, buckets)?;
        }
    }
    Ok(builder.install_recorder()?)
}

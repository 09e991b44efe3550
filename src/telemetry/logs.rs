//! Log lines, as text for people or as JSON for machines; never with customer text.

use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::traces::{self, Traces};
use crate::config::{LogFormat, Telemetry};

/// Sets up logs, and traces where a collector is configured. A `rustls` provider must be installed before.
///
/// # Errors
/// Where the filter cannot be read, which the check of the configuration has ruled out, the exporter cannot be made or
/// logging was set up before.
pub fn init(config: &Telemetry) -> anyhow::Result<Traces> {
    let filter = config.filter()?;
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(true);
    let layer = match config.log_format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let (spans, traces) = traces::layer(config)?;
    tracing_subscriber::registry().with(layer.with_filter(filter)).with(spans).try_init()?;
    Ok(traces)
}

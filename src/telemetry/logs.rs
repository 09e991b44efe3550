//! Log lines, as text for people or as JSON for machines; never with customer text.

use std::{ffi::OsStr, io::IsTerminal as _};

use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use super::traces::{self, Traces};
use crate::config::{LogFormat, Telemetry};

/// Sets up logs, and traces if a collector is configured. Install a `rustls` provider before.
///
/// # Errors
/// If the filter cannot be parsed (which the check of the configuration excludes), the exporter
/// cannot be created, or logging was set up before.
pub fn init(config: &Telemetry) -> anyhow::Result<Traces> {
    let filter = config.filter()?;
    let no_color = std::env::var_os("NO_COLOR");
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(is_coloured(std::io::stderr().is_terminal(), no_color.as_deref()))
        .with_target(true);
    let layer = match config.log_format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let (spans, traces) = traces::layer(config)?;
    tracing_subscriber::registry().with(layer.with_filter(filter)).with(spans).try_init()?;
    Ok(traces)
}

/// Colours are for terminals only, and not if [`NO_COLOR`](https://no-color.org) is set.
fn is_coloured(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_gets_colours_and_only_if_nobody_minds() {
        let no_color = |value| Some(OsStr::new(value));
        assert!(is_coloured(true, None) && is_coloured(true, no_color("")));
        assert!(!is_coloured(true, no_color("1")) && !is_coloured(false, None));
    }
}

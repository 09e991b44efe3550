//! `[telemetry]`: logs and traces.

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, filter::ParseError};

use super::{
    address::is_http,
    check::{Check, Section},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub log_format: LogFormat,
    pub log: String,
    pub otlp_endpoint: String,
    pub otlp_sample: f64,
}

impl Telemetry {
    /// The filter of the log.
    ///
    /// # Errors
    /// If `telemetry.log` cannot be read.
    pub fn filter(&self) -> Result<EnvFilter, ParseError> {
        // That crate quotes what servers of tools say, which is text of customers.
        EnvFilter::try_new(format!("{},rmcp=off", self.log))
    }
}

impl Section for Telemetry {
    fn check(&self, check: &mut Check<'_>) {
        if let Err(error) = self.filter() {
            let how = "write a level such as `info`, or `warn,rushdesk=debug`";
            check.require("log", false, format_args!("{error}: {how}"));
        }
        check.require(
            "otlp_endpoint",
            self.otlp_endpoint.is_empty() || is_http(&self.otlp_endpoint),
            "must be an http:// or https:// address, or empty",
        );
        check.between_0_and_1("otlp_sample", self.otlp_sample);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::assert_faults;

    #[test]
    fn filters_can_be_read_and_traces_go_where_an_address_says() {
        let file = "[telemetry]\nlog = \"rushdesk=loud\"\notlp_endpoint = \"collector:4318\"\n\
             otlp_sample = 2\n";
        let keys = ["telemetry.log", "telemetry.otlp_endpoint", "telemetry.otlp_sample"];
        assert_faults(file, &[], &keys);
    }
}

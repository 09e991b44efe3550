//! `rushdesk-goose`: load that comes from Goose, with its reports, its thresholds and its command line.
//!
//! One scenario a run. What a scenario does not set can be given as Goose takes it: `--users`, `--test-plan`,
//! `--threshold`, `--report-file` and the rest.

mod scenarios;
mod shopper;
mod socket;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, parser::ValueSource};
use goose::{GooseError, config::GooseConfiguration};

use self::scenarios::Kind;

#[derive(Parser)]
#[command(
    name = "rushdesk-goose",
    about = "Goose scenarios for a Rushdesk",
    disable_version_flag = true
)]
struct Cli {
    /// What the shoppers do.
    #[arg(value_enum)]
    scenario: Kind,
    /// The shop's public key.
    #[arg(long, default_value = "pk_demo")]
    site_key: String,
    #[command(flatten)]
    goose: GooseConfiguration,
}

/// Exit codes: 0 all thresholds held, 1 one did not, 2 the run could not be made.
fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let given = |option: &str| is_given(&matches, option);
    // Two TLS providers are compiled in where Goose is; one has to be chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rushdesk-goose: no runtime: {error}");
            return ExitCode::from(2);
        }
    };
    let attack =
        async { Box::pin(cli.scenario.attack(cli.goose, cli.site_key, given)?.execute()).await };
    match runtime.block_on(attack) {
        // A run without a single measured request proves nothing.
        Ok(metrics) if metrics.requests.is_empty() => {
            eprintln!(
                "rushdesk-goose: nothing was measured; is the host up, and the run long enough?"
            );
            ExitCode::from(2)
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(GooseError::ThresholdsFailed { .. }) => {
            eprintln!("rushdesk-goose: a threshold was not held; the table above says which");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("rushdesk-goose: {}", reason(&error));
            ExitCode::from(2)
        }
    }
}

/// Whether an option of this name stands on the command line.
fn is_given(matches: &ArgMatches, option: &str) -> bool {
    matches.value_source(option) == Some(ValueSource::CommandLine)
}

/// Goose keeps the useful half of what it says in a field.
fn reason(error: &GooseError) -> String {
    match error {
        GooseError::InvalidOption { option, detail, .. } => format!("{option}: {detail}"),
        other => other.to_string(),
    }
}

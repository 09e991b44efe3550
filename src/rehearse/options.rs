//! The command line of a rehearsal.

use std::{path::PathBuf, time::Duration};

/// The options of a rehearsal, from the command line of `rushdesk rehearse`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// An access log (common, combined or JSON lines), or the JSON of a Prometheus range query.
    #[arg(long)]
    pub from: PathBuf,
    /// Multiplies the rate of the log.
    #[arg(long, default_value_t = 20.0)]
    pub times: f64,
    /// The service, for example `http://127.0.0.1:8080`.
    #[arg(long)]
    pub target: String,
    /// The shop's public key.
    #[arg(long, default_value = "pk_demo")]
    pub site_key: String,
    /// Plays the whole log in this time, for example 90s, 10m or 2h. Rates stay the same; each
    /// lasts shorter.
    #[arg(long, default_value = "10m", value_parser = span)]
    pub within: Duration,
    /// File with questions, one per line. Without it, titles of the target's documents are used.
    #[arg(long)]
    pub questions: Option<PathBuf>,
    /// API key of the site, to list its documents.
    #[arg(long, env = "RUSHDESK_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Share of the questions, 0 to 1, that get a unique number, so that their answers are not
    /// shared.
    #[arg(long, default_value_t = 0.5)]
    pub own_share: f64,
    /// For a log without chats: the number of chats for 1,000 page views.
    #[arg(long)]
    pub per_thousand: Option<f64>,
    /// Confirms that you may put load on a target outside this machine and private networks.
    #[arg(long)]
    pub yes_this_is_mine: bool,
    #[command(flatten)]
    pub thresholds: Thresholds,
    /// Seed of the times and questions of the plan.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Thresholds, in addition to "every admitted turn has an end".
#[derive(Clone, Copy, Debug, PartialEq, clap::Args)]
pub struct Thresholds {
    /// The first word of an answer, p99.
    #[arg(long, default_value = "10s", value_parser = span)]
    pub first_token_p99: Duration,
    /// Share of refused messages, 0 to 1.
    #[arg(long, default_value_t = 0.01)]
    pub most_refused: f64,
    /// Share of messages, 0 to 1, with an answer or a ticket within ten seconds.
    #[arg(long, default_value_t = 0.95)]
    pub least_useful: f64,
    /// How late messages may be sent, p99. A generator that is later did not play the plan.
    #[arg(long, default_value = "1s", value_parser = span)]
    pub most_late: Duration,
}

/// `90s`, `10m`, `2h` or `1h30m`.
fn span(text: &str) -> Result<Duration, String> {
    let fault = || format!("`{text}` is not a duration: write it as 90s, 10m or 2h");
    let span: jiff::SignedDuration = text.parse().map_err(|_| fault())?;
    Duration::try_from(span).map_err(|_| fault())
}

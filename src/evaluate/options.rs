//! The command line of `rushdesk eval`.

use std::path::PathBuf;

use crate::triage::CONFIDENT;

/// What is measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Measure {
    /// How much personal data is masked, by type, and how often something else is.
    Pii(Options),
    /// Whether messages are understood: topic, wish for a person, confidence. Needs the embedding
    /// model of the configuration.
    Routing(RoutingOptions),
}

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Files of JSON lines with `text` and `spans` (`start` and `end` in code points, `type`), or
    /// folders of such files.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Prints this many misses and false alarms of each row.
    #[arg(long, default_value_t = 0)]
    pub show: usize,
}

#[derive(Clone, Debug, clap::Args)]
pub struct RoutingOptions {
    /// Files of JSON lines with `text`, `source`, `route` and `coarse`, or folders of such files. A
    /// `baseline` with `topic` and `confidence` is measured, too.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// A file with a language, `yes` or `no`, and a message on each line, cut at tabs: does the
    /// shopper want to talk to a person?
    #[arg(long)]
    pub phrases: Option<PathBuf>,
    /// From which confidence on a message is answered without a question back.
    #[arg(long, default_value_t = CONFIDENT)]
    pub confidence: f32,
    /// Prints this many faults of each kind.
    #[arg(long, default_value_t = 0)]
    pub show: usize,
}

//! The command line of `rushdesk eval`.

use std::path::PathBuf;

/// What is measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Measure {
    /// How much personal data is masked, by type, and how often something else is.
    Pii(Options),
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

//! The command line of `rushdesk eval`.

use std::path::PathBuf;

use crate::config::topic_confidence;

/// What is measured.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Measure {
    /// How much personal data is masked, by type, and how often something else is.
    Pii(Options),
    /// Whether messages are understood: topic, wish for a person, confidence. Needs the embedding
    /// model of the configuration.
    Routing(RoutingOptions),
    /// How many questions are answered from the cache, and how many of those wrongly. Needs the
    /// embedding model of the configuration.
    Cache(CacheOptions),
    /// Whether attacks on the assistant are seen, by category, and how often something else is taken
    /// for one. Needs the embedding model of the configuration.
    Injection(InjectionOptions),
    /// Whether messages about orders, products and stores end in the right tool, with the right
    /// arguments, or in the right question back, without a model.
    Errands(ErrandOptions),
    /// Whether questions get the right answer from the pages of a shop, without a model.
    Answers(AnswerOptions),
}

#[derive(Clone, Debug, clap::Args)]
pub struct CacheOptions {
    /// Files of JSON lines with `text` and `label`, in the order of asking, or folders of such files.
    /// Questions with one label have one answer.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// As `cache.confirmations`; may be given several times.
    #[arg(long = "confirmations", default_values_t = [1, 2])]
    pub confirmations: Vec<usize>,
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
    #[arg(long, default_value_t = topic_confidence())]
    pub confidence: f32,
    /// Prints this many faults of each kind.
    #[arg(long, default_value_t = 0)]
    pub show: usize,
}

#[derive(Clone, Debug, clap::Args)]
pub struct ErrandOptions {
    /// Files of JSON lines with `language`, `text`, `want` and possibly `earlier` and `signed_in`, or
    /// folders of such files.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Prints this many faults.
    #[arg(long, default_value_t = 0)]
    pub show: usize,
}

#[derive(Clone, Debug, clap::Args)]
pub struct InjectionOptions {
    /// Files of JSON lines with `text`, `label` (`attack` or another) and `category`, or folders of
    /// such files. A `baseline` from 0 to 1 is measured, too.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// Prints this many faults of each category.
    #[arg(long, default_value_t = 0)]
    pub show: usize,
}

#[derive(Clone, Debug, clap::Args)]
pub struct AnswerOptions {
    /// Files of JSON lines with `kind`, `question`, `has`, and possibly `history`, `language`,
    /// `today`, `not` and `fine`, or folders of such files.
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// The pages of the shop.
    #[arg(long, default_value = "demo/knowledge")]
    pub knowledge: PathBuf,
    /// From which confidence on an answer is given. The default is that of the configuration.
    #[arg(long)]
    pub confidence: Option<f32>,
    /// Writes what the head is fitted on to this file.
    #[arg(long)]
    pub features: Option<PathBuf>,
    /// Prints every answer that is not useful.
    #[arg(long)]
    pub show: bool,
}

//! `rushdesk rehearse`: yesterday's traffic, many times over, against a service that has to bear it
//! tomorrow.
//!
//! From a log only the minute and the kind of each request are kept: no address, no path, no query,
//! no text. What is asked comes from the shop's own knowledge or from a file. Called by the command
//! line; it never runs inside a service.

mod curve;
mod drive;
mod log;
mod prometheus;
mod questions;
mod target;
mod verdict;

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};

pub use self::{
    curve::{Curve, Minute},
    verdict::{Thresholds, Verdict},
};

/// Larger files are cut by the caller (`tail`, `split`); a day of a busy shop is well below.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// What a rehearsal is made from; the command line of `rushdesk rehearse`.
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
    /// File with questions, one a line. Without it, titles of the target's documents are used.
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

/// `90s`, `10m`, `2h` or `1h30m`.
fn span(text: &str) -> Result<Duration, String> {
    let fault = || format!("`{text}` is not a duration: write it as 90s, 10m or 2h");
    let span: jiff::SignedDuration = text.parse().map_err(|_| fault())?;
    Duration::try_from(span).map_err(|_| fault())
}

/// Reads, plays and judges. Prints the plan before it begins.
///
/// # Errors
/// When the file, the target or the questions cannot be used; the text says what to do.
pub async fn rehearse(options: &Options) -> anyhow::Result<Verdict> {
    ensure!(options.times > 0.0 && options.times.is_finite(), "--times must be above 0");
    ensure!(options.within >= Duration::from_secs(1), "--within must be at least 1s");
    ensure!((0.0..=1.0).contains(&options.own_share), "--own-share must be between 0 and 1");
    let (from, per_thousand) = (options.from.clone(), options.per_thousand);
    let curve = tokio::task::spawn_blocking(move || read(&from, per_thousand)).await??;
    let target = target::check(&options.target, options.yes_this_is_mine).await?;
    let http = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        // The target was checked; the target of a redirect was not.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .build()
        .context("cannot build the HTTP client")?;
    let questions = questions::load(options, &http, &target).await?;
    let plan = curve.plan(options.times, options.within, options.seed)?;
    println!("{}: {curve}", options.from.display());
    println!("{plan}; {} questions", questions.len());
    let seen = drive::drive(&http, &target, &options.site_key, &plan, &questions).await?;
    Ok(Verdict::of(&seen, options.thresholds))
}

/// The curve of a file that [`traffic`] understands.
///
/// # Errors
/// When the file cannot be read or holds no traffic.
pub fn read(path: &Path, per_thousand: Option<f64>) -> anyhow::Result<Curve> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    let size = file.metadata()?.len();
    ensure!(size <= MAX_FILE_BYTES, "{name} has more than 4 GiB: use a part of it");
    let curve = traffic(std::io::BufReader::new(file)).with_context(|| format!("in {name}"))?;
    curve.of_chats(per_thousand).with_context(|| format!("nothing to rehearse in {name}"))
}

/// The traffic in `lines`: a Prometheus answer is one JSON object with `data`, everything else is a
/// log.
///
/// # Errors
/// When they cannot be read, or are an export of another query.
pub fn traffic(mut lines: impl BufRead) -> anyhow::Result<Curve> {
    match prometheus::is_export(&mut lines)? {
        true => prometheus::read(lines).context("it is not the result of a range query"),
        false => log::read(lines),
    }
}

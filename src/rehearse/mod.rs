//! `rushdesk rehearse`: yesterday's traffic, many times over, against a service that has to bear it
//! tomorrow.
//!
//! From a log only the minute and the kind of each request are kept: no address, no path, no query,
//! no text. What is asked comes from the shop's own knowledge or from a file. Called by the command
//! line; it never runs inside a service.

mod curve;
mod drive;
mod log;
mod options;
mod prometheus;
mod questions;
mod target;
mod verdict;

use std::{io::BufRead, path::Path, time::Duration};

use anyhow::{Context as _, ensure};

pub use self::{
    curve::{Curve, Minute},
    options::{Options, Thresholds},
    verdict::Verdict,
};

/// Larger files are cut by the caller (`tail`, `split`); a day of a busy shop is well below.
const MAX_FILE_BYTES: u64 = 4 << 30;

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

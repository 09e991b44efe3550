//! `rushdesk rehearse`: replays the traffic of a past day at a multiple of its rate, against a
//! service that must handle an event soon.
//!
//! Only the minute and the kind of each request are kept from a log: no address, path, query or
//! text. The questions come from the shop's own knowledge or from a file. The command line calls
//! it; it never runs inside a service.

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

/// Larger files must be cut first (`tail`, `split`). A day of a busy shop is much smaller.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// Reads the log, plays the plan and judges the result. Prints the plan first.
///
/// # Errors
/// If the file, the target or the questions cannot be used. The text states what to do.
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
        // Only the target was checked, not the target of a redirect.
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
/// If the file cannot be read or contains no traffic.
pub fn read(path: &Path, per_thousand: Option<f64>) -> anyhow::Result<Curve> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    let size = file.metadata()?.len();
    ensure!(size <= MAX_FILE_BYTES, "{name} has more than 4 GiB: use a part of it");
    let curve = traffic(std::io::BufReader::new(file)).with_context(|| format!("in {name}"))?;
    curve.of_chats(per_thousand).with_context(|| format!("nothing to rehearse in {name}"))
}

/// The traffic in `lines`. A Prometheus response is one JSON object with `data`; anything else is a
/// log.
///
/// # Errors
/// If they cannot be read, or are an export of another query.
pub fn traffic(mut lines: impl BufRead) -> anyhow::Result<Curve> {
    match prometheus::is_export(&mut lines)? {
        true => prometheus::read(lines).context("it is not the result of a range query"),
        false => log::read(lines),
    }
}

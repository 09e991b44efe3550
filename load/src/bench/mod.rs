//! `bench`: measures a server that it starts itself, pinned to one core; load and backend run on another.
//!
//! Every time is shown beside the same load on the backend alone and through a bare proxy, in the same run.

mod drive;
mod process;
mod report;
mod setup;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use self::{
    drive::{Questions, Window},
    process::{Process, Usage},
    report::{HitsReport, Side, TurnsReport, TurnsRun},
    setup::{Folder, Service},
};
use crate::replay::Api;

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// CPU, memory and added first-token time of streamed whole turns, each with a question of its own.
    Turns(Args),
    /// Exact cache hits, streamed as whole turns, per CPU-second of the server.
    Hits(Args),
}

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program, built with --release.
    #[arg(long)]
    pub server_bin: PathBuf,
    /// Arguments of the server; may be given several times.
    #[arg(long, default_value = "serve", allow_hyphen_values = true)]
    pub server_arg: Vec<String>,
    /// Further settings of the server, as RUSHDESK__SECTION__KEY=VALUE; may be given several times.
    #[arg(long)]
    pub env: Vec<String>,
    /// Streams open at once.
    #[arg(long, default_value_t = 500)]
    pub streams: usize,
    /// Length of each measured window.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Load before the window opens.
    #[arg(long, default_value_t = 4)]
    pub settle_s: u64,
    /// Runs, of which the median counts.
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// Writes the report to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Shows the server's log.
    #[arg(long)]
    pub loud: bool,
}

/// Runs a benchmark and prints its report.
///
/// # Errors
/// When a process does not start or ends early.
pub async fn main(command: Command) -> anyhow::Result<ExitCode> {
    process::pin_self().await?;
    match command {
        Command::Turns(args) => {
            args.check()?;
            let mut runs = Vec::new();
            for number in 1..=args.runs {
                eprintln!("run {number} of {}", args.runs);
                runs.push(Box::pin(turns(&args)).await?);
            }
            let report = TurnsReport::new(args.streams, args.seconds, runs);
            print!("{report}");
            args.write(&report)?;
        }
        Command::Hits(args) => {
            args.check()?;
            let mut runs = Vec::new();
            for number in 1..=args.runs {
                eprintln!("run {number} of {}", args.runs);
                let backend = Service::backend().await?;
                runs.push(Box::pin(shoppers(&args, &backend.url, Questions::One)).await?);
            }
            let report = HitsReport::new(args.streams, args.seconds, runs);
            print!("{report}");
            args.write(&report)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.streams > 0 && self.seconds > 0 && self.runs > 0, "zero of what is measured");
        ensure!(self.server_bin.is_file(), "no program at {}", self.server_bin.display());
        Ok(())
    }

    fn window(&self) -> Window {
        drive::window(Duration::from_secs(self.settle_s), Duration::from_secs(self.seconds))
    }

    fn write(&self, report: &impl Serialize) -> anyhow::Result<()> {
        let Some(path) = &self.json else { return Ok(()) };
        std::fs::write(path, serde_json::to_vec_pretty(report)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

async fn turns(args: &Args) -> anyhow::Result<TurnsRun> {
    let backend = Service::backend().await?;
    let http = crate::http_client().build()?;
    let alone = drive::completions(&http, &backend.url, args.streams, args.window()).await;
    let proxy = Service::proxy(&backend.url).await?;
    let idle = proxy.process.usage()?;
    let window = args.window();
    let (counts, usage) = tokio::join!(
        drive::completions(&http, &proxy.url, args.streams, window),
        sampled(&proxy.process, window),
    );
    let proxied = Side::new(counts, idle, usage?, args.seconds as f64, args.streams);
    proxy.process.stop().await;
    let rushdesk = shoppers(args, &backend.url, Questions::Unique).await?;
    Ok(TurnsRun { backend_first_token_ms: alone.first_token.quantiles(), proxy: proxied, rushdesk })
}

/// Whole turns on a fresh Rushdesk.
async fn shoppers(args: &Args, backend: &str, questions: Questions) -> anyhow::Result<Side> {
    let folder = Folder::new()?;
    let server = Service::server(args, &folder.0, backend).await?;
    let idle = server.process.usage()?;
    let api = Api::new(&server.url, Duration::from_secs(10))?;
    let visitors = drive::visitors(&api, args.streams).await?;
    let window = args.window();
    let (counts, usage) = tokio::join!(
        drive::shoppers(&api, visitors, questions, window),
        sampled(&server.process, window),
    );
    let side = Side::new(counts, idle, usage?, args.seconds as f64, args.streams);
    server.process.stop().await;
    Ok(side)
}

async fn sampled(process: &Process, window: Window) -> anyhow::Result<[Usage; 3]> {
    let [open, middle, close] = drive::sample(window, || process.usage()).await;
    Ok([open?, middle?, close?])
}

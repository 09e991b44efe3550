//! `bench`: measures a server that it starts on one core. Load and backend run on another core.
//!
//! Every time is shown next to a baseline from the same run: the backend alone, a bare proxy, the
//! model alone.

mod alone;
mod drive;
mod hits;
mod peers;
mod report;
mod sessions;
mod streams;
mod turns;

use std::{fmt, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use self::{
    drive::{Accept, Questions, Window},
    hits::HitsReport,
    report::Side,
    turns::TurnsReport,
};
use crate::{
    replay::Api,
    rig::{Folder, Output, Process, Server, Usage, pin_self, visitors},
};

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// CPU, memory and added first-token time of streamed whole turns, each with a different
    /// question.
    Turns(Args),
    /// Cached answers per CPU-second of the server: for the same words, and for new wordings.
    Hits(Args),
    /// Answers in progress at the same time, and their memory.
    Streams {
        #[command(flatten)]
        args: Args,
        /// Streams opened per second.
        #[arg(long, default_value_t = 100.0)]
        ramp_per_s: f64,
    },
    /// Idle sessions that stay in memory.
    Sessions {
        #[command(flatten)]
        args: Args,
        /// How many sessions.
        #[arg(long, default_value_t = 100_000)]
        sessions: usize,
    },
    /// LiteLLM's proxy and nginx compared with Rushdesk, with the same requests on the same core.
    Peers(peers::Peers),
    /// The embedding model alone; part of `hits`.
    #[command(hide = true)]
    Model(alone::Args),
}

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program, built with --release.
    #[arg(long)]
    pub server_bin: PathBuf,
    /// Arguments of the server; can be repeated.
    #[arg(long, default_value = "serve", allow_hyphen_values = true)]
    pub server_arg: Vec<String>,
    /// Further settings of the server, as RUSHDESK__SECTION__KEY=VALUE; can be repeated.
    #[arg(long)]
    pub env: Vec<String>,
    /// Streams open at the same time.
    #[arg(long, default_value_t = 500)]
    pub streams: usize,
    /// Length of each measured window.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Seconds of load before the window opens.
    #[arg(long, default_value_t = 4)]
    pub settle_s: u64,
    /// Number of runs; the report shows their median.
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
/// If a process does not start or ends early.
pub async fn main(command: Command) -> anyhow::Result<ExitCode> {
    if let Command::Model(args) = &command {
        return alone::main(args).map(|()| ExitCode::SUCCESS);
    }
    pin_self().await?;
    match command {
        Command::Turns(args) => {
            let runs = args.repeat(async || Box::pin(turns::run(&args)).await).await?;
            args.show(&TurnsReport::new(args.streams, args.seconds, runs))?;
        }
        Command::Hits(args) => {
            let runs = args.repeat(async || Box::pin(hits::run(&args)).await).await?;
            args.show(&HitsReport::new(args.streams, args.seconds, runs))?;
        }
        Command::Streams { args, ramp_per_s } => {
            args.check()?;
            args.show(&Box::pin(streams::run(&args, ramp_per_s)).await?)?;
        }
        Command::Sessions { args, sessions } => {
            args.check()?;
            args.show(&Box::pin(sessions::run(&args, sessions)).await?)?;
        }
        Command::Peers(peers) => {
            let versions = peers::versions(&peers).await?;
            let runs = peers.args.repeat(async || Box::pin(peers::run(&peers)).await).await?;
            let (streams, seconds) = (peers.args.streams, peers.args.seconds);
            peers.args.show(&peers::PeersReport { streams, seconds, versions, runs })?;
        }
        Command::Model(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.streams > 0 && self.seconds > 0 && self.runs > 0, "zero of what is measured");
        Ok(())
    }

    async fn repeat<T>(&self, run: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
        self.check()?;
        let mut runs = Vec::new();
        for number in 1..=self.runs {
            eprintln!("run {number} of {}", self.runs);
            runs.push(run().await?);
        }
        Ok(runs)
    }

    fn window(&self) -> Window {
        drive::window(Duration::from_secs(self.settle_s), Duration::from_secs(self.seconds))
    }

    fn show(&self, report: &(impl Serialize + fmt::Display)) -> anyhow::Result<()> {
        print!("{report}");
        let Some(path) = &self.json else { return Ok(()) };
        std::fs::write(path, serde_json::to_vec_pretty(report)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// A Rushdesk on the server's core, with limits too high to matter.
    fn server(&self, folder: &Folder, backend: &str) -> anyhow::Result<Server> {
        let backends = Server::one_backend(backend, 100_000);
        let mut server = Server::embedded(&self.server_bin, &folder.0, &backends)?;
        server.args.clone_from(&self.server_arg);
        server.pin();
        server.unlimit();
        server.set_pairs(&self.env)?;
        if self.loud {
            server.output = Output::Terminal;
        }
        Ok(server)
    }

    /// Whole turns on a newly started Rushdesk.
    async fn shoppers(&self, backend: &str, asks: (Questions, Accept)) -> anyhow::Result<Side> {
        let folder = Folder::new()?;
        let server = self.server(&folder, backend)?.start().await?;
        let api = Api::new(&server.url, drive::PATIENCE)?;
        let visitors = visitors(&api, self.streams).await?;
        let idle = server.process.usage()?;
        let window = self.window();
        let (counts, usage) = tokio::join!(
            drive::shoppers(&api, visitors, asks, window),
            sampled(&server.process, window),
        );
        let side = Side::new(counts, idle, usage?, self.seconds as f64, self.streams);
        server.stop().await;
        Ok(side)
    }
}

async fn sampled(process: &Process, window: Window) -> anyhow::Result<[Usage; 3]> {
    let [open, middle, close] = drive::sample(window, || process.usage()).await;
    Ok([open?, middle?, close?])
}

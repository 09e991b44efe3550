//! `chaos`: breaks one thing after the other under load, puts it back, and looks for everything that was acknowledged.
//!
//! Two stages: one process with SQLite; two replicas (or more) with a Redis and a MariaDB of their own behind a balancer. What
//! is judged is loss, doubling, ends and recovery, never speed. Exit code 1: a promise was broken.

mod balancer;
mod disk;
mod fault;
mod probe;
mod report;
mod stage;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

use self::{
    fault::{Exclusion, Fault, Mode, Planned, plan},
    probe::Probe,
    report::{ChaosReport, Last, Round, heading},
    stage::Stage,
};
use crate::{
    replay::{self, TransportChoice},
    rig::Folder,
};

/// The load runs alone for at least this long, and at most this much longer.
const CALM: Duration = Duration::from_millis(300);
const STRIKE_WITHIN_MS: u64 = 1_500;
/// How long a thing stays broken that is not frozen.
const BROKEN_MS: std::ops::Range<u64> = 200..1_500;
const SLOW_FAULT: Duration = Duration::from_secs(4);
/// Generous: a debug build on a busy machine is not what is judged.
const RECOVERS_WITHIN: Duration = Duration::from_secs(180);
const PATIENCE_S: u64 = 120;
const TURN_TIMEOUT_S: u64 = 90;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program.
    #[arg(long)]
    pub server_bin: PathBuf,
    /// Rounds; 0: each fault once.
    #[arg(long, default_value_t = 0)]
    pub rounds: usize,
    /// Only this mode.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Only this fault; may be given several times.
    #[arg(long, value_enum)]
    pub fault: Vec<Fault>,
    /// Not this fault: `backend-killed`, or `distributed:backend-killed` for one mode; may be given several times.
    #[arg(long, value_name = "[MODE:]FAULT")]
    pub without: Vec<Exclusion>,
    /// Servers of the distributed mode.
    #[arg(long, default_value_t = 2)]
    pub replicas: usize,
    /// How long Redis and MariaDB stay frozen.
    #[arg(long, default_value_t = 5)]
    pub freeze_s: u64,
    /// Conversations of a round, and how many at once.
    #[arg(long, default_value_t = 16)]
    pub conversations: usize,
    #[arg(long, default_value_t = 8)]
    pub concurrency: usize,
    #[arg(long, value_enum, default_value = "mixed")]
    pub transport: TransportChoice,
    /// Conversations, one JSON object a line.
    #[arg(long, default_value = "load/data/sample_100.jsonl")]
    pub data: PathBuf,
    /// Decides what breaks when; each round adds its number. Random unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Writes the report to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Keeps the folder with logs and ledgers.
    #[arg(long)]
    pub keep: bool,
}

/// Runs all rounds and prints the report.
///
/// # Errors
/// When something does not start before it was broken.
pub async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    // Everything that was started ends with the future that holds it.
    let report = tokio::select! {
        report = Box::pin(run(args)) => report?,
        _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
        _ = terminate.recv() => return Ok(ExitCode::from(143)),
    };
    println!();
    print!("{report}");
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if report.has_failed() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

async fn run(args: &Args) -> anyhow::Result<ChaosReport> {
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::rng().random::<u16>()));
    println!("seed {seed}");
    println!("{}", heading());
    let is_wanted = |fault: &Fault| args.fault.is_empty() || args.fault.contains(fault);
    let modes = [Mode::Embedded, Mode::Distributed].into_iter();
    let is_excluded =
        |mode, fault| args.without.iter().any(|exclusion| exclusion.covers(mode, fault));
    let (excluded, pairs): (Vec<_>, Vec<_>) = modes
        .filter(|mode| args.mode.is_none_or(|only| only == *mode))
        .flat_map(|mode| mode.faults().iter().map(move |&fault| (mode, fault)))
        .filter(|(_, fault)| is_wanted(fault))
        .partition(|&(mode, fault)| is_excluded(mode, fault));
    let planned = plan(&pairs, args.rounds, seed);
    let left_out = excluded.into_iter().map(|(mode, fault)| format!("{mode}, {fault}: --without"));
    let mut report = ChaosReport { seed, left_out: left_out.collect(), ..ChaosReport::default() };
    for rounds in planned.chunk_by(|one, next| one.mode == next.mode) {
        Box::pin(stage(args, rounds, &mut report)).await?;
    }
    Ok(report)
}

/// All rounds of one mode, and everything once more at their end.
async fn stage(args: &Args, rounds: &[Planned], report: &mut ChaosReport) -> anyhow::Result<()> {
    let Some(Planned { mode, .. }) = rounds.first().copied() else { return Ok(()) };
    let folder = Folder::new()?;
    let mut stage = Stage::start(mode, &args.server_bin, args.replicas, &folder.0).await?;
    let ledger = folder.0.join("ledger.ndjson");
    let mut has_failed = false;
    for round in rounds {
        if !stage.can(round.fault) {
            let reason = format!("{}: a tmpfs cannot be mounted here", round.fault);
            report.left_out.push(reason);
            continue;
        }
        let round = Box::pin(strike(args, &mut stage, *round, &ledger)).await?;
        println!("{round}");
        has_failed |= round.has_failed();
        report.rounds.push(round);
    }
    stage.rolling_restart().await.context("the last restart")?;
    let replay = replay::run(&replay_args(args, &stage.url, 0, &ledger, true)).await?;
    let last = Last { mode, replay };
    println!("{last}");
    report.last.push(last);
    if has_failed || report.has_failed() {
        stage.logs().iter().for_each(|log| show_log(log));
    }
    drop(stage);
    if args.keep {
        println!("kept: {}", folder.0.display());
        std::mem::forget(folder);
    }
    Ok(())
}

async fn strike(
    args: &Args,
    stage: &mut Stage,
    Planned { mode, fault, seed }: Planned,
    ledger: &Path,
) -> anyhow::Result<Round> {
    let mut random = StdRng::seed_from_u64(seed);
    let delay = CALM + Duration::from_millis(random.random_range(0..STRIKE_WITHIN_MS));
    let hold = match fault {
        _ if fault.is_freeze() => Duration::from_secs(args.freeze_s),
        _ if fault.is_slow() => SLOW_FAULT,
        _ => Duration::from_millis(random.random_range(BROKEN_MS)),
    };
    if fault == Fault::DiskFull {
        // A log that has grown has room in itself; a server that ended in good order leaves none.
        stage.rolling_restart().await?;
    }
    let probe = Probe::start(&stage.url, seed).await?;
    let load_args = replay_args(args, &stage.url, seed, ledger, false);
    let load = Box::pin(replay::run(&load_args));
    let trouble = async {
        sleep(delay).await;
        let struck = Instant::now();
        let broken = async {
            stage.strike(fault, &mut random).await?;
            stage.hold(fault, hold).await?;
            // A restart of all is the trouble itself; else what is restarted counts as being put back.
            let back_from = Instant::now();
            stage.mend(fault).await?;
            anyhow::Ok(if fault == Fault::RollingRestart { Instant::now() } else { back_from })
        };
        match broken.await {
            Ok(since) => {
                let recovered = probe.recovered(since, RECOVERS_WITHIN).await;
                (probe.between(struck, since), recovered, None)
            }
            Err(error) => ((0, 0), None, Some(format!("{error:#}"))),
        }
    };
    let (replay, ((answered_meanwhile, asked_meanwhile), recovered, trouble)) =
        tokio::join!(load, trouble);
    Ok(Round {
        mode,
        fault,
        seed,
        struck_after_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        replay: replay?,
        answered_meanwhile,
        asked_meanwhile,
        recovered_s: recovered.map(|recovered| recovered.as_secs_f64()),
        trouble,
    })
}

fn replay_args(args: &Args, url: &str, seed: u64, ledger: &Path, is_last: bool) -> replay::Args {
    let ledger = ledger.to_owned();
    let (write, verify) = if is_last { (None, Some(ledger)) } else { (Some(ledger), None) };
    replay::Args {
        url: url.to_owned(),
        site_key: "pk_demo".into(),
        data: args.data.clone(),
        conversations: Some(args.conversations),
        concurrency: args.concurrency,
        transport: args.transport,
        cut: 0.1,
        seed,
        ledger: write,
        verify,
        json: None,
        patience_s: PATIENCE_S,
        turn_timeout_s: TURN_TIMEOUT_S,
    }
}

/// The last lines of a server that was part of a failure.
fn show_log(path: &Path) {
    const LINES: usize = 30;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    println!("the last of {}:", path.display());
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        println!("    {line}");
    }
}

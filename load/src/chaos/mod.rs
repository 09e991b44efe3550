//! `chaos`: breaks one thing after the other under load, puts it back, and looks for everything that was acknowledged.
//!
//! Two stages: one process with SQLite; two replicas (or more) with a Redis and a MariaDB of their own behind a balancer. What
//! is judged is loss, doubling, ends and recovery, never speed. Exit code 1: a promise was broken.

pub mod actions;
mod balancer;
mod busy;
mod disk;
mod fault;
pub mod handoffs;
mod plan;
mod probe;
mod record;
mod report;
mod staff;
mod stage;
mod stopped;
mod strike;
mod summary;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

use self::{
    busy::Busy,
    fault::{Fault, Lasts, Mode},
    plan::{Exclusion, Planned, plan},
    probe::Probe,
    record::Record,
    report::{ChaosReport, Last, Round, heading},
    stage::Stage,
    stopped::{unless_stopped, verdict},
    summary::Summary,
};
use crate::{
    replay::{self, TransportChoice},
    rig::Folder,
};

/// The load runs alone for at least this long, and at most this much longer.
const CALM: Duration = Duration::from_millis(300);
const STRIKE_WITHIN_MS: u64 = 1_500;
/// See [`Lasts`].
const MOMENT_MS: std::ops::Range<u64> = 200..1_500;
const SECONDS: Duration = Duration::from_secs(4);
const CUT_MS: std::ops::Range<u64> = 1_000..8_000;
/// Generous: a debug build on a busy machine is not what is judged.
const RECOVERS_WITHIN: Duration = Duration::from_secs(180);
const PATIENCE_S: u64 = 120;
const TURN_TIMEOUT_S: u64 = 90;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program.
    #[arg(long, required_unless_present = "summary")]
    pub server_bin: Option<PathBuf>,
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
    /// How long a replica stays paused.
    #[arg(long, default_value_t = 15)]
    pub pause_s: u64,
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
    /// Decides what breaks when; each round adds its number. Random unless given, or 1 with --append.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Other processes take all cores meanwhile.
    #[arg(long)]
    pub busy: bool,
    /// Adds one JSON line for each round to this file, and leaves out the planned rounds that it has for this commit: an
    /// interrupted run goes on where it stopped.
    #[arg(long, value_name = "FILE", requires = "commit")]
    pub append: Option<PathBuf>,
    /// The commit that the servers were built from.
    #[arg(long)]
    pub commit: Option<String>,
    /// Breaks nothing; prints the table of a file that --append wrote.
    #[arg(long, value_name = "FILE", exclusive = true)]
    pub summary: Option<PathBuf>,
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
    if let Some(path) = &args.summary {
        print!("{}", Summary::new(&record::read(path)?));
        return Ok(ExitCode::SUCCESS);
    }
    let report = match unless_stopped(run(args)).await? {
        Ok(report) => report,
        Err(code) => return Ok(code),
    };
    println!();
    print!("{report}");
    if let Some(path) = &args.append {
        let records = record::read(path)?;
        let of_commit = |record: &&Record| record.commit == args.commit();
        print!("\n{}", Summary::new(records.iter().filter(of_commit)));
    }
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec_pretty(&report)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(verdict(report.has_failed()))
}

async fn run(args: &Args) -> anyhow::Result<ChaosReport> {
    // The same rounds each time, so that those which were done are known again.
    let fixed = args.seed.or(args.append.as_ref().map(|_| 1));
    let seed = fixed.unwrap_or_else(|| u64::from(rand::rng().random::<u16>()));
    println!("seed {seed}");
    println!("{}", heading());
    let is_wanted = |fault: &Fault| args.fault.is_empty() || args.fault.contains(fault);
    let modes = [Mode::Embedded, Mode::Distributed].into_iter();
    let is_excluded =
        |mode, fault| args.without.iter().any(|exclusion| exclusion.covers(mode, fault));
    let (excluded, pairs): (Vec<_>, Vec<_>) = modes
        .filter(|mode| args.mode.is_none_or(|only| only == *mode))
        .flat_map(|mode| mode.faults().map(move |fault| (mode, fault)))
        .filter(|(_, fault)| is_wanted(fault))
        .partition(|&(mode, fault)| is_excluded(mode, fault));
    let mut planned = plan(&pairs, args.rounds, seed);
    let known = args.append.as_deref().map(record::read).transpose()?.unwrap_or_default();
    let left_out = excluded.into_iter().map(|(mode, fault)| format!("{mode}, {fault}: --without"));
    let mut report = ChaosReport { seed, left_out: left_out.collect(), ..ChaosReport::default() };
    planned.retain(|round| {
        let mut records = known.iter();
        let Some(done) = records.find(|known| known.is_of(*round, args.commit(), args.busy)) else {
            return true;
        };
        report.done_before += 1;
        report.failed_before += usize::from(done.failed);
        false
    });
    let _busy = args.busy.then(Busy::start).transpose()?;
    for rounds in planned.chunk_by(|one, next| one.mode == next.mode) {
        Box::pin(stage(args, rounds, &mut report)).await?;
    }
    Ok(report)
}

impl Args {
    fn commit(&self) -> &str {
        self.commit.as_deref().unwrap_or_default()
    }

    fn append(&self, record: &Record) -> anyhow::Result<()> {
        self.append.as_deref().map_or(Ok(()), |path| record.append(path))
    }
}

/// All rounds of one mode, and everything once more at their end.
async fn stage(args: &Args, rounds: &[Planned], report: &mut ChaosReport) -> anyhow::Result<()> {
    let Some(Planned { mode, .. }) = rounds.first().copied() else { return Ok(()) };
    let folder = Folder::new()?;
    let program = args.server_bin.as_deref().context("--server-bin is missing")?;
    let mut stage = Stage::start(mode, program, args.replicas, &folder.0, Vec::new()).await?;
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
        args.append(&Record::of_round(&round, args.commit(), args.busy))?;
        has_failed |= round.has_failed();
        report.rounds.push(round);
    }
    stage.rolling_restart().await.context("the last restart")?;
    let replay = replay::run(&replay_args(args, &stage, 0, &ledger, true)).await?;
    let last = Last { mode, replay };
    println!("{last}");
    args.append(&Record::of_last(&last, report.seed, args.commit(), args.busy))?;
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
    let hold = match fault.lasts() {
        Lasts::Moment => Duration::from_millis(random.random_range(MOMENT_MS)),
        Lasts::Seconds => SECONDS,
        Lasts::Cut => Duration::from_millis(random.random_range(CUT_MS)),
        Lasts::Freeze => Duration::from_secs(args.freeze_s),
        Lasts::Pause => Duration::from_secs(args.pause_s),
    };
    if fault == Fault::DiskFull {
        // A log that has grown has room in itself; a server that ended in good order leaves none.
        stage.rolling_restart().await?;
    }
    let probe = Probe::start(&stage.url, seed).await?;
    let load_args = replay_args(args, stage, seed, ledger, false);
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

fn replay_args(
    args: &Args,
    stage: &Stage,
    seed: u64,
    ledger: &Path,
    is_last: bool,
) -> replay::Args {
    let ledger = ledger.to_owned();
    let (write, verify) = if is_last { (None, Some(ledger)) } else { (Some(ledger), None) };
    replay::Args {
        url: stage.url.clone(),
        site_key: "pk_demo".into(),
        data: args.data.clone(),
        conversations: Some(args.conversations),
        concurrency: args.concurrency,
        transport: args.transport,
        cut: 0.1,
        seed,
        ledger: write,
        verify,
        // One follower at each replica: at least one is not where the shopper speaks.
        follow: stage.replica_urls(),
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

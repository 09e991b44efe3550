//! `chaos-handoffs`: people take conversations over at random moments of a streaming answer, while replicas are killed.
//!
//! What either side was told is held against the journal as each replica shows it: no word of the assistant after the
//! take-over, nothing lost that was acknowledged, and the same order for both sides. Exit code 1: one of these was
//! broken.

mod judge;
mod talk;

use std::{cell::Cell, path::PathBuf, process::ExitCode, time::Duration};

use futures_util::{StreamExt as _, stream};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

use self::{
    judge::{Findings, judge},
    talk::{Talk, take_over},
};
use super::{
    fault::Mode,
    staff::signed_in,
    stage::{Extra, Stage, kill},
    stopped::{unless_stopped, verdict},
};
use crate::{replay::Api, rig::Folder};

/// The service may be away for so long, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two kills.
const QUIET_MS: std::ops::Range<u64> = 1_000..6_000;
/// How long a replica is gone.
const AWAY_MS: std::ops::Range<u64> = 50..1_500;
/// How often it looks at the conversations.
const LOOK: Duration = Duration::from_millis(50);
const EMAIL: &str = "agent@example.com";

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program.
    #[arg(long)]
    pub server_bin: PathBuf,
    /// Conversations that are taken over.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub takeovers: u32,
    /// Servers.
    #[arg(long, default_value_t = 2)]
    pub replicas: usize,
    /// Conversations at once.
    #[arg(long, default_value_t = 8)]
    pub concurrency: usize,
    /// Decides what is killed when, and when each conversation is taken over. Random unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Keeps the folder with the logs.
    #[arg(long)]
    pub keep: bool,
}

/// Plays the round and prints what was found.
///
/// # Errors
/// When something does not start.
pub async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let findings = unless_stopped(play(args)).await?;
    Ok(findings.map_or_else(|code| code, |findings| verdict(findings.has_failed())))
}

async fn play(args: &Args) -> anyhow::Result<Findings> {
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::rng().random::<u16>()));
    let folder = Folder::new()?;
    let mut stage =
        Stage::start(Mode::Distributed, &args.server_bin, args.replicas, &folder.0, extra())
            .await?;
    let api = Api::new(&stage.url, PATIENCE)?;
    let create = ["users", "create", "--name", "Mara"];
    let agent = signed_in(&stage, &api, EMAIL, &create).await?;
    let begun = Instant::now();
    let are_done = Cell::new(false);
    let talks = async {
        let all = (0..args.takeovers).map(|nth| take_over(&api, &agent, seed, nth));
        let talks: Vec<Talk> = stream::iter(all).buffer_unordered(args.concurrency).collect().await;
        are_done.set(true);
        talks
    };
    let (talks, kills) = tokio::join!(talks, strike(&mut stage, &are_done, seed));
    let (took, kills) = (begun.elapsed(), kills?);
    let mut findings = Findings::default();
    for talk in &talks {
        let mut journals = Vec::new();
        for url in stage.replica_urls() {
            journals.push(talk.journal(&api, &url).await);
        }
        judge(talk, &journals, &mut findings);
    }
    println!("seed {seed}, {} replicas, {kills} kills, {:.0} s", args.replicas, took.as_secs_f64());
    print!("{findings}");
    if findings.has_failed() {
        stage.logs().iter().for_each(|log| super::show_log(log));
    }
    drop(stage);
    if args.keep {
        println!("kept: {}", folder.0.display());
        std::mem::forget(folder);
    }
    Ok(findings)
}

/// Kills one replica after the other and starts it again, until the conversations are done.
async fn strike(stage: &mut Stage, are_done: &Cell<bool>, seed: u64) -> anyhow::Result<u32> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut kills = 0;
    loop {
        let until = Instant::now() + Duration::from_millis(random.random_range(QUIET_MS));
        while Instant::now() < until {
            if are_done.get() {
                return Ok(kills);
            }
            sleep(LOOK).await;
        }
        let victim = random.random_range(0..stage.replicas.len());
        kill(&mut stage.replicas[victim].service).await;
        kills += 1;
        sleep(Duration::from_millis(random.random_range(AWAY_MS))).await;
        stage.start_replica(victim).await?;
    }
}

/// What every server is told.
fn extra() -> Extra {
    let many = || 1_000_000.to_string();
    vec![
        ("CACHE__ENABLED", "false".to_owned()),
        ("LIMITS__SITE_SESSIONS_PER_SECOND", many()),
        ("LIMITS__ADDRESS_MESSAGES_PER_MINUTE", many()),
        ("LIMITS__ADDRESS_READS_PER_MINUTE", many()),
        ("LIMITS__ADDRESS_SESSIONS_PER_MINUTE", many()),
    ]
}

//! `chaos-handoffs`: people take conversations over at random moments of a streaming answer, while replicas are killed.
//!
//! What either side was told is held against the journal as each replica shows it: no word of the assistant after the
//! take-over, nothing lost that was acknowledged, and the same order for both sides. Exit code 1: one of these was
//! broken.

mod judge;
mod talk;

use std::{cell::Cell, path::PathBuf, process::ExitCode, process::Stdio, time::Duration};

use anyhow::{Context as _, anyhow, ensure};
use futures_util::{StreamExt as _, stream};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Deserialize;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    process::Command,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};
use uuid::Uuid;

use self::{
    judge::{Findings, judge},
    talk::{Talk, take_over},
};
use super::{
    fault::Mode,
    stage::{Extra, Stage, kill},
};
use crate::{
    replay::{Api, Visitor},
    rig::Folder,
};

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
    let mut terminate = signal(SignalKind::terminate())?;
    // Everything that was started ends with the future that holds it.
    tokio::select! {
        findings = Box::pin(play(args)) => {
            Ok(if findings?.has_failed() { ExitCode::from(1) } else { ExitCode::SUCCESS })
        }
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
    }
}

async fn play(args: &Args) -> anyhow::Result<Findings> {
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::rng().random::<u16>()));
    let folder = Folder::new()?;
    let mut stage =
        Stage::start(Mode::Distributed, &args.server_bin, args.replicas, &folder.0, extra())
            .await?;
    let api = Api::new(&stage.url, PATIENCE)?;
    let agent = agent(&stage, &api).await?;
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

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
}

/// Somebody of the shop, signed in.
async fn agent(stage: &Stage, api: &Api) -> anyhow::Result<Visitor> {
    let password = Uuid::new_v4().to_string();
    let server = stage.settings_of(0).context("there is no server")?;
    let mut child = Command::new(&server.program)
        .args(["users", "create", "--site", "demo", "--email", EMAIL, "--name", "Mara"])
        .envs(&server.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(format!("{password}\n").as_bytes()).await?;
    drop(stdin);
    let ended = child.wait_with_output().await?;
    ensure!(ended.status.success(), "no agent: {}", String::from_utf8_lossy(&ended.stderr));
    let login = json!({"site_key": "pk_demo", "email": EMAIL, "password": password});
    let url = api.url("/v1/auth/login");
    let nobody = &mut Visitor::default();
    let tokens: Result<Tokens, _> = api.json(nobody, |_| api.http.post(&url).json(&login)).await;
    let Tokens { access_token } =
        tokens.map_err(|failed| anyhow!("the agent cannot sign in: {failed:?}"))?;
    Ok(Visitor { access_token, ..Visitor::default() })
}

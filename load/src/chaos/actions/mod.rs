//! `chaos-actions`: shoppers propose and confirm changes while servers, the shop and stores are killed.
//!
//! The shop writes down what it did for each key, and that survives its own kill. At the end its ledger is held against
//! what the shoppers were told: nothing done twice, nothing done without a confirmation, nothing lost, and nobody is
//! left with "unknown". Exit code 1: one of these was broken.

mod judge;
mod report;
mod shopper;
mod table;
mod trouble;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use rand::RngExt as _;
use tokio::time::{Instant, sleep};

use self::{
    report::Round,
    shopper::{Shopper, Visit},
    trouble::{Progress, Shop, Trouble},
};
use super::{
    fault::Mode,
    stage::{Extra, Stage},
    stopped::{unless_stopped, verdict},
};
use crate::{
    replay::Api,
    rig::Folder,
    shop::{self, MOST_ADDED},
};

/// The service or the shop may be away for so long, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_secs(1);
/// Changes that one shopper asks for, one after the other.
const OF_ONE: u32 = 4;
/// One of so many is not confirmed.
const UNCONFIRMED: u32 = 5;
/// The service waits so long for the shop.
const CALL_MS: u64 = 3_000;

#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The rushdesk program.
    #[arg(long)]
    pub server_bin: PathBuf,
    /// Changes that are confirmed, in each mode. A quarter as many more are proposed and not confirmed.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=40_000))]
    pub writes: u32,
    /// Only this mode.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// Servers of the distributed mode.
    #[arg(long, default_value_t = 2)]
    pub replicas: usize,
    /// Shoppers at once.
    #[arg(long, default_value_t = 12)]
    pub concurrency: usize,
    /// Within so many seconds after the last kill it must be known what became of every change.
    #[arg(long, default_value_t = 180)]
    pub settle_s: u64,
    /// Decides what is killed when, and what each shopper does. Random unless given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Keeps the folder with logs and the ledger.
    #[arg(long)]
    pub keep: bool,
}

/// Runs all modes and prints the table.
///
/// # Errors
/// When something does not start.
pub async fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let rounds = unless_stopped(run(args)).await?;
    let has_failed = |rounds: Vec<Round>| rounds.iter().any(Round::has_failed);
    Ok(rounds.map_or_else(|code| code, |rounds| verdict(has_failed(rounds))))
}

async fn run(args: &Args) -> anyhow::Result<Vec<Round>> {
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::rng().random::<u16>()));
    println!("seed {seed}");
    println!("{}", report::heading());
    let modes = [Mode::Embedded, Mode::Distributed].into_iter();
    let mut rounds = Vec::new();
    for mode in modes.filter(|mode| args.mode.is_none_or(|only| only == *mode)) {
        let round = Box::pin(play(args, mode, seed)).await?;
        print!("{round}");
        rounds.push(round);
    }
    Ok(rounds)
}

async fn play(args: &Args, mode: Mode, seed: u64) -> anyhow::Result<Round> {
    let folder = Folder::new()?;
    let places = args.writes + args.writes.div_ceil(UNCONFIRMED - 1);
    let places = places.min(MOST_ADDED);
    let shop = Shop::start(&folder.0, places).await?;
    let stage =
        Stage::start(mode, &args.server_bin, args.replicas, &folder.0, extra(&shop)).await?;
    let api = Api::new(&stage.url, PATIENCE)?;
    let begun = Instant::now();
    let progress = Progress::default();
    let mut trouble = Trouble::new(stage, shop, seed);
    let shoppers = async {
        let firsts = (0..places).step_by(OF_ONE as usize);
        let visits = firsts.map(|first| {
            let last = places.min(first + OF_ONE);
            Shopper::visit(&api, &progress, seed, first..last)
        });
        let visits: Vec<Visit> =
            stream::iter(visits).buffer_unordered(args.concurrency).collect().await;
        progress.are_done.set(true);
        visits
    };
    let (visits, kills) = tokio::join!(shoppers, trouble.run(&progress));
    kills?;
    let took = begun.elapsed();
    let mended = Instant::now();
    let histories = settled(&api, &visits, Duration::from_secs(args.settle_s)).await;
    let ledger = shop::ledger(&trouble.shop.journal)?;
    let table = table::read(&trouble.stage, &api).await?;
    let findings = judge::judge(&visits, &histories, &ledger, &table);
    let round = Round {
        mode,
        seed,
        took,
        settled_after: mended.elapsed(),
        kills: trouble.kills.clone(),
        findings,
    };
    if round.has_failed() {
        trouble.stage.logs().iter().for_each(|log| super::show_log(log));
    }
    drop(trouble);
    if args.keep {
        println!("kept: {}", folder.0.display());
        std::mem::forget(folder);
    }
    Ok(round)
}

/// What every server is told.
fn extra(shop: &Shop) -> Extra {
    let site = format!(
        r#"[{{id="demo",name="Demo",site_key="pk_demo",shop={{url="http://{}"}}}}]"#,
        shop.address
    );
    vec![
        ("SITES", site),
        ("TOOLS__ALLOWED_NETWORKS", r#"["127.0.0.1"]"#.to_owned()),
        ("INFERENCE__BACKENDS", "[]".to_owned()),
        ("ACTIONS__TIMEOUT_MS", CALL_MS.to_string()),
        ("ACTIONS__PER_SHOPPER_A_DAY", "0".to_owned()),
        ("ACTIONS__PER_SITE_A_DAY", "0".to_owned()),
        ("LIMITS__SITE_SESSIONS_PER_SECOND", "1000000".to_owned()),
    ]
}

/// The histories of all visits, once nothing in them is open, or after `within`.
async fn settled(api: &Api, visits: &[Visit], within: Duration) -> Vec<shopper::History> {
    let since = Instant::now();
    let mut histories = Vec::with_capacity(visits.len());
    for visit in visits {
        let history = loop {
            let history = visit.history(api).await;
            let is_open = |history: &shopper::History| judge::open(visit, history) > 0;
            match history {
                Ok(history) if !is_open(&history) => break history,
                history if since.elapsed() >= within => break history.unwrap_or_default(),
                _ => sleep(POLL).await,
            }
        };
        histories.push(history);
    }
    histories
}

/// A file of a run.
fn path(folder: &Path, name: &str) -> anyhow::Result<String> {
    Ok(folder.join(name).to_str().context("the folder's name is no text")?.to_owned())
}

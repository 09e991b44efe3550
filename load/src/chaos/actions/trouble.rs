//! What is killed, when, and for how long.

use std::{
    cell::Cell,
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::time::{Instant, sleep};

use super::path;
use crate::{
    chaos::stage::{Stage, kill},
    rig::{Service, free_address},
};

/// Turns that end between two strikes, however fast the machine is.
const QUIET_TURNS: std::ops::Range<u64> = 1..40;
/// And the moment after them.
const MOMENT_MS: std::ops::Range<u64> = 0..400;
/// Without an end for so long, it strikes all the same.
const LONGEST_QUIET: Duration = Duration::from_secs(20);
/// How long a thing is gone.
const AWAY_MS: std::ops::Range<u64> = 50..1_500;
/// Of an action in the shop, before it is done and before it is answered.
const PAUSE_MS: u64 = 120;
/// How often it looks at the shoppers.
const LOOK: Duration = Duration::from_millis(20);

/// What the shoppers have done so far.
#[derive(Default)]
pub struct Progress {
    pub ended_turns: Cell<u64>,
    pub are_done: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Service,
    Shop,
    Redis,
    Database,
}

impl Part {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Shop => "shop",
            Self::Redis => "redis",
            Self::Database => "database",
        }
    }
}

/// The shop's order system, which keeps its port and its ledger.
pub struct Shop {
    pub address: SocketAddr,
    pub journal: PathBuf,
    args: Vec<String>,
    service: Option<Service>,
}

impl Shop {
    /// With so many orders more.
    pub async fn start(folder: &Path, orders: u32) -> anyhow::Result<Self> {
        let address = free_address()?;
        let journal = path(folder, "shop.ndjson")?;
        let args = [
            ("--journal", journal.clone()),
            ("--orders", orders.to_string()),
            ("--pause-ms", PAUSE_MS.to_string()),
        ];
        let args: Vec<String> =
            args.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let service = Some(Service::shop(address, &args).await?);
        Ok(Self { address, journal: journal.into(), args, service })
    }
}

/// Everything that can be killed.
pub struct Trouble {
    pub stage: Stage,
    pub shop: Shop,
    pub kills: BTreeMap<&'static str, u32>,
    random: StdRng,
}

impl Trouble {
    pub fn new(stage: Stage, shop: Shop, seed: u64) -> Self {
        Self { stage, shop, kills: BTreeMap::new(), random: StdRng::seed_from_u64(seed) }
    }

    /// Strikes until the shoppers are done, and puts everything back.
    ///
    /// # Errors
    /// When something does not come back.
    pub async fn run(&mut self, shoppers: &Progress) -> anyhow::Result<()> {
        while !shoppers.are_done.get() {
            let turns = shoppers.ended_turns.get() + self.random.random_range(QUIET_TURNS);
            let moment = Duration::from_millis(self.random.random_range(MOMENT_MS));
            let until = Instant::now() + LONGEST_QUIET;
            let is_quiet = || shoppers.ended_turns.get() < turns && Instant::now() < until;
            while is_quiet() && !shoppers.are_done.get() {
                sleep(LOOK).await;
            }
            sleep(moment).await;
            if !shoppers.are_done.get() {
                self.strike().await?;
            }
        }
        Ok(())
    }

    /// Kills one thing, and now and then two at once, and starts them again.
    async fn strike(&mut self) -> anyhow::Result<()> {
        // Calls are lost at both ends of theirs, so these are struck more often.
        let mut parts = vec![Part::Service, Part::Service, Part::Shop, Part::Shop];
        parts.extend(self.stage.redis.is_some().then_some(Part::Redis));
        parts.extend(self.stage.sql.is_some().then_some(Part::Database));
        let count = if self.random.random_bool(0.25) { 2 } else { 1 };
        let mut struck: Vec<Part> = parts.sample(&mut self.random, count).copied().collect();
        // A service does not start without its stores, so these come back first.
        struck.sort_by_key(|part| std::cmp::Reverse(*part));
        struck.dedup();
        let victim = self.random.random_range(0..self.stage.replicas.len());
        for part in &struck {
            *self.kills.entry(part.name()).or_default() += 1;
            match part {
                Part::Service => kill(&mut self.stage.replicas[victim].service).await,
                Part::Shop => kill(&mut self.shop.service).await,
                Part::Redis => {
                    if let Some(redis) = &mut self.stage.redis {
                        redis.process.kill().await;
                    }
                }
                Part::Database => {
                    if let Some(sql) = &mut self.stage.sql {
                        sql.process.kill().await;
                    }
                }
            }
        }
        sleep(Duration::from_millis(self.random.random_range(AWAY_MS))).await;
        for part in struck {
            match part {
                Part::Service => self.stage.start_replica(victim).await?,
                Part::Shop => {
                    let service = Service::shop(self.shop.address, &self.shop.args).await?;
                    self.shop.service = Some(service);
                }
                Part::Redis => {
                    if let Some(redis) = &mut self.stage.redis {
                        redis.restart().await?;
                    }
                }
                Part::Database => {
                    if let Some(sql) = &mut self.stage.sql {
                        sql.restart().await?;
                    }
                }
            }
        }
        Ok(())
    }
}

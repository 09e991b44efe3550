//! How each thing is broken, kept broken and put back.

use std::time::Duration;

use anyhow::Context as _;
use rand::{Rng, RngExt as _};
use tokio::time::{Instant, sleep};

use super::{
    fault::Fault,
    stage::{Stage, Wires, kill},
};
use crate::rig::{Redis, Sql, WireState};

/// Filled again this often: a checkpoint of SQLite frees some room.
const FILL_EVERY: Duration = Duration::from_millis(100);
/// How much of its log a Redis forgets.
const AGE_OF_OLD_LOG: Duration = Duration::from_secs(2);

impl Stage {
    /// Breaks it.
    ///
    /// # Errors
    /// When it cannot be broken.
    pub async fn strike(&mut self, fault: Fault, random: &mut impl Rng) -> anyhow::Result<()> {
        self.victim = random.random_range(0..self.replicas.len());
        match fault {
            Fault::ServerKilled => kill(&mut self.replicas[self.victim].service).await,
            Fault::ReplicaPaused => self.signal_replica("STOP").await?,
            Fault::RollingRestart => {}
            Fault::BackendKilled => kill(&mut self.backends[0].service).await,
            Fault::BackendStalls | Fault::BackendGarbage | Fault::BackendCut => {
                self.restart_backend(fault.model()).await?;
            }
            Fault::DiskFull => self.disk.as_ref().context("no disk")?.fill().await?,
            Fault::RedisKilled => self.redis()?.process.kill().await,
            Fault::RedisFrozen => self.redis()?.process.signal("STOP").await?,
            Fault::RedisEmptied => self.redis()?.empty().await?,
            Fault::RedisOldAof => self.redis()?.turn_back(AGE_OF_OLD_LOG).await?,
            Fault::RedisCutOne => self.wires()?.redis.set(cut(random)),
            Fault::RedisReplyDropped => self.wires()?.redis.set(WireState::NoReplies),
            Fault::SqlKilled => self.sql()?.process.kill().await,
            Fault::SqlFrozen => self.sql()?.process.signal("STOP").await?,
            Fault::SqlCutOne => self.wires()?.sql.set(cut(random)),
            Fault::SqlReplyDropped => self.wires()?.sql.set(WireState::NoReplies),
        }
        Ok(())
    }

    /// While it stays broken.
    ///
    /// # Errors
    /// When the disk cannot be kept full.
    pub async fn hold(&self, fault: Fault, length: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + length;
        while Instant::now() < until {
            if fault == Fault::DiskFull {
                self.disk.as_ref().context("no disk")?.fill().await?;
            }
            sleep(FILL_EVERY.min(until.saturating_duration_since(Instant::now()))).await;
        }
        Ok(())
    }

    /// Puts it back, and returns when it runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn mend(&mut self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::ServerKilled => self.start_replica(self.victim).await,
            Fault::ReplicaPaused => self.signal_replica("CONT").await,
            Fault::RollingRestart => self.rolling_restart().await,
            Fault::BackendKilled
            | Fault::BackendStalls
            | Fault::BackendGarbage
            | Fault::BackendCut => self.restart_backend(None).await,
            Fault::DiskFull => self.disk.as_ref().context("no disk")?.free(),
            Fault::RedisKilled | Fault::RedisEmptied | Fault::RedisOldAof => {
                self.redis()?.restart().await
            }
            Fault::RedisFrozen => self.redis()?.process.signal("CONT").await,
            Fault::RedisCutOne | Fault::RedisReplyDropped => {
                self.wires()?.redis.set(WireState::Whole);
                Ok(())
            }
            Fault::SqlKilled => self.sql()?.restart().await,
            Fault::SqlFrozen => self.sql()?.process.signal("CONT").await,
            Fault::SqlCutOne | Fault::SqlReplyDropped => {
                self.wires()?.sql.set(WireState::Whole);
                Ok(())
            }
        }
    }

    fn redis(&mut self) -> anyhow::Result<&mut Redis> {
        self.redis.as_mut().context("no redis")
    }

    fn sql(&mut self) -> anyhow::Result<&mut Sql> {
        self.sql.as_mut().context("no sql")
    }

    /// Between the victim and its stores.
    fn wires(&self) -> anyhow::Result<&Wires> {
        self.replicas[self.victim].wires.as_ref().context("no stores of its own")
    }

    async fn signal_replica(&self, name: &str) -> anyhow::Result<()> {
        let service = self.replicas[self.victim].service.as_ref();
        service.context("the server does not run")?.process.signal(name).await
    }
}

/// A cut is noticed at once, or only when no answer comes.
fn cut(random: &mut impl Rng) -> WireState {
    if random.random_bool(0.5) { WireState::Cut } else { WireState::Silent }
}

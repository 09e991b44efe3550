//! Builds the stores of both modes.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use super::replica::Replica;
use crate::{
    archive::{self, Archive, GroupCommit},
    clock,
    config::{self, Config},
    demo,
    hot::{self, HotStore, MemoryHot},
    journal::{Archivist, Fallback, Journal, Safety},
    relay::Relay,
    secrets,
};

/// Fewest sessions that the hot store of the embedded mode keeps.
const HOT_SESSIONS: usize = 100_000;

pub struct Stores {
    pub archive: Archive,
    pub hot: Arc<HotStore>,
    /// In distributed mode.
    pub archivist: Option<Arc<Archivist>>,
    pub journal: Journal,
}

impl Stores {
    pub async fn open(
        config: &Config,
        replica: &Replica,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> anyhow::Result<Self> {
        are_up();
        let archive = open_archive(config).await?;
        let hot = Arc::new(open_hot(config)?);
        if let Some(before) = &replica.before {
            // If this fails, its heartbeats expire.
            let _ = hot.bury(before).await;
        }
        let (safety, archivist) = if config.is_embedded() {
            let group = GroupCommit::start(archive.clone(), config.store.flush_batch, tasks);
            (Safety::Disk(group), None)
        } else {
            let archivist = Archivist::new(Arc::clone(&hot), archive.clone(), &config.store);
            let fallback = Arc::new(Fallback::new(config.store.hot_ttl));
            let relay = Relay::start(Arc::clone(&hot), Arc::clone(&replica.id), tasks, stopping);
            (Safety::Hot(fallback, relay), Some(Arc::new(archivist)))
        };
        let tail = config.sessions.tail_events;
        let journal = Journal::new(Arc::clone(&hot), archive.clone(), tail, safety);
        Ok(Self { archive, hot, archivist, journal })
    }
}

/// Initial value, until the stores are checked.
fn are_up() {
    hot::up(true);
    archive::up(true);
}

/// The configured sites, and in embedded mode the demo shop.
pub fn sites(config: &Config) -> Vec<config::Site> {
    let mut sites = config.sites.clone();
    let has_demo = sites.iter().any(|site| site.id.as_str() == config::DEMO_SITE);
    if config.is_embedded() && !has_demo {
        sites.extend(demo::site());
    }
    sites
}

/// Opens the archive, migrates it and stores the sites.
pub async fn open_archive(config: &Config) -> anyhow::Result<Archive> {
    let archive = if config.is_embedded() {
        secrets::private_folder(&config.server.data_dir)?;
        let path: PathBuf = config.server.data_dir.join("rushdesk.sqlite");
        Archive::open_sqlite(&path, &config.store)
            .await
            .with_context(|| format!("cannot open {}", path.display()))?
    } else {
        Archive::connect_mysql(&config.store).context("store.mysql_url")?
    };
    let applied = archive.migrate().await.context("cannot migrate the archive")?;
    if !applied.is_empty() {
        info!(migrations = applied.len(), "archive migrated");
    }
    archive.put_sites(&sites(config), clock::now()).await.context("cannot store the sites")?;
    Ok(archive)
}

fn open_hot(config: &Config) -> anyhow::Result<HotStore> {
    if config.is_embedded() {
        let most = config.sessions.max_sessions.max(HOT_SESSIONS);
        return Ok(HotStore::Memory(MemoryHot::new(config.store.hot_ttl, most)));
    }
    HotStore::redis(&config.store).context("store.redis_url")
}

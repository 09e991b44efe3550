//! Builds the stores of both modes.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use super::replica::Replica;
use crate::{
    archive::{self, Archive, Found, GroupCommit},
    clock,
    config::{self, Config, MysqlAddress},
    demo,
    hot::{self, HotStore},
    journal::Journal,
    peers::Peers,
    relay::Relay,
    secrets,
};

pub struct Stores {
    pub archive: Archive,
    /// In distributed mode.
    pub hot: Option<Arc<HotStore>>,
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
        let archive = open_archive(config, Absent::Make).await?;
        let store = &config.store;
        let me = Arc::clone(&replica.id);
        let (hot, peers, relay) = if config.is_embedded() {
            (None, Arc::new(Peers::alone(me)), None)
        } else {
            let hot = Arc::new(HotStore::new(store).context("store.redis_url")?);
            let peers = Arc::new(Peers::many(me, store.dead_after));
            let relay = Relay::start(Arc::clone(&hot), Arc::clone(&peers), tasks, stopping);
            (Some(hot), peers, Some(relay))
        };
        let commits = GroupCommit::start(archive.clone(), store.commit_batch, tasks);
        let tail = config.sessions.tail_events;
        let journal = Journal::new(archive.clone(), commits, peers, relay, tail);
        if let Some(before) = &replica.before {
            // If this fails, its silence tells.
            let _ = archive.leave(before).await;
        }
        journal.beat().await.context("cannot write to the archive")?;
        Ok(Self { archive, hot, journal })
    }
}

/// A build before this journal kept the newest events in Redis alone until they were flushed. It
/// cannot start any more once the archive is migrated, so this comes first.
async fn refuse_unflushed(config: &Config) -> anyhow::Result<()> {
    if config.is_embedded() {
        return Ok(());
    }
    let hot = HotStore::new(&config.store).context("store.redis_url")?;
    match hot.unflushed_before_upgrade().await {
        Ok(0) => Ok(()),
        // Redis is not needed for a start.
        Err(_) => Ok(()),
        Ok(sessions) => anyhow::bail!(
            "redis holds {sessions} sessions of an earlier version that were not flushed; start \
             that version, stop it with SIGTERM, then start this one (docs/upgrading.md)"
        ),
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
        sites.extend(demo::site(&config.tools));
    }
    sites
}

/// What becomes of a database that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is made.
    Make,
    /// It is a mistake.
    Refuse,
}

/// The database of a configuration, as people know it; without a password.
pub fn database(config: &Config) -> String {
    if config.is_embedded() {
        return file(config).display().to_string();
    }
    match MysqlAddress::parse(config.store.mysql_url.expose()) {
        Ok(MysqlAddress { options, .. }) => format!(
            "{} at {}:{}",
            options.db_name().unwrap_or_default(),
            options.ip_or_hostname(),
            options.tcp_port()
        ),
        Err(_) => "store.mysql_url".to_owned(),
    }
}

fn file(config: &Config) -> PathBuf {
    config.server.data_dir.join("rushdesk.sqlite")
}

/// Opens the archive, migrates it and stores the sites.
///
/// # Errors
/// If a store cannot be opened, or is not there and shall not be made, or an earlier version has left
/// sessions in Redis.
pub async fn open_archive(config: &Config, absent: Absent) -> anyhow::Result<Archive> {
    refuse_unflushed(config).await?;
    let cannot_open = || format!("cannot open {}", database(config));
    let archive = if config.is_embedded() {
        let file = file(config);
        // Opening it would make it.
        let is_there = std::fs::metadata(&file).is_ok_and(|known| known.len() > 0);
        anyhow::ensure!(is_there || absent == Absent::Make || has_log(&file), missing(config));
        secrets::private_folder(&config.server.data_dir)?;
        Archive::open_sqlite(&file, &config.store).await.with_context(cannot_open)?
    } else {
        Archive::connect_mysql(&config.store).context("store.mysql_url")?
    };
    match archive.found().await.with_context(cannot_open)? {
        Found::Ours => {}
        Found::Nothing => anyhow::ensure!(absent == Absent::Make, missing(config)),
        Found::Others => anyhow::bail!(
            "{} is the database of another program; give server.data_dir a folder of its own",
            database(config)
        ),
    }
    let applied = archive.migrate().await.context("cannot migrate the archive")?;
    if !applied.is_empty() {
        info!(migrations = applied.len(), "archive migrated");
    }
    archive.put_sites(&sites(config), clock::now()).await.context("cannot store the sites")?;
    Ok(archive)
}

/// A database without its file is refused in other words.
fn has_log(file: &Path) -> bool {
    std::fs::metadata(file.with_extension("sqlite-wal")).is_ok_and(|known| known.len() > 0)
}

fn missing(config: &Config) -> String {
    let database = database(config);
    if config.is_embedded() {
        return format!(
            "there is no database {database}: name the folder of your service with --set \
             server.data_dir=FOLDER, or add --create to make a new database there"
        );
    }
    format!(
        "the database {database} has no tables of Rushdesk: check store.mysql_url, or make them \
         with `rushdesk migrate` or --create"
    )
}

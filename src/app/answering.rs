//! Builds what answers questions: embedder, knowledge, models, cache and service level.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::stores::Stores;
use crate::{
    assistant::prompt,
    background::read_pin,
    brownout::Brownout,
    cache::{Cache, Demand, Flights, Replication, SimilarFlights},
    config::{self, Config},
    demo,
    domain::{NumberFormats, SiteId},
    embedding::{self, EmbedStartError, EmbedderHandle},
    inference::{InferencePool, Pool, discover_ollama},
    knowledge::Knowledge,
    runtime::Services,
    turn::ports::{EmbedPort, ModelPort, Ports},
};

/// Default address of Ollama.
const OLLAMA: &str = "http://127.0.0.1:11434";
/// Longest time for a new replica to read the cache from Redis.
const WARM_TIMEOUT: Duration = Duration::from_secs(5);

pub struct Answering {
    pub ports: Arc<Ports>,
    pub pool: Option<Pool>,
    /// Each with its backend, for people.
    pub models: Vec<String>,
}

impl Answering {
    pub async fn start(
        config: &Config,
        stores: &Stores,
        services: &Services,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let embedder = start_embedder(config, services).await?;
        let knowledge = Knowledge::load(
            stores.archive.clone(),
            embedder.as_ref().map(|e| (e.embed.clone(), Arc::clone(&e.embedder_id))),
            &config.knowledge,
        )
        .await
        .context("cannot read the knowledge")?;
        if config.is_embedded() {
            demo::ensure(&stores.archive, &knowledge).await?;
        }
        let backends = backends(config).await;
        let models: Vec<String> =
            backends.iter().map(|b| format!("{} at {}", b.model, b.name)).collect();
        let pool = start_pool(config, backends, services)?;
        let cache = open_cache(config, tasks, stopping).await?;
        let brownout = Arc::new(Brownout::new(&config.brownout));
        brownout.pin(read_pin(&stores.archive).await.context("cannot read the service level")?);
        let ports = Arc::new(Ports {
            embedder: embedder.map(|embedder| EmbedPort {
                embed: embedder.embed,
                id: embedder.embedder_id,
                timeout: config.embedding.timeout,
            }),
            model: pool.as_ref().map(|pool| model_port(pool, &models, config)),
            cache,
            flights: Flights::new(config.sessions.max_turns),
            similar: SimilarFlights::new(&config.cache),
            demand: Demand::default(),
            relay: stores.journal.relay().cloned(),
            knowledge,
            brownout,
            turn: config.turn.clone(),
            formats: formats(config)?,
        });
        Ok(Self { ports, pool, models })
    }
}

/// A missing model is not an error: search then uses words only. A broken model is.
pub async fn start_embedder(
    config: &Config,
    services: &Services,
) -> anyhow::Result<Option<EmbedderHandle>> {
    let (embedding, data_dir) = (config.embedding.clone(), config.server.data_dir.clone());
    let arbiter = services.arbiter();
    let start = move || embedding::start(&embedding, &data_dir, &arbiter);
    match tokio::task::spawn_blocking(start).await? {
        Ok(embedder) => Ok(Some(embedder)),
        Err(error @ EmbedStartError::Missing { .. }) => {
            warn!(%error, "no embedding model; search by words only");
            Ok(None)
        }
        Err(error) => Err(error).context("cannot start the embedding model"),
    }
}

/// The check of the configuration refuses what cannot be used.
fn formats(config: &Config) -> anyhow::Result<HashMap<SiteId, Arc<NumberFormats>>> {
    let sites = config.sites.iter().filter(|site| !site.number_formats.is_empty());
    let read = |site: &config::Site| {
        let formats = NumberFormats::new(site.number_formats.iter().map(String::as_str))?;
        Ok((site.id.clone(), Arc::new(formats)))
    };
    sites.map(read).collect()
}

/// The configured backends. In embedded mode, a local Ollama if none is configured.
async fn backends(config: &Config) -> Vec<config::Backend> {
    let mut backends = config.inference.backends.clone();
    if backends.is_empty() && config.is_embedded() && config.inference.discover_ollama {
        backends.extend(discover_ollama(OLLAMA, config.inference.connect_timeout).await);
    }
    backends
}

fn start_pool(
    config: &Config,
    backends: Vec<config::Backend>,
    services: &Services,
) -> anyhow::Result<Option<Pool>> {
    if backends.is_empty() {
        return Ok(None);
    }
    let pool = InferencePool::start(&config.inference, backends, &services.arbiter())
        .context("cannot set up the backends")?;
    Ok(Some(pool))
}

fn model_port(pool: &Pool, models: &[String], config: &Config) -> ModelPort {
    ModelPort {
        acquire: pool.acquire.clone(),
        limits: (&config.inference).into(),
        pressure: pool.pressure(),
        fingerprint: prompt::fingerprint(&models.join(",")).into(),
    }
}

/// The cache. In distributed mode it starts with the entries of the other replicas.
async fn open_cache(
    config: &Config,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<Cache>> {
    if !config.cache.enabled {
        return Ok(None);
    }
    let cache = Cache::new(&config.cache);
    if !config.is_embedded() {
        let replication = Replication::start(cache.clone(), &config.store, tasks, stopping.clone())
            .context("cannot set up the cache's replication")?;
        match replication.warm(Instant::now() + WARM_TIMEOUT).await {
            Ok(entries) => info!(entries, "cache loaded from redis"),
            Err(error) => warn!(%error, "cache starts empty"),
        }
    }
    Ok(Some(cache))
}

//! Builds what answers questions: embedder, knowledge, models, cache and service level.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::stores::{self, Stores};
use crate::{
    assistant::{Catalog, prompt},
    background::read_pin,
    brownout::Brownout,
    cache::{Cache, Demand, Flights, Replication, SimilarFlights},
    config::{self, Config},
    demo,
    desk::Desk,
    domain::{NumberFormats, SiteId},
    embedding::{self, EmbedStartError, EmbedderHandle},
    guard::{self, Policy, plain_words},
    inference::{InferencePool, Pool, discover_ollama},
    knowledge::Knowledge,
    runtime::Services,
    tools::Tools,
    triage,
    turn::{
        codes::Codes,
        decisions::Decisions,
        muster,
        ports::{ActionPort, EmbedPort, Guards, ModelPort, Ports, Shop, TakesTools},
        roster::{Duty, Roster},
        undo::Undos,
    },
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
        actions: Option<ActionPort>,
        tools: Tools,
    ) -> anyhow::Result<Self> {
        let embedder = start_embedder(config, services).await?;
        let knowledge = Knowledge::load(
            stores.archive.clone(),
            embedder
                .as_ref()
                .map(|e| (e.embed.clone(), Arc::clone(&e.embedder_id), Arc::clone(&e.card))),
            &config.knowledge,
            &config.sites,
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
        let similar = cache_of(config, embedder.as_ref());
        let cache = open_cache(config, &similar, tasks, stopping).await?;
        let brownout = Arc::new(Brownout::new(&config.brownout));
        brownout.pin(read_pin(&stores.archive).await.context("cannot read the service level")?);
        let ports = Arc::new(Ports {
            actions: actions.unwrap_or_else(|| ActionPort::new(&tools, &config.actions)),
            undos: Undos::new(stores.archive.clone()),
            codes: Codes::new(stores.archive.clone(), config.actions.code_holds),
            desk: Desk::new(stores.archive.clone(), &config.handoff),
            tools,
            embedder: embedder.map(|embedder| EmbedPort {
                embed: embedder.embed,
                id: embedder.embedder_id,
                timeout: config.embedding.timeout,
                like_example: embedder.card.cosine.of_standard(triage::LIKE_EXAMPLE),
            }),
            model: pool.as_ref().map(|pool| model_port(pool, &models, config)),
            cache,
            flights: Flights::new(config.sessions.max_turns),
            similar: SimilarFlights::new(&similar),
            demand: Demand::default(),
            relay: stores.journal.relay().cloned(),
            knowledge,
            brownout,
            turn: config.turn.clone(),
            shops: shops(config)?,
            other_shop: other_shop(),
            roster: Roster::default(),
            guards: guards(config),
            decisions: Decisions::start(
                stores.archive.clone(),
                config.guard.decisions_per_site,
                tasks,
                stopping,
            ),
        });
        muster::follow(&ports, &stores.archive).await.context("cannot read the assistants")?;
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
fn shops(config: &Config) -> anyhow::Result<HashMap<SiteId, Shop>> {
    let read = |site: config::Site| {
        let numbers = NumberFormats::new(site.number_formats.iter().map(String::as_str))?;
        let names = site.own_names.iter().map(|name| plain_words(name)).collect();
        let own = guard::Shop { numbers: Arc::new(numbers), names, pages: None };
        let catalog = Catalog::new(&site.assistants, site.topic_confidence);
        let configured = Duty::configured(catalog);
        let hours = site.hours.as_ref().map(config::Hours::read).transpose()?;
        Ok((site.id, Shop { name: site.name, own, hours, configured }))
    };
    stores::sites(config).into_iter().map(read).collect()
}

/// A site that only the archive knows has the built-in assistants.
fn other_shop() -> Shop {
    let catalog = Catalog::new(&[], config::topic_confidence());
    let configured = Duty::configured(catalog);
    Shop { name: String::new(), own: guard::Shop::default(), hours: None, configured }
}

/// A site's own hosts are those of its pages and of this service.
fn guards(config: &Config) -> Guards {
    let host = |origin: &str| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let host = host.split([':', '/']).next().unwrap_or(host);
        host.trim_start_matches("*.").to_owned()
    };
    let ours = host(&config.server.base_url());
    let policy = |site: &config::Site| {
        let pages = site.allowed_origins.iter().map(|origin| host(origin));
        let hosts = pages.chain([ours.clone()]).collect();
        (site.id.clone(), Arc::new(Policy::of(&config.guard, &site.id, hosts)))
    };
    let other = Policy::of(&config.guard, &demo::site_id(), vec![ours.clone()]);
    Guards { sites: config.sites.iter().map(policy).collect(), other: Arc::new(other) }
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
        takes_tools: TakesTools::default(),
    }
}

/// The settings of the cache. The threshold is given for the standard model, and translated for
/// this one.
fn cache_of(config: &Config, embedder: Option<&EmbedderHandle>) -> config::Cache {
    let standard = config.cache.threshold;
    let threshold = embedder.map_or(standard, |e| e.card.cosine.of_standard(standard));
    config::Cache { threshold, ..config.cache.clone() }
}

/// The cache. In distributed mode it starts with the entries of the other replicas.
async fn open_cache(
    config: &Config,
    settings: &config::Cache,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) -> anyhow::Result<Option<Cache>> {
    if !config.cache.enabled {
        return Ok(None);
    }
    let cache = Cache::new(settings);
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

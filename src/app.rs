//! The composition root: builds every part from the configuration and joins them. Nothing else knows all of them.

use std::{collections::HashMap, fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use actix::{Actor, Addr};
use actix_web::{App as WebApp, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{sync::Semaphore, task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    accounts::Accounts,
    agent::prompt,
    archive::{self, Archive, Archivist, GroupCommit},
    background::read_pin,
    brownout::{self, Brownout},
    cache::{self, Cache, Demand, Flights, Kindred, Replication},
    clock,
    config::{self, Config},
    demo,
    domain::SiteId,
    embedding::{self, EmbedStartError, EmbedderHandle},
    hot::{self, HotStore, MemoryHot},
    http::{self, origins::Origins, state::App},
    inference::{self, InferencePool, Pool, discover_ollama},
    knowledge::{self, Knowledge},
    limits::{self, Limits},
    renewal::{self, Watched},
    runtime::{Services, workers},
    secrets,
    session::{
        self,
        actor::Shared,
        journal::{Fallback, Journal, Safety},
    },
    shutdown,
    supervisor::{actor::Supervisor, door::Sessions},
    telemetry::{self, Chapter, actors, process, traces},
    tls::Certificate,
    turn::{
        ports::{EmbedPort, ModelPort, Ports},
        relay::{self, Relay},
    },
};

/// Where Ollama listens when nobody said otherwise.
const OLLAMA: &str = "http://127.0.0.1:11434";
/// Interrupted turns repaired at start; others are repaired when somebody opens their session.
const REPAIRS_AT_START: u32 = 1_000;
/// Sessions that the hot store of the embedded mode remembers at least.
const HOT_SESSIONS: usize = 100_000;
/// For the cache of a new replica to be read from Redis.
const WARM_TIMEOUT: Duration = Duration::from_secs(5);

/// A running service.
pub struct Application {
    pub address: SocketAddr,
    pub app: web::Data<App>,
    pub(crate) server: ServerHandle,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    pub(crate) services: Services,
    pub(crate) turns: TaskTracker,
    pub(crate) tasks: TaskTracker,
    /// Ends the background tasks, after the turns.
    pub(crate) stopping: CancellationToken,
    summary: Summary,
}

/// What runs, where, and what is missing: shown at start.
pub struct Summary {
    lines: Vec<(&'static str, String)>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n  Rushdesk {}\n", env!("CARGO_PKG_VERSION"))?;
        for (name, text) in &self.lines {
            writeln!(f, "  {name:<10} {text}")?;
        }
        writeln!(f)
    }
}

impl Application {
    /// Starts everything and returns once a turn can be admitted. Must run on the main actix system.
    ///
    /// # Errors
    /// One clear message: what could not be reached, read or bound.
    pub async fn start(config: Config, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        telemetry::announce(&measured());
        stores_are_up();
        let config = Arc::new(prepared(config)?);
        let stopping = CancellationToken::new();
        let tasks = TaskTracker::new();
        let services = Services::start();

        let archive = open_archive(&config).await?;
        let hot = Arc::new(open_hot(&config)?);
        let group = config
            .is_embedded()
            .then(|| GroupCommit::start(archive.clone(), config.store.flush_batch, &tasks));
        let archivist = (!config.is_embedded())
            .then(|| Arc::new(Archivist::new(Arc::clone(&hot), archive.clone(), &config.store)));
        let replica: Arc<str> = replica_name(&config).into();
        let safety = match group {
            Some(group) => Safety::Disk(group),
            None => Safety::Hot(
                Arc::new(Fallback::new(config.store.hot_ttl)),
                Relay::start(Arc::clone(&hot), Arc::clone(&replica), &tasks, &stopping),
            ),
        };
        let journal =
            Journal::new(Arc::clone(&hot), archive.clone(), config.sessions.tail_events, safety);

        let embedder = start_embedder(&config, &services).await?;
        let knowledge = Knowledge::load(
            archive.clone(),
            embedder.as_ref().map(|e| (e.embed.clone(), Arc::clone(&e.embedder_id))),
            &config.knowledge,
        )
        .await
        .context("cannot read the knowledge")?;
        if config.is_embedded() {
            demo::ensure(&archive, &knowledge).await?;
        }
        let backends = backends(&config).await;
        let models: Vec<String> =
            backends.iter().map(|b| format!("{} at {}", b.model, b.name)).collect();
        let pool = start_pool(&config, backends, &services)?;
        let cache = config.cache.enabled.then(|| Cache::new(&config.cache));
        if let (Some(cache), false) = (&cache, config.is_embedded()) {
            let replication =
                Replication::start(cache.clone(), &config.store, &tasks, stopping.clone())
                    .context("cannot set up the cache's replication")?;
            match replication.warm(Instant::now() + WARM_TIMEOUT).await {
                Ok(entries) => info!(entries, "the cache is warm"),
                Err(error) => warn!(%error, "the cache starts cold"),
            }
        }

        let brownout = Arc::new(Brownout::new(&config.brownout));
        brownout.pin(read_pin(&archive).await.context("cannot read the service level")?);
        let ports = Arc::new(Ports {
            embedder: embedder.as_ref().map(|embedder| EmbedPort {
                embed: embedder.embed.clone(),
                id: Arc::clone(&embedder.embedder_id),
                timeout: config.embedding.timeout,
            }),
            model: pool.as_ref().map(|pool| model_port(pool, &models, &config)),
            cache: cache.clone(),
            flights: Flights::new(config.sessions.max_turns),
            kindred: Kindred::new(&config.cache),
            demand: Demand::default(),
            relay: journal.relay().cloned(),
            knowledge: knowledge.clone(),
            brownout: Arc::clone(&brownout),
            turn: config.turn.clone(),
        });
        let draining = CancellationToken::new();
        let turns = TaskTracker::new();
        let turn_permits = Arc::new(Semaphore::new(config.sessions.max_turns));
        let supervisor = start_supervisor(
            &services,
            Arc::new(Shared {
                journal: journal.clone(),
                sessions: config.sessions.clone(),
                turn_timeout: config.turn.timeout,
                max_answer_bytes: config.turn.max_answer_bytes,
                ports: Arc::clone(&ports),
                replica: Arc::clone(&replica),
                turn_permits: Arc::clone(&turn_permits),
                draining: draining.clone(),
                turns: turns.clone(),
            }),
        );
        let sessions = Sessions::new(supervisor);
        let limits = if config.is_embedded() {
            Limits::local(&config.limits)
        } else {
            Limits::shared(&config.limits, &config.store).context("cannot set up the limits")?
        };
        let mut watched = Vec::new();
        let accounts = open_accounts(&archive, &config, &mut watched).await?;
        accounts.refresh_absence(archive.sites().await?).await;
        let app = web::Data::new(App {
            accounts,
            archive: archive.clone(),
            hot: Arc::clone(&hot),
            journal,
            sessions: sessions.clone(),
            ports,
            pool,
            cache,
            knowledge: knowledge.clone(),
            limits,
            origins: origins(&archive, &config).await?,
            metrics,
            archivist: archivist.clone(),
            turn_permits,
            streams: Arc::new(Semaphore::new(config.sessions.max_streams)),
            tasks: tasks.clone(),
            draining,
            config: Arc::clone(&config),
        });
        crate::background::start(&app, replica, &tasks, &stopping);
        let tls = open_tls(&config, &mut watched).await?;
        renewal::start(watched, &tasks, &stopping);
        let (server, address) = serve(&app, tls)?;
        let handle = server.handle();
        let serving = actix_rt::spawn(server);
        repair(&archive, &sessions).await;
        let summary = Summary { lines: summary(&config, address, &app, &models).await };
        Ok(Self {
            address,
            app,
            server: handle,
            serving,
            services,
            turns,
            tasks,
            stopping,
            summary,
        })
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Serves until SIGTERM or SIGINT, or until a part dies that the service cannot go on without.
    pub async fn run_until_signal(self) -> anyhow::Result<()> {
        let broken = shutdown::asked(&self).await;
        shutdown::run(self).await;
        match broken {
            None => Ok(()),
            Some(part) => {
                anyhow::bail!("the {part} died; the process ends so that it is restarted")
            }
        }
    }

    pub async fn stop(self) {
        shutdown::run(self).await;
    }
}

/// Fills in what the embedded mode makes by itself.
fn prepared(mut config: Config) -> anyhow::Result<Config> {
    let only_site = config.sites.len() <= 1;
    if config.is_embedded() {
        secrets::private_folder(&config.server.data_dir)?;
        if config.auth.jwt_secret.is_empty() && config.auth.jwt_secret_file.as_os_str().is_empty() {
            config.auth.jwt_secret_file = secrets::kept(&config.server.data_dir, "jwt.secret")?;
        }
        if !config.sites.iter().any(|site| site.id.as_str() == config::DEMO_SITE) {
            config.sites.extend(demo::site());
        }
    }
    if config.auth.operator_sites.is_empty() && only_site {
        // The demo site comes last: a shop of its own goes before it.
        config.auth.operator_sites.extend(config.sites.first().map(|site| site.id.clone()));
    }
    Ok(config)
}

pub(crate) async fn open_archive(config: &Config) -> anyhow::Result<Archive> {
    let archive = if config.is_embedded() {
        secrets::private_folder(&config.server.data_dir)?;
        let path: PathBuf = config.server.data_dir.join("rushdesk.sqlite");
        Archive::open_sqlite(&path, &config.store)
            .await
            .with_context(|| format!("cannot open {}", path.display()))?
    } else {
        Archive::connect_mysql(&config.store)
    };
    let applied = archive.migrate().await.context("cannot bring the archive up to date")?;
    if !applied.is_empty() {
        info!(migrations = applied.len(), "the archive was brought up to date");
    }
    archive.put_sites(&config.sites, clock::now()).await.context("cannot store the sites")?;
    Ok(archive)
}

fn open_hot(config: &Config) -> anyhow::Result<HotStore> {
    if config.is_embedded() {
        let most = config.sessions.max_sessions.max(HOT_SESSIONS);
        return Ok(HotStore::Memory(MemoryHot::new(config.store.hot_ttl, most)));
    }
    HotStore::redis(&config.store).context("store.redis_url")
}

/// A missing model is not a failure: terms are searched instead. A broken one is.
pub(crate) async fn start_embedder(
    config: &Config,
    services: &Services,
) -> anyhow::Result<Option<EmbedderHandle>> {
    let (embedding, data_dir) = (config.embedding.clone(), config.server.data_dir.clone());
    let arbiter = services.arbiter();
    let start = move || embedding::start(&embedding, &data_dir, &arbiter);
    match tokio::task::spawn_blocking(start).await? {
        Ok(embedder) => Ok(Some(embedder)),
        Err(error @ EmbedStartError::Missing { .. }) => {
            warn!(%error, "no embedding model; searching terms only");
            Ok(None)
        }
        Err(error) => Err(error).context("cannot start the embedding model"),
    }
}

/// The configured backends; in embedded mode an Ollama on this machine where none is configured.
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

async fn open_accounts(
    archive: &Archive,
    config: &Config,
    watched: &mut Vec<Watched>,
) -> anyhow::Result<Accounts> {
    let file = config.auth.jwt_secret_file.clone();
    if file.as_os_str().is_empty() {
        let secret = [config.auth.jwt_secret.clone()];
        return Ok(Accounts::new(archive.clone(), &config.auth, &secret)?);
    }
    let what = || format!("auth.jwt_secret_file: {}", file.display());
    let paths = vec![file.clone()];
    let contents = renewal::read(&paths).await.context("auth.jwt_secret_file")?;
    let secrets = secrets::parse(&contents[0]).with_context(what)?;
    let accounts = Accounts::new(archive.clone(), &config.auth, &secrets)?;
    let renewed = accounts.clone();
    watched.push(Watched::new("signing secrets", paths, contents, move |contents| {
        renewed.replace_secrets(&secrets::parse(&contents[0])?);
        Ok(())
    }));
    Ok(accounts)
}

async fn open_tls(
    config: &Config,
    watched: &mut Vec<Watched>,
) -> anyhow::Result<Option<rustls::ServerConfig>> {
    let Some(paths) = config.server.tls() else { return Ok(None) };
    let contents = renewal::read(&paths).await.context("server.tls_cert, server.tls_key")?;
    let certificate = Certificate::new(&contents[0], &contents[1])?;
    let server = certificate.server_config()?;
    watched.push(Watched::new("certificate", paths.to_vec(), contents, move |contents| {
        Ok(certificate.replace(&contents[0], &contents[1])?)
    }));
    Ok(Some(server))
}

fn start_supervisor(services: &Services, shared: Arc<Shared>) -> Addr<Supervisor> {
    Supervisor::start_in_arbiter(&services.arbiter(), move |_| Supervisor::new(shared))
}

async fn origins(archive: &Archive, config: &Config) -> anyhow::Result<Origins> {
    let listen = config.server.listen;
    let scheme = if config.server.tls().is_some() { "https" } else { "http" };
    let mut own =
        vec![format!("{scheme}://{listen}"), format!("{scheme}://localhost:{}", listen.port())];
    if !config.server.public_url.is_empty() {
        own.push(config.server.public_url.trim_end_matches('/').to_owned());
    }
    let sites = archive.sites().await?;
    let page = sites.iter().find(|site| site.site_key == demo::SITE_KEY);
    let page = page.map(|site| site.id.clone());
    let by_site: HashMap<SiteId, Vec<String>> =
        sites.into_iter().map(|site| (site.id, site.allowed_origins)).collect();
    Ok(Origins::new(own, by_site, page.as_ref()))
}

fn replica_name(config: &Config) -> String {
    let name = if config.server.replica.is_empty() {
        std::fs::read_to_string("/etc/hostname")
            .map_or_else(|_| "rushdesk".into(), |n| n.trim().to_owned())
    } else {
        config.server.replica.clone()
    };
    format!("{name}/{}", Uuid::now_v7().simple())
}

fn serve(
    app: &web::Data<App>,
    tls: Option<rustls::ServerConfig>,
) -> anyhow::Result<(actix_web::dev::Server, SocketAddr)> {
    let config = Arc::clone(&app.config);
    let state = app.clone();
    let server = HttpServer::new(move || {
        WebApp::new()
            .app_data(state.clone())
            .service(http::docs::ui())
            .service(http::routes())
            // The last wrap runs first: errors of CORS are named too.
            .wrap(state.origins.cors())
            .wrap(from_fn(http::trace))
    })
    .workers(workers(config.server.workers))
    .max_connections(config.server.max_connections)
    .client_request_timeout(config.server.request_timeout)
    .keep_alive(Duration::from_secs(75))
    // Pieces of an answer are small and must not wait for the reader's acknowledgement.
    .tcp_nodelay(true)
    .shutdown_timeout(5)
    // A client that leaves while it waits is noticed at once, not at the next write.
    .h1_allow_half_closed(false)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.bind_rustls_0_23(config.server.listen, tls),
        None => server.bind(config.server.listen),
    }
    .with_context(|| format!("cannot listen on {}", config.server.listen))?;
    let address = server.addrs().first().copied().context("no address was bound")?;
    Ok((server.run(), address))
}

/// Opening a session ends a turn that nobody runs any more.
async fn repair(archive: &Archive, sessions: &Sessions) {
    let Ok(found) = archive.unfinished_turns(REPAIRS_AT_START).await else { return };
    for id in found {
        sessions.open(id).await;
    }
}

async fn summary(
    config: &Config,
    address: SocketAddr,
    app: &App,
    models: &[String],
) -> Vec<(&'static str, String)> {
    let (stores, data) = if config.is_embedded() {
        (
            "SQLite, hot store and cache in this process",
            config.server.data_dir.display().to_string(),
        )
    } else {
        ("MySQL, Redis", "in the stores".to_owned())
    };
    let model = if models.is_empty() {
        "none configured: answers come straight from the knowledge".to_owned()
    } else {
        models.join(", ")
    };
    let embedder = app.ports.embedder.as_ref().map_or_else(
        || {
            "missing (`make model` makes it): terms are searched, nothing is cached by meaning"
                .to_owned()
        },
        |embedder| embedder.id.to_string(),
    );
    let scheme = if config.server.tls().is_some() { "https" } else { "http" };
    let mut lines = vec![
        ("chat", format!("{scheme}://{address}/")),
        ("API", format!("{scheme}://{address}/docs")),
        ("metrics", format!("{scheme}://{address}/metrics")),
        ("stores", stores.to_owned()),
        ("data", data),
        ("embedder", embedder),
        ("model", model),
    ];
    if config.is_embedded() {
        let documents = app.knowledge.documents(&demo::site_id()).await.unwrap_or(0);
        lines.push(("demo", format!("site key pk_demo, {documents} documents")));
    }
    lines
}

/// Everything that the service measures, in the order of `docs/metrics.md`.
pub fn measured() -> Vec<Chapter> {
    vec![
        ("HTTP", http::METRICS),
        ("Sessions and turns", session::metrics::METRICS),
        ("Service level and tickets", brownout::metrics::METRICS),
        ("Inference pool", inference::metrics::METRICS),
        ("Cache", cache::metrics::METRICS),
        ("Embedding", embedding::metrics::METRICS),
        ("Knowledge", knowledge::METRICS),
        ("Limits", limits::METRICS),
        ("Hot store", hot::METRICS),
        ("Archive", archive::METRICS),
        ("Replicas", relay::METRICS),
        ("Actors", actors::METRICS),
        ("Certificate and signing secrets", renewal::METRICS),
        ("Traces", traces::METRICS),
        ("Process and disk", process::METRICS),
        ("Process, as every service shows it", process::PROCESS),
    ]
}

/// Until something else is seen.
fn stores_are_up() {
    hot::up(true);
    archive::up(true);
}

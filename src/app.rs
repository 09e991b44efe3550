//! Builds every part from the configuration and connects them. No other module knows all parts.

mod access;
mod answering;
mod measured;
mod replica;
mod server;
mod stores;
mod summary;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{dev::ServerHandle, web};
use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    access::{open_accounts, open_tls, origins},
    answering::Answering,
    replica::Replica,
    server::serve,
    stores::Stores,
};
pub(crate) use self::{
    answering::start_embedder,
    stores::{Absent, database, open_archive, sites},
};
pub use self::{measured::measured, summary::Summary};
use crate::{
    background,
    config::Config,
    demo,
    erasure::Eraser,
    http::{places::Places, readiness::Readiness, sender::Senders, state::App},
    limits::Limits,
    renewal,
    runtime::Services,
    secrets,
    session::{lookout::Lookout, shared::Shared},
    supervisor::door::Sessions,
    telemetry,
    tools::{Customers, Tools},
    turn::ports::ActionPort,
};

/// A running service.
pub struct Application {
    pub address: SocketAddr,
    pub app: web::Data<App>,
    pub(crate) server: ServerHandle,
    pub(crate) serving: JoinHandle<std::io::Result<()>>,
    pub(crate) services: Services,
    pub(crate) turns: TaskTracker,
    pub(crate) tasks: TaskTracker,
    /// Stops the background tasks, after the turns.
    pub(crate) stopping: CancellationToken,
    /// Held until the end, or the next process would consider this one dead.
    pub(crate) replica: Replica,
    summary: Summary,
}

/// Longest wait of a start for the lists of MCP servers; the background goes on with it.
const FIRST_TOOLS: Duration = Duration::from_secs(3);

impl Application {
    /// Starts everything and returns when turns can be admitted. Must run on the main actix system.
    /// Can be dropped at any point, since it opens the listener last.
    ///
    /// # Errors
    /// One clear message: what could not be reached, read or bound.
    pub async fn start(config: Config, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        Self::start_with(config, metrics, None).await
    }

    /// As [`Application::start`], with another way to ask shops to make changes.
    ///
    /// # Errors
    /// As [`Application::start`].
    pub async fn start_with(
        config: Config,
        metrics: PrometheusHandle,
        actions: Option<ActionPort>,
    ) -> anyhow::Result<Self> {
        telemetry::announce(&measured());
        let config = Arc::new(prepared(config)?);
        let stopping = CancellationToken::new();
        let tasks = TaskTracker::new();
        let services = Services::start();
        let replica = match config.is_embedded() {
            true => Replica::alone(&config.server)?,
            false => Replica::shared(&config.server),
        };
        let stores = Stores::open(&config, &replica, &tasks, &stopping).await?;
        let limits = if config.is_embedded() {
            Limits::local(&config.limits)
        } else {
            Limits::shared(&config.limits, &config.store).context("cannot set up the limits")?
        };
        let tools = Tools::new(&config, limits.clone())?;
        tools.follow(&stores.archive).await.context("cannot read the tools")?;
        // A server that does not answer is no reason not to start.
        let _ = tokio::time::timeout(FIRST_TOOLS, tools.refresh()).await;
        let Answering { ports, pool, models } = Answering::start(
            &config,
            &stores,
            &services,
            &tasks,
            &stopping,
            actions,
            tools.clone(),
        )
        .await?;
        let Stores { archive, hot, journal } = stores;
        let lookout = Arc::new(Lookout::default());
        let draining = CancellationToken::new();
        let turns = TaskTracker::new();
        let turn_permits = Arc::new(Semaphore::new(config.sessions.max_turns));
        let shared = Arc::new(Shared {
            journal: journal.clone(),
            sessions: config.sessions.clone(),
            actions: config.actions.clone(),
            turn_timeout: config.turn.timeout,
            max_answer_bytes: config.turn.max_answer_bytes,
            ports: Arc::clone(&ports),
            lookout: Arc::clone(&lookout),
            turn_permits: Arc::clone(&turn_permits),
            draining: draining.clone(),
            turns: turns.clone(),
        });
        let sessions = Sessions::start(shared, &services.arbiter());
        let mut watched = Vec::new();
        let accounts = open_accounts(&archive, &limits, &config, &mut watched).await?;
        accounts.recall_erased().await?;
        accounts.follow_disabled().await?;
        accounts.refresh_absence(archive.sites().await?).await;
        let app = web::Data::new(App {
            eraser: Eraser::new(
                archive.clone(),
                journal.clone(),
                Arc::clone(&lookout),
                ports.cache.clone(),
                accounts.erased(),
            ),
            customers: Customers::new(archive.clone()),
            accounts,
            readiness: Readiness::new(archive.clone(), &replica.id),
            archive: archive.clone(),
            hot,
            journal,
            sessions: sessions.clone(),
            lookout,
            cache: ports.cache.clone(),
            knowledge: ports.knowledge.clone(),
            ports,
            pool,
            limits,
            tools,
            senders: Senders::new(&config),
            origins: origins(&archive, &config).await?,
            metrics,
            turn_permits,
            streams: Places::new(&config.sessions),
            tasks: tasks.clone(),
            draining,
            config: Arc::clone(&config),
        });
        background::start(&app, &tasks, &stopping);
        let tls = open_tls(&config, &mut watched).await?;
        renewal::start(watched, &tasks, &stopping);
        let demo_documents = app.knowledge.documents(&demo::site_id()).await.unwrap_or(0);
        let (server, address) = serve(&app, tls)?;
        let handle = server.handle();
        let serving = actix_rt::spawn(server);
        let summary = Summary::of(&app, address, &models, demo_documents);
        Ok(Self {
            address,
            app,
            server: handle,
            serving,
            services,
            turns,
            tasks,
            stopping,
            replica,
            summary,
        })
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }
}

/// Adds the defaults of the embedded mode.
fn prepared(mut config: Config) -> anyhow::Result<Config> {
    let only_site = config.sites.len() <= 1;
    if config.is_embedded() {
        secrets::private_folder(&config.server.data_dir)?;
        if config.auth.jwt_secret.is_empty() && config.auth.jwt_secret_file.as_os_str().is_empty() {
            config.auth.jwt_secret_file = secrets::kept(&config.server.data_dir, "jwt.secret")?;
        }
        config.sites = sites(&config);
    }
    if config.auth.operator_sites.is_empty() && only_site {
        // The demo site comes last, after configured sites.
        config.auth.operator_sites.extend(config.sites.first().map(|site| site.id.clone()));
    }
    Ok(config)
}

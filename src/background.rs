//! Background tasks: service level, tickets, flushing, heartbeats, and changes of the knowledge and
//! of pinned service levels.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use crate::{
    archive::{Archive, ArchiveError},
    brownout::Pin,
    http::state::App,
    inference::Observe,
    telemetry::actors::{self, ActorKind},
    tickets::TicketWorker,
};

/// How often the service level is updated.
const LADDER_STEP: Duration = Duration::from_millis(250);
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// A pinned service level reaches this replica within this time.
const MODES_REFRESH: Duration = Duration::from_secs(1);

const HEARTBEAT: Duration = Duration::from_secs(3);
/// A replica counts as dead after four missed heartbeats.
const HEARTBEAT_TTL: Duration = Duration::from_secs(12);
/// How often turns of dead replicas are searched, and how many are ended at once.
const ORPHANS: Duration = Duration::from_secs(10);
const MAX_ORPHANS: u32 = 200;
/// Documents changed by another replica or an import are found within this time.
const KNOWLEDGE_REFRESH: Duration = Duration::from_millis(900);

pub fn start(
    app: &web::Data<App>,
    replica: Arc<str>,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) {
    watch_pressure(app, tasks, stopping);
    // Histograms keep every sample until they are summed up, even if `/metrics` is never read.
    let metrics = app.metrics.clone();
    let (sessions, pool) = (app.sessions.clone(), app.pool.clone());
    repeat(tasks, stopping, METRICS_UPKEEP, move || {
        metrics.run_upkeep();
        let (sessions, pool) = (sessions.clone(), pool.clone());
        async move {
            let asked = Instant::now();
            if sessions.status().await.is_some() {
                actors::waited(ActorKind::Supervisor, asked.elapsed());
            }
            let Some(pool) = pool else { return };
            let asked = Instant::now();
            // It measures its lanes at the same time.
            if pool.observe.send(Observe).timeout(METRICS_UPKEEP).await.is_ok() {
                actors::waited(ActorKind::Pool, asked.elapsed());
            }
        }
    });
    answer_tickets(app, tasks);
    follow_knowledge(app, tasks, stopping);
    if app.config.is_embedded() {
        return;
    }
    let (archive, brownout) = (app.archive.clone(), Arc::clone(&app.ports.brownout));
    repeat(tasks, stopping, MODES_REFRESH, move || {
        let (archive, brownout) = (archive.clone(), Arc::clone(&brownout));
        async move {
            // While the archive is unreachable, the last pin applies.
            if let Ok(pin) = read_pin(&archive).await {
                brownout.pin(pin);
            }
        }
    });
    if let Some(archivist) = app.archivist.clone() {
        let stopping = stopping.clone();
        // On this thread, since it waits for the stores and computes nothing.
        tasks.spawn_local(async move { archivist.run(stopping).await });
    }
    if let Some(keeper) = app.journal.keeper((Arc::clone(&replica), HEARTBEAT_TTL)) {
        let stopping = stopping.clone();
        tasks.spawn_local(async move { keeper.run(stopping).await });
    }
    let hot = Arc::clone(&app.hot);
    repeat(tasks, stopping, HEARTBEAT, move || {
        let (hot, replica) = (Arc::clone(&hot), Arc::clone(&replica));
        async move {
            // The stores log their own outages.
            let _ = hot.beat(&replica, HEARTBEAT_TTL).await;
        }
    });
    let (journal, sessions) = (app.journal.clone(), app.sessions.clone());
    repeat(tasks, stopping, ORPHANS, move || {
        let (journal, sessions) = (journal.clone(), sessions.clone());
        async move {
            // Opening a session ends its interrupted turn.
            for id in journal.orphans(MAX_ORPHANS, HEARTBEAT_TTL).await.unwrap_or_default() {
                sessions.open(id).await;
            }
        }
    });
}

/// Reads the pinned service level from the archive.
pub async fn read_pin(archive: &Archive) -> Result<Pin, ArchiveError> {
    let kept = archive.mode(Pin::MODE).await?;
    Ok(kept.map_or(Pin::NONE, |(value, at)| Pin::read(&value, at)))
}

fn watch_pressure(app: &web::Data<App>, tasks: &TaskTracker, stopping: &CancellationToken) {
    let Some(pool) = &app.pool else { return };
    let (gauge, brownout) = (pool.pressure(), Arc::clone(&app.ports.brownout));
    repeat(tasks, stopping, LADDER_STEP, move || {
        brownout.step(gauge.pressure(), Instant::now());
        std::future::ready(())
    });
}

fn answer_tickets(app: &web::Data<App>, tasks: &TaskTracker) {
    let worker = TicketWorker::new(
        app.archive.clone(),
        app.journal.clone(),
        app.sessions.clone(),
        Arc::clone(&app.ports),
        &app.config,
    );
    // Stops in the first phase of a shutdown. Tickets in progress are released for other replicas.
    let draining = app.draining.clone();
    // On this thread, like a turn on its session's: it waits for the model and the stores.
    tasks.spawn_local(async move { worker.run(draining).await });
}

/// One small read a round, until something has changed.
fn follow_knowledge(app: &web::Data<App>, tasks: &TaskTracker, stopping: &CancellationToken) {
    let parts = (app.archive.clone(), app.knowledge.clone(), app.accounts.clone());
    repeat(tasks, stopping, KNOWLEDGE_REFRESH, move || {
        let (archive, knowledge, accounts) = parts.clone();
        async move {
            let Ok(sites) = archive.sites().await else { return };
            accounts.refresh_absence(sites.clone()).await;
            for site in sites {
                if site.knowledge_version == knowledge.version(&site.id) {
                    continue;
                }
                if let Err(error) = knowledge.refresh(&site.id).await
                    && !error.is_away()
                {
                    warn!(%error, site_id = %site.id, "knowledge was not refreshed");
                }
            }
        }
    });
}

fn repeat<F, W>(tasks: &TaskTracker, stopping: &CancellationToken, every: Duration, work: F)
where
    F: Fn() -> W + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let stopping = stopping.clone();
    tasks.spawn(async move {
        loop {
            work().await;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
        }
    });
}

//! Background tasks: service level, tickets, beats of this replica, turns of dead ones, erasures, and
//! changes of sessions, of accounts, of the knowledge, of tools and of pinned service levels.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use crate::{
    actions::ActionWorker,
    archive::{Archive, ArchiveError, Erasures},
    brownout::Pin,
    clock,
    handoffs::HandoffWorker,
    http::state::App,
    inference::Observe,
    telemetry::actors::{self, ActorKind},
    tickets::TicketWorker,
    turn::muster,
};

/// How often the service level is updated.
const LADDER_STEP: Duration = Duration::from_millis(250);
const METRICS_UPKEEP: Duration = Duration::from_secs(5);
/// A pinned service level, and the end of an account, reach this replica within this time.
const MODES_REFRESH: Duration = Duration::from_secs(1);

/// How often open turns are searched that nothing will end, and how many are ended at once.
const SWEEP: Duration = Duration::from_secs(2);
const MAX_SWEPT: u32 = 200;
/// What another replica did to a session that is open here is seen within this time.
const LOOKOUT: Duration = Duration::from_secs(1);
/// How often erasures that are not finished are gone on with.
const ERASING: Duration = Duration::from_secs(2);
const FORGETTING: Duration = Duration::from_hours(1);
/// A tool that an MCP server no longer has, or has again, is noticed within this time.
const TOOLS_REFRESH: Duration = Duration::from_secs(30);
/// Documents changed by another replica or an import are found within this time.
const KNOWLEDGE_REFRESH: Duration = Duration::from_millis(900);

pub fn start(app: &web::Data<App>, tasks: &TaskTracker, stopping: &CancellationToken) {
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
    delete_ended_tokens(app, tasks, stopping);
    answer_tickets(app, tasks);
    settle_actions(app, tasks);
    end_handoffs(app, tasks);
    follow_knowledge(app, tasks, stopping);
    end_abandoned_turns(app, tasks, stopping);
    let accounts = app.accounts.clone();
    repeat(tasks, stopping, MODES_REFRESH, move || {
        let accounts = accounts.clone();
        // While the archive is unreachable, nobody is disabled.
        async move { drop(accounts.follow_disabled().await) }
    });
    let tools = app.tools.clone();
    repeat(tasks, stopping, TOOLS_REFRESH, move || {
        let tools = tools.clone();
        async move { tools.refresh().await }
    });
    let eraser = app.eraser.clone();
    repeat(tasks, stopping, ERASING, move || {
        let eraser = eraser.clone();
        async move { eraser.go_on().await }
    });
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
    let (archive, ports) = (app.archive.clone(), Arc::clone(&app.ports));
    repeat(tasks, stopping, MODES_REFRESH, move || {
        let (archive, ports) = (archive.clone(), Arc::clone(&ports));
        // While the archive is unreachable, the last ones stay.
        async move { drop(muster::follow(&ports, &archive).await) }
    });
    let (archive, tools) = (app.archive.clone(), app.tools.clone());
    repeat(tasks, stopping, MODES_REFRESH, move || {
        let (archive, tools) = (archive.clone(), tools.clone());
        async move { drop(tools.follow(&archive).await) }
    });
    // The archive logs its own outages; a missed round is made up for by the next one.
    let parts =
        (app.journal.clone(), Arc::clone(&app.lookout), app.accounts.clone(), app.cache.clone());
    repeat(tasks, stopping, app.config.store.beat, move || {
        let (journal, lookout, accounts, cache) = parts.clone();
        async move {
            let Ok(Erasures { sessions, customers }) = journal.beat().await else { return };
            accounts.forget(&customers);
            lookout.erased(&sessions);
            for customer in customers {
                if let Some(cache) = &cache {
                    // Redis hears of it from the replica that erases.
                    let _ = cache.forget(customer, clock::now());
                }
            }
        }
    });
    let journal = app.journal.clone();
    repeat(tasks, stopping, FORGETTING, move || {
        let journal = journal.clone();
        async move { drop(journal.forget_silent().await) }
    });
    let (journal, lookout) = (app.journal.clone(), Arc::clone(&app.lookout));
    repeat(tasks, stopping, LOOKOUT, move || {
        let (journal, lookout) = (journal.clone(), Arc::clone(&lookout));
        async move { drop(lookout.round(&journal).await) }
    });
}

/// What a refresh leaves behind goes after its end; a missed round is made up for by the next one.
fn delete_ended_tokens(app: &web::Data<App>, tasks: &TaskTracker, stopping: &CancellationToken) {
    let accounts = app.accounts.clone();
    repeat(tasks, stopping, FORGETTING, move || {
        let accounts = accounts.clone();
        async move { drop(accounts.delete_ended().await) }
    });
}

/// Opening a session ends its abandoned turn.
fn end_abandoned_turns(app: &web::Data<App>, tasks: &TaskTracker, stopping: &CancellationToken) {
    let (journal, sessions) = (app.journal.clone(), app.sessions.clone());
    repeat(tasks, stopping, SWEEP, move || {
        let (journal, sessions) = (journal.clone(), sessions.clone());
        async move {
            for id in journal.abandoned(MAX_SWEPT).await.unwrap_or_default() {
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

fn settle_actions(app: &web::Data<App>, tasks: &TaskTracker) {
    let worker = ActionWorker::new(
        app.archive.clone(),
        app.journal.clone(),
        app.sessions.clone(),
        Arc::clone(&app.ports),
        app.config.actions.approval,
    );
    let draining = app.draining.clone();
    tasks.spawn(async move { worker.run(draining).await });
}

fn end_handoffs(app: &web::Data<App>, tasks: &TaskTracker) {
    let worker = HandoffWorker::new(
        app.archive.clone(),
        app.sessions.clone(),
        Arc::clone(&app.ports),
        &app.config.handoff,
    );
    let draining = app.draining.clone();
    tasks.spawn(async move { worker.run(draining).await });
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
        while stopping.run_until_cancelled(work()).await.is_some() {
            if stopping.run_until_cancelled(tokio::time::sleep(every)).await.is_none() {
                return;
            }
        }
    });
}

//! Stopping without losing anything, in numbered phases.
//!
//! 1. Admit nothing: `/readyz` says 503, new turns get `draining`, idle streams get `server.draining`.
//! 2. Let running turns end, for `server.drain_timeout`.
//! 3. Interrupt the rest: each ends visibly with `turn.failed` and is durable.
//! 4. Stop the background tasks.
//! 5. Close the listener, its connections and the sessions on their threads, and wait for the background tasks.
//! 6. Leave the list of replicas: what is still open may be ended by others at once.
//!
//! Phases 3 to 5 take 18 s at most, phase 6 `store.archive_timeout_ms`, and the last traces 5 s. Platforms are told to give
//! `server.drain_timeout` and 30 s.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use tracing::{error, info, warn};

use crate::app::Application;

/// Time for interrupted turns to become durable.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(5);
const SERVER_TIMEOUT: Duration = Duration::from_secs(8);
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the parts that the service needs are checked.
const PULSE: Duration = Duration::from_secs(1);

/// Signals of the process. Created first, since a signal without a receiver ends the process.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// SIGHUP, used by the reloading of files. Before that, it is received and ignored.
    _hangup: Signal,
}

impl Signals {
    /// # Errors
    /// If signals cannot be received.
    pub fn receive() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until SIGTERM or SIGINT, or until a part dies that the service needs; then stops.
///
/// # Errors
/// The part that died.
pub async fn serve(application: Application, signals: Signals) -> anyhow::Result<()> {
    let dead = asked(&application, signals).await;
    run(application).await;
    match dead {
        None => Ok(()),
        Some(part) => {
            anyhow::bail!("the {part} died; the process ends so that it is restarted")
        }
    }
}

/// Waits for a signal, or for the death of a part, whose name it returns.
async fn asked(application: &Application, mut signals: Signals) -> Option<&'static str> {
    loop {
        tokio::select! {
            () = signals.stop() => return None,
            () = tokio::time::sleep(PULSE) => {
                if !application.app.sessions.is_alive() {
                    return Some("supervisor");
                }
                if application.app.pool.as_ref().is_some_and(|pool| !pool.is_alive()) {
                    return Some("inference pool");
                }
                if application.serving.is_finished() {
                    return Some("HTTP server");
                }
            }
        }
    }
}

/// Goes through the phases.
pub async fn run(application: Application) {
    let Application { app, server, serving, services, turns, tasks, stopping, replica, .. } =
        application;
    info!(phase = 1, "draining");
    app.draining.cancel();

    info!(phase = 2, running = turns.len(), "waiting for running turns");
    turns.close();
    let drained = timeout(app.config.server.drain_timeout, turns.wait()).await.is_ok();
    if !drained {
        warn!(phase = 3, running = turns.len(), "interrupting turns");
        let interrupted = async {
            app.sessions.interrupt_all().await;
            turns.wait().await;
        };
        if timeout(INTERRUPT_TIMEOUT, interrupted).await.is_err() {
            error!(running = turns.len(), "turns did not end");
        }
    }

    info!(phase = 4, "stopping background tasks");
    stopping.cancel();
    let archive = app.archive.clone();
    drop(app);

    info!(phase = 5, "closing");
    if timeout(SERVER_TIMEOUT, server.stop(true)).await.is_err() {
        warn!("connections did not close");
    }
    serving.abort();
    // Before the background: sessions hold the way to the journal's writer, which ends when nobody
    // can write.
    services.stop();
    tasks.close();
    if timeout(BACKGROUND_TIMEOUT, tasks.wait()).await.is_err() {
        warn!(tasks = tasks.len(), "background tasks did not end");
    }
    info!(phase = 6, "leaving");
    if let Err(error) = archive.leave(&replica.id).await {
        warn!(%error, "other replicas wait before they end what this one left open");
    }
    drop(replica);
    info!("stopped");
}

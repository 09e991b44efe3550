//! What goes on beside the requests: flushing, the replica's heartbeat, news of the knowledge.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use crate::http::state::App;

const HEARTBEAT: Duration = Duration::from_secs(3);
/// Four missed heartbeats and a replica counts as gone.
const HEARTBEAT_TTL: Duration = Duration::from_secs(12);
/// Documents changed by another replica are seen within this time.
const KNOWLEDGE_REFRESH: Duration = Duration::from_millis(900);

pub fn start(
    app: &web::Data<App>,
    replica: Arc<str>,
    tasks: &TaskTracker,
    stopping: &CancellationToken,
) {
    if app.config.is_embedded() {
        return;
    }
    if let Some(archivist) = app.archivist.clone() {
        let stopping = stopping.clone();
        // On this thread: it waits for the stores and computes nothing.
        tasks.spawn_local(async move { archivist.run(stopping).await });
    }
    let hot = Arc::clone(&app.hot);
    repeat(tasks, stopping, HEARTBEAT, move || {
        let (hot, replica) = (Arc::clone(&hot), Arc::clone(&replica));
        async move {
            // A store that is away is reported where it is needed.
            let _ = hot.beat(&replica, HEARTBEAT_TTL).await;
        }
    });
    let (archive, knowledge) = (app.archive.clone(), app.knowledge.clone());
    repeat(tasks, stopping, KNOWLEDGE_REFRESH, move || {
        let (archive, knowledge) = (archive.clone(), knowledge.clone());
        async move {
            let Ok(sites) = archive.sites().await else { return };
            for site in sites {
                if let Err(error) = knowledge.refresh(&site.id).await {
                    warn!(%error, site_id = %site.id, "the knowledge could not be refreshed");
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

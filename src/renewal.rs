//! Files that are read again while the service runs: its certificate and its signing keys.
//!
//! They are checked every second and on SIGHUP. If a new version cannot be used, the log has one
//! warning and the previous version stays in use.

mod metrics;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

pub use self::metrics::METRICS;

const LOOK: Duration = Duration::from_secs(1);

type Apply = Box<dyn Fn(&[Vec<u8>]) -> anyhow::Result<()> + Send>;

/// Files that belong together, and the action for their contents.
pub struct Watched {
    what: &'static str,
    paths: Vec<PathBuf>,
    seen: Vec<Vec<u8>>,
    apply: Apply,
    failing: bool,
}

impl Watched {
    /// `seen` are the current contents, in the order of `paths`.
    pub fn new(
        what: &'static str,
        paths: Vec<PathBuf>,
        seen: Vec<Vec<u8>>,
        apply: impl Fn(&[Vec<u8>]) -> anyhow::Result<()> + Send + 'static,
    ) -> Self {
        Self { what, paths, seen, apply: Box::new(apply), failing: false }
    }

    async fn look(&mut self) {
        let what = self.what;
        let found = match read(&self.paths).await {
            Ok(found) => found,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    warn!(what, "{error:#}; the previous one stays in use");
                    metrics::renewed(what, "refused");
                }
                return;
            }
        };
        self.failing = false;
        if found == self.seen {
            return;
        }
        let outcome = match (self.apply)(&found) {
            Ok(()) => {
                info!(what, "reloaded");
                "in_force"
            }
            // Files that are written one after the other do not match for a moment.
            Err(error) => {
                warn!(what, "{error:#}; the previous one stays in use");
                "refused"
            }
        };
        metrics::renewed(what, outcome);
        self.seen = found;
    }
}

/// # Errors
/// The file that cannot be read.
pub async fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut contents = Vec::with_capacity(paths.len());
    for path in paths {
        let content = tokio::fs::read(path).await;
        contents.push(content.with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(contents)
}

pub fn start(mut watched: Vec<Watched>, tasks: &TaskTracker, stopping: &CancellationToken) {
    let stopping = stopping.clone();
    tasks.spawn(async move {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => return warn!(%error, "cannot receive SIGHUP; files are reloaded only when they change"),
        };
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
                _ = hangup.recv() => info!("SIGHUP: reloading certificate and secrets"),
            }
            for files in &mut watched {
                files.look().await;
            }
        }
    });
}

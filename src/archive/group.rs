//! Many sessions, one transaction. In the embedded mode a message is on disk before it is
//! acknowledged, and what disk writes cost is shared by everybody who waits at the same time.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::task::TaskTracker;

use super::{error::ArchiveError, handle::Archive};
use crate::domain::SessionCopy;

/// Commits closer together than this are worth waiting for company.
const BUSY: Duration = Duration::from_millis(10);
const LINGER: Duration = Duration::from_millis(2);

/// Hands batches to the one task that commits them. The task ends when the last handle is gone and
/// nothing waits.
#[derive(Clone)]
pub struct GroupCommit {
    waiting: mpsc::Sender<Waiting>,
    timeout: Duration,
}

struct Waiting {
    batch: SessionCopy,
    done: oneshot::Sender<Result<(), ArchiveError>>,
}

impl GroupCommit {
    /// `max_group` is the most batches of one transaction (`store.flush_batch`); four times as many
    /// may wait.
    pub fn start(archive: Archive, max_group: usize, tracker: &TaskTracker) -> Self {
        let (waiting, queue) = mpsc::channel(max_group.saturating_mul(4).max(1));
        // A group under way, then one's own.
        let timeout = archive.timeout * 2;
        tracker.spawn(commit_groups(archive, queue, max_group.max(1)));
        Self { waiting, timeout }
    }

    /// Returns when `batch` is in the archive.
    ///
    /// # Errors
    /// As [`Archive::commit`]; [`ArchiveError::Timeout`] also where too much waits already. After a
    /// timeout the batch may still be written.
    pub async fn commit(&self, batch: SessionCopy) -> Result<(), ArchiveError> {
        let (done, outcome) = oneshot::channel();
        let work = async {
            let ended = || ArchiveError::Unavailable("the committing task has ended".into());
            self.waiting.send(Waiting { batch, done }).await.map_err(|_| ended())?;
            outcome.await.map_err(|_| ended())?
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(ArchiveError::Timeout))
    }
}

async fn commit_groups(archive: Archive, mut queue: mpsc::Receiver<Waiting>, max_group: usize) {
    let mut group = Vec::with_capacity(max_group);
    let mut committed: Option<Instant> = None;
    while queue.recv_many(&mut group, max_group).await > 0 {
        // Where commits follow one another, a transaction and its fsync are shared by who comes a
        // moment later.
        if committed.is_some_and(|at| at.elapsed() < BUSY) && group.len() < max_group {
            tokio::time::sleep(LINGER).await;
            while group.len() < max_group
                && let Ok(waiting) = queue.try_recv()
            {
                group.push(waiting);
            }
        }
        let (batches, waiters): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.batch, waiting.done)).unzip();
        let outcome = archive.commit(&batches).await;
        let alone = matches!(&outcome, Err(error) if !error.concerns_all()) && batches.len() > 1;
        for (batch, waiter) in batches.iter().zip(waiters) {
            let outcome = if alone {
                archive.commit(std::slice::from_ref(batch)).await
            } else {
                outcome.clone()
            };
            // Whoever no longer waits has decided without the answer.
            let _ = waiter.send(outcome);
        }
        committed = Some(Instant::now());
    }
}

//! Many sessions, one transaction. A message is on disk before it is acknowledged, and what disk
//! writes cost is shared by all that wait at the same time.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::task::TaskTracker;

use super::{
    append::{Advanced, Step},
    error::ArchiveError,
    handle::Archive,
};

/// Commits closer together than this are worth waiting for company.
const BUSY: Duration = Duration::from_millis(10);
const LINGER: Duration = Duration::from_millis(2);

/// Hands steps to the one task that commits them. The task ends when the last handle is gone and
/// nothing waits.
#[derive(Clone)]
pub struct GroupCommit {
    waiting: mpsc::Sender<Waiting>,
    timeout: Duration,
}

/// A step and who waits for it.
pub struct Waiting {
    pub step: Step,
    pub done: oneshot::Sender<Result<Advanced, ArchiveError>>,
}

impl GroupCommit {
    /// `max_group` is the most steps of one transaction (`store.commit_batch`); four times as many
    /// may wait.
    pub fn start(archive: Archive, max_group: usize, tracker: &TaskTracker) -> Self {
        let (waiting, queue) = mpsc::channel(max_group.saturating_mul(4).max(1));
        // A group under way, then one's own.
        let timeout = archive.timeout * 2;
        tracker.spawn(commit_groups(archive, queue, max_group.max(1)));
        Self { waiting, timeout }
    }

    /// One whose steps are committed, or not, by a test.
    #[cfg(test)]
    pub fn by_hand(timeout: Duration) -> (Self, mpsc::Receiver<Waiting>) {
        let (waiting, queue) = mpsc::channel(64);
        (Self { waiting, timeout }, queue)
    }

    /// Returns when it is known what became of `step`.
    ///
    /// # Errors
    /// As [`Archive::advance`]; [`ArchiveError::Timeout`] also if too much waits already. After a
    /// timeout the step may still be written.
    pub async fn advance(&self, step: Step) -> Result<Advanced, ArchiveError> {
        let (done, outcome) = oneshot::channel();
        let work = async {
            let ended = || ArchiveError::Unavailable("the committing task has ended".into());
            self.waiting.send(Waiting { step, done }).await.map_err(|_| ended())?;
            outcome.await.map_err(|_| ended())?
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(ArchiveError::Timeout))
    }
}

async fn commit_groups(archive: Archive, mut queue: mpsc::Receiver<Waiting>, max_group: usize) {
    let mut group = Vec::with_capacity(max_group);
    let mut committed: Option<Instant> = None;
    while queue.recv_many(&mut group, max_group).await > 0 {
        // Under load, a transaction and its fsync are shared with steps that come a moment later.
        if committed.is_some_and(|at| at.elapsed() < BUSY) && group.len() < max_group {
            tokio::time::sleep(LINGER).await;
            while group.len() < max_group
                && let Ok(waiting) = queue.try_recv()
            {
                group.push(waiting);
            }
        }
        let (steps, waiters): (Vec<_>, Vec<_>) =
            group.drain(..).map(|waiting| (waiting.step, waiting.done)).unzip();
        let steps: Arc<[Step]> = steps.into();
        match archive.advance(Arc::clone(&steps)).await {
            Ok(outcomes) => {
                for (waiter, outcome) in waiters.into_iter().zip(outcomes) {
                    // Nobody waits after a timeout.
                    let _ = waiter.send(Ok(outcome));
                }
            }
            Err(error) if error.concerns_all() || steps.len() == 1 => {
                for waiter in waiters {
                    let _ = waiter.send(Err(error.clone()));
                }
            }
            // One of them is at fault; the others must not suffer from it.
            Err(_) => {
                for (waiter, step) in waiters.into_iter().zip(steps.iter()) {
                    let _ = waiter.send(alone(&archive, step.clone()).await);
                }
            }
        }
        committed = Some(Instant::now());
    }
}

async fn alone(archive: &Archive, step: Step) -> Result<Advanced, ArchiveError> {
    let mut outcome = archive.advance(Arc::new([step])).await?;
    outcome.pop().ok_or_else(|| ArchiveError::Corrupt("a step without an outcome".into()))
}

//! Brings to the archive what the hot store holds, forever, in the distributed mode. The archivist
//! of any replica may flush any session: a commit twice over changes nothing, and each starts its
//! rounds at another shard.
//!
//! It loses nothing: a session leaves the hot store's dirty marks only after its facts are in the
//! archive. It never gives up; while the archive is unreachable it asks ever more rarely. The one
//! place where the archive knows the hot store.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{error::FlushError, metrics, reconcile::reconcile};
use crate::{
    archive::{Archive, ArchiveError},
    clock, config,
    domain::{SessionCopy, SessionId, Timestamp},
    hot::{HotError, HotStore},
};

/// Calls to the hot store at once.
const CONCURRENCY: usize = 8;
const MAX_BACKOFF: Duration = Duration::from_secs(15);
/// How long a shutdown counts what it leaves.
const COUNTING: Duration = Duration::from_secs(1);

/// How far the archive is behind the hot store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ArchivistStatus {
    /// Sessions that the last round left behind; 0 while all is well. While the hot store cannot be
    /// read, those that were last seen there.
    pub backlog: usize,
    /// Age of the oldest fact of these, in milliseconds.
    pub oldest_unflushed_ms: u64,
    /// Why the last round failed: `archive_unavailable`, `hot_timeout` and the like.
    pub last_error: Option<&'static str>,
}

/// One for each replica. Cheap to clone; clones share their status.
#[derive(Clone)]
pub struct Archivist {
    hot: Arc<HotStore>,
    archive: Archive,
    interval: Duration,
    max_batch: usize,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Default)]
struct Progress {
    behind: Behind,
    last_error: Option<FlushError>,
}

/// What the archive does not have yet.
#[derive(Clone, Copy, Default)]
struct Behind {
    sessions: usize,
    oldest: Option<Timestamp>,
}

/// What one round saw.
#[derive(Default)]
struct Round {
    seen: HashSet<SessionId>,
    flushed: usize,
    oldest: Option<Timestamp>,
    /// The first session that the archive refused although it works.
    refused: Option<ArchiveError>,
}

impl Archivist {
    pub fn new(hot: Arc<HotStore>, archive: Archive, store: &config::Store) -> Self {
        Self {
            hot,
            archive,
            interval: store.flush_interval,
            max_batch: store.flush_batch,
            progress: Arc::default(),
        }
    }

    /// One round each `store.flush_interval_ms` until `shutdown`. What is left then is for
    /// [`Archivist::flush_last`].
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut wait = self.interval;
        let mut batch = self.max_batch;
        while shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            let Some(outcome) = shutdown.run_until_cancelled(self.round(batch)).await else {
                break;
            };
            match outcome {
                Ok(_) => {
                    wait = self.interval;
                    batch = (batch * 2).min(self.max_batch);
                }
                Err(error) => {
                    // A smaller batch may be in time where this one was not.
                    if error == FlushError::Archive(ArchiveError::Timeout) {
                        batch = (batch / 2).max(1);
                    }
                    wait = (wait * 2).clamp(self.interval, MAX_BACKOFF);
                    wait = wait.mul_f64(rand::random_range(0.75..1.0));
                }
            }
        }
    }

    /// The last rounds of a shutdown. They may have no end of their own, for other replicas go on
    /// writing: at `deadline` the rest is left in the hot store, for them or for the next start.
    /// `false` where anything may be left; that and how much is logged.
    pub async fn flush_last(&self, deadline: Instant) -> bool {
        let error = match timeout_at(deadline, self.flush_all()).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.code(),
            Err(_) => "no_time_left",
        };
        match timeout(COUNTING, self.count_dirty()).await {
            Ok(Ok(left)) => {
                tracing::warn!(error, left, "last flush failed; redis keeps the rest");
            }
            _ => tracing::warn!(error, "last flush failed; redis cannot be read"),
        }
        false
    }

    /// Rounds until one brings nothing more.
    ///
    /// # Errors
    /// What ended a round early, or why the archive refused a session.
    pub async fn flush_all(&self) -> Result<(), FlushError> {
        loop {
            let round = self.round(self.max_batch).await?;
            if round.flushed == 0 {
                return round.refused.map_or(Ok(()), |error| Err(error.into()));
            }
        }
    }

    pub fn status(&self) -> ArchivistStatus {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |at: Timestamp| clock::now().as_millis().saturating_sub(at.as_millis());
        ArchivistStatus {
            backlog: progress.behind.sessions,
            oldest_unflushed_ms: progress
                .behind
                .oldest
                .map_or(0, |at| u64::try_from(age(at)).unwrap_or(0)),
            last_error: progress.last_error.as_ref().map(FlushError::code),
        }
    }

    /// Goes over all shards once, `batch` sessions to a transaction.
    async fn round(&self, batch: usize) -> Result<Round, FlushError> {
        let mut round = Round::default();
        let outcome = Box::pin(self.flush_shards(batch, &mut round)).await;
        let sessions = match &outcome {
            Ok(()) => Some(round.seen.len() - round.flushed),
            // The round stopped early, so it has not seen everything.
            Err(_) => Box::pin(self.count_dirty()).await.ok(),
        };
        let oldest = round.oldest.filter(|_| sessions != Some(0));
        let behind = sessions.map(|sessions| Behind { sessions, oldest });
        let error = match &outcome {
            Ok(()) => round.refused.clone().map(FlushError::from),
            Err(error) => Some(error.clone()),
        };
        self.note(behind, error);
        outcome.map(|()| round)
    }

    async fn flush_shards(&self, batch: usize, round: &mut Round) -> Result<(), FlushError> {
        let shards = self.hot.shards();
        let first = rand::random_range(0..shards);
        let limit = self.max_batch.max(batch);
        let listed = u32::try_from(limit).unwrap_or(u32::MAX);
        let mut waiting = Vec::with_capacity(batch);
        for shard in (first..shards).chain(0..first) {
            loop {
                let dirty = self.hot.dirty(shard, listed).await?;
                let all = dirty.len() < limit;
                // What was seen in this round and is dirty again has its turn in the next.
                let fresh: Vec<_> = dirty.into_iter().filter(|id| round.seen.insert(*id)).collect();
                let stuck = fresh.is_empty();
                waiting.extend(fresh);
                while waiting.len() >= batch {
                    let rest = waiting.split_off(batch);
                    self.flush(&waiting, round).await?;
                    waiting = rest;
                }
                if all || stuck {
                    break;
                }
            }
        }
        self.flush(&waiting, round).await
    }

    async fn flush(&self, ids: &[SessionId], round: &mut Round) -> Result<(), FlushError> {
        let unflushed = stream::iter(ids).map(|id| self.hot.unflushed(*id)).buffered(CONCURRENCY);
        let unflushed: Vec<Option<SessionCopy>> = unflushed.try_collect().await?;
        // What is not hot any more was flushed or erased by somebody else.
        round.flushed += unflushed.iter().filter(|unflushed| unflushed.is_none()).count();
        let batches: Vec<SessionCopy> = unflushed.into_iter().flatten().collect();
        let facts = batches.iter().filter_map(|batch| batch.events.first());
        round.oldest = facts.map(|event| event.at).chain(round.oldest).min();
        match self.archive.commit(&batches).await {
            Ok(()) => self.mark(&batches, round).await,
            Err(error) if error.concerns_all() => Err(error.into()),
            Err(_) => {
                // One that is refused must not keep the others back.
                for batch in batches.chunks(1) {
                    match self.archive.commit(batch).await {
                        Ok(()) => self.mark(batch, round).await?,
                        Err(error) if error.concerns_all() => return Err(error.into()),
                        Err(ArchiveError::Conflict) => self.settle(batch, round).await?,
                        Err(error) => round.refused = round.refused.take().or(Some(error)),
                    }
                }
                Ok(())
            }
        }
    }

    async fn mark(&self, batches: &[SessionCopy], round: &mut Round) -> Result<(), FlushError> {
        let marks = stream::iter(batches)
            .map(|batch| self.hot.mark_flushed(batch.meta.id, batch.meta.last_seq))
            .buffer_unordered(CONCURRENCY);
        marks.try_for_each(|()| std::future::ready(Ok(()))).await?;
        round.flushed += batches.len();
        Ok(())
    }

    /// Two writers went on from one point: both are right, and one moves behind the other.
    async fn settle(&self, batch: &[SessionCopy], round: &mut Round) -> Result<(), FlushError> {
        for SessionCopy { meta, .. } in batch {
            if reconcile(&self.hot, &self.archive, meta.id).await? {
                round.flushed += 1;
            } else {
                round.refused = round.refused.take().or(Some(ArchiveError::Conflict));
            }
        }
        Ok(())
    }

    async fn count_dirty(&self) -> Result<usize, HotError> {
        let mut count = 0;
        for shard in 0..self.hot.shards() {
            count += self.hot.dirty(shard, 10_000).await?.len();
        }
        Ok(count)
    }

    /// Keeps how the round went; one log line when it changes. Where nobody could look, `behind` is
    /// `None` and what was known of it stays.
    fn note(&self, behind: Option<Behind>, error: Option<FlushError>) {
        let before = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.behind = behind.unwrap_or(progress.behind);
            std::mem::replace(&mut progress.last_error, error.clone())
        };
        let status = self.status();
        metrics::archivist(status.backlog, status.oldest_unflushed_ms);
        if status.last_error == before.as_ref().map(FlushError::code) {
            return;
        }
        match error {
            Some(FlushError::Archive(_)) => tracing::warn!(
                error = status.last_error,
                backlog = status.backlog,
                "flush to the archive failed"
            ),
            // Whoever appends finds the same, and goes to the archive.
            Some(FlushError::Hot(_)) => tracing::warn!(
                error = status.last_error,
                "redis cannot be read; new messages go to the archive"
            ),
            None => tracing::info!("all sessions are flushed again"),
        }
    }
}

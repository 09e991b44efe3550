//! Beside the requests: brings unsaved facts to the archive while redis is unreachable, and makes
//! the two agree again when it is back.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{fallback::Fallback, handle::Journal, reconcile::reconcile};
use crate::domain::SessionId;

const ROUND: Duration = Duration::from_millis(500);
/// Every so many rounds somebody looks for sessions that a dead replica left detached.
const ROUNDS_OF_OTHERS: u32 = 10;
/// After this time the archivist of some replica has flushed what was appended, usually.
const SETTLED: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 8;
const BATCH: usize = 500;

pub struct Keeper {
    journal: Journal,
    fallback: Arc<Fallback>,
    replica: Arc<str>,
    beat_ttl: Duration,
}

impl Journal {
    /// What keeps the stores in step, to be run once; `None` in embedded mode. `replica` names this
    /// process, and one sign of its life counts for `beat_ttl`.
    pub fn keeper(&self, (replica, beat_ttl): (Arc<str>, Duration)) -> Option<Keeper> {
        let fallback = Arc::clone(self.fallback()?);
        Some(Keeper { journal: self.clone(), fallback, replica, beat_ttl })
    }
}

impl Keeper {
    pub async fn run(self, stopping: CancellationToken) {
        let mut rounds = 0u32;
        let mut was_up = true;
        while stopping.run_until_cancelled(tokio::time::sleep(ROUND)).await.is_some() {
            let up = self.journal.hot.is_up() || self.journal.hot.ping().await.is_ok();
            if up && !was_up {
                self.welcome().await;
            }
            if !up {
                self.fallback.outage();
                self.save_all().await;
            } else {
                let mut sessions = self.fallback.detached(usize::MAX);
                if rounds.is_multiple_of(ROUNDS_OF_OTHERS) || !was_up {
                    let others = self.journal.archive.detached_sessions(BATCH as u32).await;
                    sessions.extend(others.unwrap_or_default());
                }
                self.attach(sessions).await;
                self.settle().await;
            }
            self.fallback.measure();
            was_up = up;
            rounds = rounds.wrapping_add(1);
        }
        if !self.journal.hot.is_up() {
            self.save_all().await;
        }
    }

    /// The redis is reachable again, perhaps without its last moments: say at once that this
    /// replica lives, or its turns would be taken for orphans, and bring what may be lost.
    async fn welcome(&self) {
        let _ = self.journal.hot.beat(&self.replica, self.beat_ttl).await;
        if let Some(relay) = self.journal.relay() {
            relay.stay_all();
        }
        self.save_all().await;
    }

    /// Brings everything that only this process and the hot store have into the archive.
    async fn save_all(&self) {
        loop {
            let ids = self.fallback.aged(Duration::ZERO, BATCH);
            let all = ids.len();
            let saved = stream::iter(ids)
                .map(|id| self.journal.save(id))
                .buffer_unordered(AT_ONCE)
                .filter(|saved| std::future::ready(saved.is_ok()))
                .count()
                .await;
            // Nothing left, or the archive does not take it now.
            if all == 0 || saved < all {
                return;
            }
        }
    }

    /// A few at a time, however many there are: a store that has just come back is not to be
    /// knocked over.
    async fn attach(&self, mut sessions: Vec<SessionId>) {
        if sessions.is_empty() {
            return;
        }
        sessions.sort_unstable();
        sessions.dedup();
        let all = sessions.len();
        let attached = stream::iter(sessions)
            .map(|id| async move {
                self.journal.save(id).await.ok()?;
                let agree = reconcile(&self.journal.hot, &self.journal.archive, id).await;
                if !agree.is_ok_and(|agree| agree) {
                    return None;
                }
                self.fallback.attach(id);
                let watchers = self.journal.hot.watchers(id).await.unwrap_or_default();
                if let Some(relay) = self.journal.relay() {
                    relay.changed(id, &watchers);
                }
                Some(())
            })
            .buffer_unordered(AT_ONCE)
            .filter(|attached| std::future::ready(attached.is_some()))
            .count()
            .await;
        match attached {
            _ if attached == all => info!(sessions = attached, "sessions are back in redis"),
            0 => {}
            _ => {
                warn!(sessions = attached, left = all - attached, "some sessions are back in redis")
            }
        }
    }

    /// Forgets what the archivist of any replica has brought to the archive.
    async fn settle(&self) {
        loop {
            let ids = self.fallback.aged(SETTLED, BATCH);
            if ids.is_empty() {
                return;
            }
            let Ok(known) = self.journal.archive.last_seqs(&ids).await else { return };
            for (id, seq) in known {
                self.fallback.saved(id, seq);
            }
        }
    }
}

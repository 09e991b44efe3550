//! The beats of this replica.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{error::JournalError, handle::Journal};
use crate::{
    archive::{Erasures, Seen},
    domain::Timestamp,
};

/// Tells replicas of different builds apart. It grows when a build writes what an older one must
/// not read.
pub const BUILD: u64 = 1;
/// Replicas that were killed are listed for this long.
const REMEMBERED: Duration = Duration::from_hours(24);
/// A transaction that erases may take this long from its time to its end.
const SLOWEST_ERASURE_MS: i64 = 60_000;
/// How often and how long an erasure waits for the beats of other replicas.
const LOOK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(5);

impl Journal {
    /// Says that this replica runs, reads which others do, and returns the sessions that were erased
    /// lately: what this process holds of them in memory must go. To be called before the first
    /// append, and then every `store.beat_ms`.
    ///
    /// # Errors
    /// If the archive does not answer. After `store.dead_after_ms` without a beat, other replicas
    /// end the turns of this one.
    pub async fn beat(&self) -> Result<Erasures, JournalError> {
        if self.peers.is_alone() {
            return Ok(Erasures::default());
        }
        let last = *self.looked_at();
        // A process that has just started holds nothing in memory.
        let since = last.map_or(i64::MAX, |last| last.as_millis() - SLOWEST_ERASURE_MS);
        let since = Timestamp::from_millis(since);
        let (begun, erased) = self.archive.erased_since(since).await?;
        // The beat vouches for the look before this one: what that one found is out of memory.
        let looked_at = last.unwrap_or(begun);
        self.archive.beat(self.replica(), BUILD, looked_at).await?;
        *self.looked_at() = Some(begun);
        let seen = self.archive.replicas().await?;
        let silent = seen.into_iter().map(|Seen { id, silent, .. }| (id, silent)).collect();
        self.peers.beaten(silent, Instant::now());
        Ok(erased)
    }

    /// Waits until every other replica that lives has read the newest erasures. False if one of
    /// them does not say so in time; it may still show an erased session from memory.
    pub(super) async fn all_have_looked(&self) -> bool {
        timeout(PATIENCE, self.wait_for_looks()).await.unwrap_or(false)
    }

    async fn wait_for_looks(&self) -> bool {
        if !self.peers.has_others() {
            return true;
        }
        let Ok((erased_at, _)) = self.archive.erased_since(Timestamp::from_millis(i64::MAX)).await
        else {
            return false;
        };
        loop {
            match self.others_have_looked(erased_at).await {
                Ok(true) => return true,
                Ok(false) => tokio::time::sleep(LOOK).await,
                Err(_) => return false,
            }
        }
    }

    /// Whether every other replica that lives has dropped what was erased before `erased_at`, by the
    /// clock of the archive.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn others_have_looked(&self, erased_at: Timestamp) -> Result<bool, JournalError> {
        if self.peers.is_alone() {
            return Ok(true);
        }
        let seen = self.archive.replicas().await?;
        let mut others = seen.iter().filter(|seen| seen.id != self.replica());
        let dead = |seen: &Seen| self.peers.is_dead(Some(seen.silent), Instant::now());
        Ok(others.all(|seen| seen.looked_at >= erased_at || dead(seen)))
    }

    /// Forgets replicas that have been silent for a day.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn forget_silent(&self) -> Result<(), JournalError> {
        Ok(self.archive.forget_silent(REMEMBERED).await?)
    }
}

//! The journal's handle, and what is done to a session as a whole.

use std::sync::Arc;

use tracing::error;

use super::{error::JournalError, fallback::Fallback};
use crate::{
    archive::{Archive, ArchiveError, ErasureCounts, GroupCommit},
    domain::{Event, Running, SessionId, SessionMeta},
    hot::HotStore,
    relay::Relay,
};

#[derive(Clone)]
pub struct Journal {
    pub(super) hot: Arc<HotStore>,
    pub(super) archive: Archive,
    pub(super) tail: u32,
    pub(super) safety: Safety,
}

/// What makes an append durable.
#[derive(Clone)]
pub enum Safety {
    /// Embedded mode: the disk, before the hot store.
    Disk(GroupCommit),
    /// Distributed mode: the hot store, or the archive while that is away.
    Hot(Arc<Fallback>, Arc<Relay>),
}

/// A session as found in the stores.
pub struct Opened {
    pub meta: SessionMeta,
    /// The newest events, ascending, gapless up to `meta.last_seq`.
    pub events: Vec<Event>,
    pub running: Option<Running>,
    /// It came from the archive: idempotency keys older than this life are only there.
    pub was_cold: bool,
    /// Redis is unreachable, so a turn may run elsewhere without being named in `running`.
    pub is_uncertain: bool,
}

impl Journal {
    pub fn new(hot: Arc<HotStore>, archive: Archive, tail: usize, safety: Safety) -> Self {
        Self { hot, archive, tail: u32::try_from(tail).unwrap_or(u32::MAX), safety }
    }

    pub(super) fn fallback(&self) -> Option<&Arc<Fallback>> {
        match &self.safety {
            Safety::Disk(_) => None,
            Safety::Hot(fallback, _) => Some(fallback),
        }
    }

    /// The way to the other replicas; `None` in embedded mode.
    pub fn relay(&self) -> Option<&Arc<Relay>> {
        match &self.safety {
            Safety::Disk(_) => None,
            Safety::Hot(_, relay) => Some(relay),
        }
    }

    pub(super) fn is_detached(&self, id: SessionId) -> bool {
        self.fallback().is_some_and(|fallback| fallback.is_detached(id))
    }

    /// Brings what only this process and the hot store may have of a session into the archive.
    ///
    /// # Errors
    /// Where the archive does not take it; it is kept.
    pub async fn save(&self, id: SessionId) -> Result<(), JournalError> {
        let Some(fallback) = self.fallback() else { return Ok(()) };
        let Some(batch) = fallback.unsaved(id) else { return Ok(()) };
        match self.archive.commit(std::slice::from_ref(&batch)).await {
            Ok(()) => {}
            Err(ArchiveError::Conflict) => {
                // Another replica went on from an older point: its facts stand, these move behind
                // them.
                fallback.detach(id);
                self.archive.merge(&batch).await?;
                error!(session_id = %id, "two copies of a session were merged");
            }
            Err(error) => return Err(error.into()),
        }
        fallback.saved(id, batch.meta.last_seq);
        Ok(())
    }

    /// Removes a session from both stores; what the archive had is counted. A hot store that is
    /// away erases its copy when it is back: the archive's tombstone stands.
    pub async fn erase(&self, meta: &SessionMeta) -> Result<ErasureCounts, JournalError> {
        let watchers = self.hot.watchers(meta.id).await.unwrap_or_default();
        let counts = self.archive.erase_session(meta.id, meta.owner).await?;
        if let Safety::Hot(fallback, relay) = &self.safety {
            fallback.forget(meta.id);
            relay.erased(meta.id, &watchers);
        }
        match (self.hot.erase(meta.id, meta.owner).await, self.fallback()) {
            (Ok(()), _) => {}
            (Err(error), Some(fallback)) if error.is_away() => {
                fallback.detach(meta.id);
                self.archive.detach(meta.id).await?;
            }
            (Err(error), _) => return Err(error.into()),
        }
        Ok(counts)
    }
}

//! The journal's handle, and what is done to a session as a whole.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    error::JournalError,
    metrics,
    running::{RunningTurn, RunningTurns},
};
use crate::{
    archive::{Advanced, Archive, ErasureCounts, GroupCommit, Step},
    domain::{SessionId, SessionMeta, Timestamp, TurnId},
    peers::Peers,
    relay::Relay,
};

/// What an erasure did.
pub struct Erased {
    /// Rows that were removed.
    pub counts: ErasureCounts,
    /// Every replica that runs has said that it holds nothing of the session in memory, and the file
    /// of the archive has no copy of it.
    pub everywhere: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    pub(super) archive: Archive,
    pub(super) commits: GroupCommit,
    pub(super) peers: Arc<Peers>,
    pub(super) running: Arc<RunningTurns>,
    /// When this process had last begun to read the newest erasures, by the clock of the archive.
    looked_at: Arc<Mutex<Option<Timestamp>>>,
    relay: Option<Arc<Relay>>,
    /// Newest events that an opened session comes with.
    pub(super) tail: u32,
}

impl Journal {
    /// `relay`: the way to the other replicas; `None` in embedded mode.
    pub fn new(
        archive: Archive,
        commits: GroupCommit,
        peers: Arc<Peers>,
        relay: Option<Arc<Relay>>,
        tail: usize,
    ) -> Self {
        metrics::start();
        let tail = u32::try_from(tail).unwrap_or(u32::MAX);
        let (running, looked_at) = (Arc::default(), Arc::default());
        Self { archive, commits, peers, running, looked_at, relay, tail }
    }

    /// The way to the other replicas; `None` in embedded mode.
    pub fn relay(&self) -> Option<&Arc<Relay>> {
        self.relay.as_ref()
    }

    /// `name/boot` of this process.
    pub fn replica(&self) -> &str {
        self.peers.me()
    }

    /// Whether no other replica can write.
    pub fn is_alone(&self) -> bool {
        self.peers.is_alone()
    }

    /// Makes a session without events.
    ///
    /// # Errors
    /// If the archive does not answer, or the session was erased since an earlier attempt.
    pub async fn create(&self, meta: &SessionMeta) -> Result<(), JournalError> {
        match self.commits.advance(Step::creation(meta)).await? {
            Advanced::Done(_) | Advanced::Replayed(_) | Advanced::Outrun => Ok(()),
            Advanced::Erased { owner } => Err(JournalError::Erased { owner }),
            Advanced::Missing => Err(JournalError::NotFound),
        }
    }

    /// Erases a session and counts what was removed. Its actors hear of it on every replica: at
    /// once by a letter, or within about a second from the archive.
    ///
    /// # Errors
    /// If the archive does not answer. Then nothing may be erased; it may be tried again.
    pub async fn erase(&self, meta: &SessionMeta) -> Result<Erased, JournalError> {
        let counts = self.remove(meta).await?;
        let scrubbed = self.archive.scrub().await.unwrap_or(false);
        Ok(Erased { counts, everywhere: self.all_have_looked().await && scrubbed })
    }

    /// The first part of [`Journal::erase`]: waits for nobody.
    ///
    /// # Errors
    /// As [`Journal::erase`].
    pub async fn remove(&self, meta: &SessionMeta) -> Result<ErasureCounts, JournalError> {
        let counts = self.archive.erase_session(meta.id, meta.owner).await?;
        if let Some(relay) = &self.relay {
            relay.erased(meta.id);
        }
        Ok(counts)
    }

    pub(super) fn looked_at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process will run `turn`. To be called before its message is appended.
    pub fn will_run(&self, turn: TurnId) -> RunningTurn {
        self.running.add(turn)
    }

    /// Whether this process runs a turn.
    pub(super) fn runs(&self, turn: TurnId) -> bool {
        self.running.contains(turn)
    }

    /// Other replicas are told that something was appended.
    pub(super) fn changed(&self, session: SessionId) {
        if let Some(relay) = &self.relay {
            relay.changed(session);
        }
    }
}

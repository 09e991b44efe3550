//! Opening a session as it stands in the archive.

use tokio::time::Instant;

use super::{error::JournalError, handle::Journal};
use crate::{
    archive::Stored,
    domain::{Event, Running, SessionId, SessionMeta, Version},
};

/// A session as it stands.
pub struct Opened {
    pub meta: SessionMeta,
    pub version: Version,
    /// The newest events, ascending, gapless up to `meta.last_seq`.
    pub events: Vec<Event>,
    /// The turn that has no end yet, and the replica that began it.
    pub running: Option<Running>,
}

impl From<Stored> for Opened {
    fn from(Stored { meta, version, owner, events }: Stored) -> Self {
        // An earlier build did not write who began a turn.
        let replica = owner.unwrap_or_default();
        let running = version.open_turn.map(|turn_id| Running { turn_id, replica });
        Self { meta, version, events, running }
    }
}

impl Journal {
    /// # Errors
    /// `NotFound` and `Erased` are answers; everything else may be tried again.
    pub async fn open(&self, id: SessionId) -> Result<Opened, JournalError> {
        match self.archive.stored(id, self.tail).await? {
            Some(stored) => Ok(stored.into()),
            None => Err(self.absent(id).await?),
        }
    }

    /// The session, unless it still stands at `known` and no turn is open.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub async fn open_if_changed(
        &self,
        id: SessionId,
        known: &Version,
    ) -> Result<Option<Opened>, JournalError> {
        let Some(version) = self.archive.version(id).await? else {
            return Err(self.absent(id).await?);
        };
        if version == *known && version.open_turn.is_none() {
            return Ok(None);
        }
        self.open(id).await.map(Some)
    }

    /// Why the archive has no row of a session.
    async fn absent(&self, id: SessionId) -> Result<JournalError, JournalError> {
        let owner = self.archive.erased_owner(id).await?;
        Ok(owner.map_or(JournalError::NotFound, |owner| JournalError::Erased { owner }))
    }

    /// Whether nothing will end a turn: its replica is dead, or it is this one and has no task for
    /// it.
    ///
    /// # Errors
    /// If the archive, which knows the beats of all replicas, does not answer.
    pub async fn is_abandoned(&self, running: &Running) -> Result<bool, JournalError> {
        if running.replica == self.replica() {
            return Ok(!self.runs(running.turn_id));
        }
        let silent = match self.peers.is_alone() {
            true => None,
            false => self.archive.silent_for(&running.replica).await?,
        };
        Ok(self.peers.is_dead(silent, Instant::now()))
    }
}

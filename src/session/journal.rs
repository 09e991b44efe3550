//! The journal of all sessions: the hot store in front, the archive behind.
//!
//! In embedded mode an append is on disk (group commit) before it reaches the hot store, hence before it is
//! acknowledged. In distributed mode the hot store acknowledges and the archivist brings it to the archive.

use std::sync::Arc;

use crate::{
    archive::{Archive, ArchiveError, ErasureCounts, GroupCommit, SessionBatch},
    domain::{Event, IdempotencyRecord, PrincipalId, Running, SessionId, SessionMeta},
    hot::{Append, Appended, HotError, HotStore},
};

#[derive(Clone)]
pub struct Journal {
    hot: Arc<HotStore>,
    archive: Archive,
    /// Present in embedded mode.
    group: Option<GroupCommit>,
    tail: u32,
}

/// A session as found in the stores.
pub struct Opened {
    pub meta: SessionMeta,
    /// The newest events, ascending, gapless up to `meta.last_seq`.
    pub events: Vec<Event>,
    pub running: Option<Running>,
    /// It came from the archive: idempotency keys older than this life are only there.
    pub was_cold: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("hot store: {0}")]
    Hot(#[from] HotError),
    #[error("archive: {0}")]
    Archive(#[from] ArchiveError),
    #[error("no such session")]
    NotFound,
    #[error("the session was erased")]
    Erased { owner: PrincipalId },
}

impl Journal {
    pub fn new(
        hot: Arc<HotStore>,
        archive: Archive,
        group: Option<GroupCommit>,
        tail: usize,
    ) -> Self {
        Self { hot, archive, group, tail: u32::try_from(tail).unwrap_or(u32::MAX) }
    }

    pub async fn create(&self, meta: &SessionMeta) -> Result<(), JournalError> {
        if let Some(group) = &self.group {
            let batch =
                SessionBatch { meta: meta.clone(), events: Vec::new(), idempotency: Vec::new() };
            group.commit(batch).await?;
        }
        Ok(self.hot.create(meta).await?)
    }

    /// # Errors
    /// `NotFound` and `Erased` are answers; everything else may be tried again.
    pub async fn open(&self, id: SessionId) -> Result<Opened, JournalError> {
        if let Some(hot) = self.hot.load(id, self.tail).await? {
            return Ok(Opened {
                meta: hot.meta,
                events: hot.events,
                running: hot.running,
                was_cold: false,
            });
        }
        let Some(meta) = self.archive.session(id).await? else {
            return Err(match self.archive.erased_owner(id).await? {
                Some(owner) => JournalError::Erased { owner },
                None => JournalError::NotFound,
            });
        };
        let events = self.archive.last_events(id, self.tail).await?;
        self.hot.restore(&meta, &events).await?;
        Ok(Opened { meta, events, running: None, was_cold: true })
    }

    /// One atomic step; a session that has meanwhile gone cold is brought back first.
    pub async fn append(&self, append: &Append) -> Result<Appended, JournalError> {
        if let Some(group) = &self.group {
            return self.append_through_disk(group, append).await;
        }
        match self.hot.append(append).await? {
            Appended::Missing => {
                self.open(append.meta.id).await?;
                Ok(self.hot.append(append).await?)
            }
            appended => Ok(appended),
        }
    }

    /// One process owns every session, so the order of the two stores cannot race: disk first, then memory.
    async fn append_through_disk(
        &self,
        group: &GroupCommit,
        append: &Append,
    ) -> Result<Appended, JournalError> {
        let id = append.meta.id;
        if let Some(record) = &append.idempotency
            && let Some(known) = self.hot.idempotency(id, &record.key).await?
        {
            return Ok(Appended::Replayed(known));
        }
        let batch = SessionBatch {
            meta: append.meta.clone(),
            events: append.events.clone(),
            idempotency: append.idempotency.iter().cloned().collect(),
        };
        if let Err(error) = group.commit(batch).await {
            // It may be on disk all the same: what is opened next must be read from there.
            self.hot.erase(id, append.meta.owner).await?;
            return Err(error.into());
        }
        let appended = match self.hot.append(append).await? {
            Appended::Missing => {
                if let Some(owner) = self.archive.erased_owner(id).await? {
                    return Err(JournalError::Erased { owner });
                }
                let before = SessionMeta { last_seq: append.expected_seq, ..append.meta.clone() };
                self.hot.restore(&before, &[]).await?;
                self.hot.append(append).await?
            }
            appended => appended,
        };
        self.hot.mark_flushed(id, append.meta.last_seq).await?;
        Ok(appended)
    }

    /// Events after `after_seq`, ascending, hot or cold alike.
    pub async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<Event>, JournalError> {
        match self.hot.events(id, after_seq, limit).await {
            Ok(Some(events)) => Ok(events),
            Ok(None) => Ok(self.archive.events(id, after_seq, limit).await?),
            Err(error) => {
                // The archive may know it all; if it knows nothing, the first error is the one to tell.
                let events = self.archive.events(id, after_seq, limit).await?;
                if events.is_empty() { Err(error.into()) } else { Ok(events) }
            }
        }
    }

    pub async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
        also_archive: bool,
    ) -> Result<Option<IdempotencyRecord>, JournalError> {
        match self.hot.idempotency(id, key).await? {
            Some(record) => Ok(Some(record)),
            None if also_archive => Ok(self.archive.idempotency(id, key).await?),
            None => Ok(None),
        }
    }

    /// Sessions of a shopper, newest first, from both stores.
    pub async fn sessions_of(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, JournalError> {
        let mut found = self.hot.owned(owner, before, limit).await?;
        let cold = self.archive.sessions_of(owner, before, limit).await?;
        for meta in cold {
            if !found.iter().any(|hot| hot.id == meta.id) {
                found.push(meta);
            }
        }
        found.sort_unstable_by_key(|meta| std::cmp::Reverse(meta.id));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// Removes a session from both stores; what the archive had is counted.
    pub async fn erase(&self, meta: &SessionMeta) -> Result<ErasureCounts, JournalError> {
        let counts = self.archive.erase_session(meta.id, meta.owner).await?;
        self.hot.erase(meta.id, meta.owner).await?;
        Ok(counts)
    }

    /// Whether the replica that runs a turn is still there.
    pub async fn is_alive(&self, replica: &str) -> Result<bool, JournalError> {
        Ok(self.hot.is_alive(replica).await?)
    }
}

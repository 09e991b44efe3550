//! The journal of all sessions: the hot store in front, the archive behind.
//!
//! In embedded mode an append is on disk (group commit) before it reaches the hot store, hence before it is
//! acknowledged. In distributed mode the hot store acknowledges and the archivist brings it to the archive; while the
//! hot store is away the archive acknowledges, and while the archive is away the hot store keeps what is new. A session
//! that went on in the archive is detached: its hot copy is not asked until the keeper has made the two agree.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::error;

use super::{fallback::Fallback, keeper::Keeper, metrics, state::unfinished};
use crate::{
    archive::{Archive, ArchiveError, ErasureCounts, GroupCommit, SessionBatch},
    domain::{Event, IdempotencyRecord, PrincipalId, Running, SessionId, SessionMeta},
    hot::{Append, Appended, Cold, HotError, HotStore, Liveness, RunningChange},
    turn::relay::Relay,
};

#[derive(Clone)]
pub struct Journal {
    hot: Arc<HotStore>,
    archive: Archive,
    tail: u32,
    safety: Safety,
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
    /// The hot store is away, so a turn may run elsewhere without being named in `running`.
    pub is_uncertain: bool,
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

impl JournalError {
    /// Whether the hot store is to blame, so that the archive may be asked instead.
    fn is_hot_away(&self) -> bool {
        matches!(self, Self::Hot(error) if error.is_away())
    }
}

impl Journal {
    pub fn new(hot: Arc<HotStore>, archive: Archive, tail: usize, safety: Safety) -> Self {
        Self { hot, archive, tail: u32::try_from(tail).unwrap_or(u32::MAX), safety }
    }

    /// What keeps the stores in step, to be run once; `None` in embedded mode. `beat` names this replica and how long
    /// one sign of its life counts.
    pub fn keeper(&self, beat: (Arc<str>, Duration)) -> Option<Keeper> {
        let fallback = Arc::clone(self.fallback()?);
        Some(Keeper::new(Arc::clone(&self.hot), self.archive.clone(), self.clone(), fallback, beat))
    }

    fn fallback(&self) -> Option<&Arc<Fallback>> {
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

    fn is_detached(&self, id: SessionId) -> bool {
        self.fallback().is_some_and(|fallback| fallback.is_detached(id))
    }

    pub async fn create(&self, meta: &SessionMeta) -> Result<(), JournalError> {
        match &self.safety {
            Safety::Disk(group) => {
                let batch = SessionBatch {
                    meta: meta.clone(),
                    events: Vec::new(),
                    idempotency: Vec::new(),
                };
                group.commit(batch).await?;
                Ok(self.hot.create(meta).await?)
            }
            Safety::Hot(fallback, _) => match self.hot.create(meta).await {
                Ok(()) => {
                    fallback.created(meta);
                    Ok(())
                }
                Err(error) if error.is_away() => {
                    let append = Append {
                        meta: meta.clone(),
                        expected_seq: 0,
                        events: Vec::new(),
                        idempotency: None,
                        running: RunningChange::Keep,
                    };
                    self.append_to_archive(fallback, &append).await.map(drop)
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// # Errors
    /// `NotFound` and `Erased` are answers; everything else may be tried again.
    pub async fn open(&self, id: SessionId) -> Result<Opened, JournalError> {
        let mut away = None;
        if !self.is_detached(id) {
            let mut loaded = self.hot.load(id, self.tail).await;
            if loaded.as_ref().is_err_and(HotError::is_away) && self.hot.is_up() {
                loaded = self.hot.load(id, self.tail).await;
            }
            match loaded {
                Ok(Some(hot)) if !self.is_behind(&hot.meta).await => {
                    return Ok(Opened {
                        meta: hot.meta,
                        events: hot.events,
                        running: hot.running,
                        was_cold: false,
                        is_uncertain: false,
                    });
                }
                Ok(_) => {}
                Err(error) if error.is_away() && self.fallback().is_some() => away = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        self.open_from_archive(id, away).await
    }

    /// Whether the archive knows more than a hot copy. After an outage it may.
    async fn is_behind(&self, meta: &SessionMeta) -> bool {
        let Some(fallback) = self.fallback().filter(|fallback| fallback.is_suspicious()) else {
            return false;
        };
        let known = self.archive.session(meta.id).await.ok().flatten();
        let behind = known.is_some_and(|known| known.last_seq > meta.last_seq);
        if behind {
            fallback.detach(meta.id);
        }
        behind
    }

    async fn open_from_archive(
        &self,
        id: SessionId,
        away: Option<HotError>,
    ) -> Result<Opened, JournalError> {
        self.save(id).await?;
        let Some(cold) = self.archive.cold(id, self.tail).await? else {
            return Err(match (self.archive.erased_owner(id).await?, away) {
                (Some(owner), _) => JournalError::Erased { owner },
                // It may be known where nobody can look now.
                (None, Some(away)) => away.into(),
                (None, None) => JournalError::NotFound,
            });
        };
        let detached = self.is_detached(id);
        let mut running = None;
        if away.is_some() || detached {
            running = self.archive.detached(id).await?.and_then(|detached| detached.running);
        } else {
            self.hot.restore(&cold).await?;
        }
        let Cold { meta, events, .. } = cold;
        Ok(Opened { meta, events, running, was_cold: true, is_uncertain: away.is_some() })
    }

    /// One atomic step; a session that has meanwhile gone cold is brought back first.
    pub async fn append(&self, append: &Append) -> Result<Appended, JournalError> {
        let begun = Instant::now();
        let outcome = self.append_somewhere(append).await;
        metrics::appended(begun.elapsed());
        outcome
    }

    async fn append_somewhere(&self, append: &Append) -> Result<Appended, JournalError> {
        let fallback = match &self.safety {
            Safety::Disk(group) => return self.append_through_disk(group, append).await,
            Safety::Hot(fallback, _) => fallback,
        };
        if !fallback.is_detached(append.meta.id) {
            match self.append_to_hot(append).await {
                // The copy has lost what this process saw: the archive decides.
                Ok(Appended::Conflict { last_seq }) if last_seq < append.expected_seq => {}
                Ok(appended) => {
                    if appended == Appended::Done {
                        fallback.appended(append);
                    }
                    return Ok(appended);
                }
                Err(error) if error.is_hot_away() => {}
                Err(error) => return Err(error),
            }
        }
        self.append_to_archive(fallback, append).await
    }

    async fn append_to_hot(&self, append: &Append) -> Result<Appended, JournalError> {
        match self.try_append_to_hot(append).await {
            // A single lost answer is no reason to leave the hot copy behind.
            Err(error) if error.is_hot_away() && self.hot.is_up() => {
                let again = self.try_append_to_hot(append).await?;
                self.seen_twice(append, again).await
            }
            Err(error) => Err(error),
            // The client of a cluster repeats by itself what lost its answer.
            Ok(appended) => self.seen_twice(append, appended).await,
        }
    }

    async fn try_append_to_hot(&self, append: &Append) -> Result<Appended, JournalError> {
        match self.append_and_tell(append).await? {
            Appended::Missing => {
                let opened = self.open_from_archive(append.meta.id, None).await?;
                if opened.meta.last_seq != append.expected_seq {
                    return Ok(Appended::Conflict { last_seq: opened.meta.last_seq });
                }
                self.append_and_tell(append).await
            }
            appended => Ok(appended),
        }
    }

    /// Those who read the session on other replicas are told.
    async fn append_and_tell(&self, append: &Append) -> Result<Appended, JournalError> {
        let (appended, watchers) = self.hot.append_and_name(append).await?;
        if let Some(relay) = self.relay() {
            relay.changed(append.meta.id, &watchers);
        }
        Ok(appended)
    }

    /// What a repeated step means: the first try may have been taken.
    async fn seen_twice(&self, append: &Append, again: Appended) -> Result<Appended, JournalError> {
        let is_ours = match &again {
            Appended::Replayed(record) => {
                append.idempotency.as_ref().is_some_and(|own| own.turn_id == record.turn_id)
            }
            Appended::Conflict { last_seq } if *last_seq == append.meta.last_seq => {
                let there = self.hot.events(append.meta.id, append.expected_seq, 1).await?;
                there.is_some_and(|there| there.first() == append.events.first())
            }
            Appended::Done | Appended::Conflict { .. } | Appended::Missing => false,
        };
        Ok(if is_ours { Appended::Done } else { again })
    }

    /// Detached before the attempt: after a timeout nobody knows where the step was taken.
    async fn append_to_archive(
        &self,
        fallback: &Fallback,
        append: &Append,
    ) -> Result<Appended, JournalError> {
        let id = append.meta.id;
        let unknown =
            || HotError::Unavailable("only the hot store knows the newest events".to_owned());
        self.save(id).await?;
        fallback.detach(id);
        match self.archive.append(append).await? {
            Appended::Missing => Err(match self.archive.erased_owner(id).await? {
                Some(owner) => JournalError::Erased { owner },
                None => unknown().into(),
            }),
            // Another replica has not brought its part here yet.
            Appended::Conflict { last_seq } if last_seq < append.expected_seq => {
                Err(unknown().into())
            }
            appended => {
                metrics::fell_back();
                Ok(appended)
            }
        }
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
                // Another replica went on from an older point: its facts stand, these move behind them.
                fallback.detach(id);
                self.archive.merge(&batch).await?;
                error!(session_id = %id, "a session went on in two places; merged");
            }
            Err(error) => return Err(error.into()),
        }
        fallback.saved(id, batch.meta.last_seq);
        Ok(())
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
                let meta = SessionMeta { last_seq: append.expected_seq, ..append.meta.clone() };
                let before = Cold { meta, events: Vec::new(), idempotency: Vec::new() };
                self.hot.restore(&before).await?;
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
        if !self.is_detached(id) {
            match self.hot.events(id, after_seq, limit).await {
                Ok(Some(events)) => return Ok(events),
                Ok(None) => {}
                Err(error) if !error.is_away() => return Err(error.into()),
                Err(error) => {
                    // The archive may know it all; if it knows nothing, the first error is the one to tell.
                    self.save(id).await?;
                    let events = self.archive.events(id, after_seq, limit).await?;
                    let nothing = events.is_empty() && self.archive.session(id).await?.is_none();
                    return if nothing { Err(error.into()) } else { Ok(events) };
                }
            }
        }
        self.save(id).await?;
        Ok(self.archive.events(id, after_seq, limit).await?)
    }

    pub async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
        also_archive: bool,
    ) -> Result<Option<IdempotencyRecord>, JournalError> {
        if !self.is_detached(id) {
            match self.hot.idempotency(id, key).await {
                Ok(Some(record)) => return Ok(Some(record)),
                Ok(None) if !also_archive => return Ok(None),
                Ok(None) => {}
                Err(error) if error.is_away() && self.fallback().is_some() => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.save(id).await?;
        Ok(self.archive.idempotency(id, key).await?)
    }

    /// Sessions of a shopper, newest first, from both stores. One of them is enough.
    pub async fn sessions_of(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, JournalError> {
        let hot = self.hot.owned(owner, before, limit).await;
        let cold = self.archive.sessions_of(owner, before, limit).await;
        let (mut found, cold) = match (hot, cold) {
            (Ok(hot), Ok(cold)) => (hot, cold),
            (Ok(hot), Err(error)) if error.is_away() => (hot, Vec::new()),
            (Err(error), Ok(cold)) if error.is_away() => (Vec::new(), cold),
            (Err(error), _) => return Err(error.into()),
            (_, Err(error)) => return Err(error.into()),
        };
        for meta in cold {
            match found.iter_mut().find(|hot| hot.id == meta.id) {
                Some(hot) if hot.last_seq < meta.last_seq => *hot = meta,
                Some(_) => {}
                None => found.push(meta),
            }
        }
        found.sort_unstable_by_key(|meta| std::cmp::Reverse(meta.id));
        found.truncate(limit as usize);
        Ok(found)
    }

    /// Removes a session from both stores; what the archive had is counted. A hot store that is away erases its copy
    /// when it is back: the archive's tombstone stands.
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

    /// At most `limit` sessions with a turn that was begun by a replica that is gone.
    ///
    /// # Errors
    /// Where the archive, which lists the open turns, is away.
    pub async fn orphans(
        &self,
        limit: u32,
        grace: Duration,
    ) -> Result<Vec<SessionId>, JournalError> {
        let mut orphans = Vec::new();
        for id in self.archive.unfinished_turns(limit).await? {
            let running = match self.hot.load(id, 1).await? {
                Some(hot) if unfinished(&hot.events).is_none() => continue,
                Some(hot) => hot.running,
                // Cold with an open turn: nobody has it.
                None => None,
            };
            let alive = match running {
                Some(running) => self.is_alive(&running.replica, grace).await?,
                None => self.is_detached(id) || self.archive.detached(id).await?.is_some(),
            };
            if !alive {
                orphans.push(id);
            }
        }
        Ok(orphans)
    }

    /// Whether the replica that runs a turn is still there. While nobody can know, and for `grace` after, one that is
    /// silent is.
    pub async fn is_alive(&self, replica: &str, grace: Duration) -> Result<bool, JournalError> {
        let since = self.fallback().and_then(|fallback| fallback.since_outage());
        match self.hot.liveness(replica).await {
            Ok(Liveness::Alive) => Ok(true),
            Ok(Liveness::Silent) => Ok(since.is_some_and(|since| since < grace)),
            Ok(Liveness::Replaced) => Ok(false),
            Err(error) if error.is_away() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

//! Reading: a session, its events, its keys and its siblings, from whichever store has them.

use super::{
    error::JournalError,
    handle::{Journal, Opened},
};
use crate::{
    domain::{Event, IdempotencyRecord, PrincipalId, SessionCopy, SessionId, SessionMeta},
    hot::HotError,
};

impl Journal {
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

    pub(super) async fn open_from_archive(
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
        let SessionCopy { meta, events, .. } = cold;
        Ok(Opened { meta, events, running, was_cold: true, is_uncertain: away.is_some() })
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
                    // The archive may know it all; if it knows nothing, the first error is the one
                    // to tell.
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
}

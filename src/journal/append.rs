//! Writing: one step of a session becomes durable, wherever that can be done now.

use tokio::time::Instant;

use super::{
    error::JournalError,
    fallback::Fallback,
    handle::{Journal, Safety},
    metrics,
};
use crate::{
    archive::GroupCommit,
    domain::{Append, Appended, RunningChange, SessionCopy, SessionMeta},
    hot::HotError,
};

impl Journal {
    pub async fn create(&self, meta: &SessionMeta) -> Result<(), JournalError> {
        match &self.safety {
            Safety::Disk(group) => {
                group.commit(SessionCopy::empty(meta)).await?;
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

    /// One atomic step; a session that has meanwhile gone cold is brought back first.
    pub async fn append(&self, append: &Append) -> Result<Appended, JournalError> {
        let begun = Instant::now();
        let outcome = self.append_somewhere(append).await;
        metrics::appended(begun.elapsed());
        outcome
    }

    /// As [`Journal::append`], where only the archive may remember that the key was seen before.
    pub async fn append_if_new(&self, append: &Append) -> Result<Appended, JournalError> {
        if let Some(record) = &append.idempotency
            && let Some(known) = self.idempotency(append.meta.id, &record.key, true).await?
        {
            return Ok(Appended::Replayed(known));
        }
        self.append(append).await
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

    /// One process owns every session, so the order of the two stores cannot race: disk first, then
    /// memory.
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
        if let Err(error) = group.commit(append.into()).await {
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
                let before = SessionCopy { meta, events: Vec::new(), idempotency: Vec::new() };
                self.hot.restore(&before).await?;
                self.hot.append(append).await?
            }
            appended => appended,
        };
        self.hot.mark_flushed(id, append.meta.last_seq).await?;
        Ok(appended)
    }
}

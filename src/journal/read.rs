//! Reading: the events of a session, its keys and its siblings.

use std::collections::HashMap;

use super::{error::JournalError, handle::Journal};
use crate::{
    archive::Action,
    domain::{
        ActionId, Event, IdempotencyRecord, PrincipalId, SessionId, SessionMeta, SiteId, Timestamp,
        TurnId,
    },
};

impl Journal {
    /// At most `limit` events after `after_seq`, ascending.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn events(
        &self,
        id: SessionId,
        after_seq: u64,
        limit: u32,
    ) -> Result<Vec<Event>, JournalError> {
        Ok(self.archive.events(id, after_seq, limit).await?)
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn idempotency(
        &self,
        id: SessionId,
        key: &str,
    ) -> Result<Option<IdempotencyRecord>, JournalError> {
        Ok(self.archive.idempotency(id, key).await?)
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn action(&self, id: ActionId) -> Result<Option<Action>, JournalError> {
        Ok(self.archive.action(id).await?)
    }

    /// Whether a turn asks the shop for a confirmed change now.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn carries_out(&self, id: SessionId, turn: TurnId) -> Result<bool, JournalError> {
        Ok(self.archive.carries_out(id, turn).await?)
    }

    /// How many confirmed changes of `owner`, and of the site, were to be made since then.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn carried_out_since(
        &self,
        site: &SiteId,
        owner: PrincipalId,
        since: Timestamp,
    ) -> Result<(u64, u64), JournalError> {
        Ok(self.archive.carried_out_since(site, owner, since).await?)
    }

    /// Which changes of a session were taken back, or are about to be.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn undone_in(&self, id: SessionId) -> Result<Vec<ActionId>, JournalError> {
        Ok(self.archive.undone_in(id).await?)
    }

    /// At most `limit` sessions of a shopper that were made before `before`, newest first.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn sessions_of(
        &self,
        owner: PrincipalId,
        before: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionMeta>, JournalError> {
        Ok(self.archive.sessions_of(owner, before, limit).await?)
    }

    /// `seq` of the newest event of each of `ids` that is there.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn last_seqs(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, u64>, JournalError> {
        Ok(self.archive.last_seqs(ids).await?)
    }
}

//! Erases a customer from every store: the archive, the memory of all replicas, and the shared cache.
//!
//! A row of the archive says what was asked for and how far it came. Each step may be repeated, and
//! nothing is remembered here between two of them, so that any replica goes on with what another one
//! began, also after a kill. Must never happen: an erasure that says that it is done while a store
//! still has something.

pub mod metrics;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use crate::{
    archive::{Archive, AuditEntry, Cleared, CustomerErasure},
    auth::Erased,
    cache::Cache,
    clock,
    domain::{PrincipalId, SiteId},
    journal::{Journal, JournalError},
    session::lookout::Lookout,
};

/// Sessions that are read at once.
const PAGE: u32 = 50;
/// Unfinished erasures of one round.
const ROUND: u32 = 50;
/// How long a request waits until all is done, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(8);
/// Requests that work on erasures at the same time; more leave it to [`Eraser::go_on`].
const AT_ONCE: usize = 8;
const LOOK: Duration = Duration::from_millis(100);

/// Cheap to clone.
#[derive(Clone)]
pub struct Eraser {
    archive: Archive,
    journal: Journal,
    lookout: Arc<Lookout>,
    cache: Option<Cache>,
    erased: Arc<Erased>,
    at_once: Arc<Semaphore>,
    /// The customer at which the last round ended.
    after: Arc<Mutex<PrincipalId>>,
}

impl Eraser {
    pub fn new(
        archive: Archive,
        journal: Journal,
        lookout: Arc<Lookout>,
        cache: Option<Cache>,
        erased: Arc<Erased>,
    ) -> Self {
        metrics::open(0);
        let after = Arc::new(Mutex::new(PrincipalId(Uuid::nil())));
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        Self { archive, journal, lookout, cache, erased, at_once, after }
    }

    /// From now on the customer is being erased, and it will be finished. No token of the customer
    /// is accepted here any more, and on other replicas after their next beat. `entry` says who asked, if
    /// it was not the customer.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn begin(
        &self,
        site: &SiteId,
        customer: PrincipalId,
        entry: Option<&AuditEntry>,
    ) -> Result<(), JournalError> {
        self.archive.begin_erasure(site, customer, entry).await?;
        self.erased.add(&[customer], clock::now());
        Ok(())
    }

    /// Goes on until all is done, for at most eight seconds, and not at all if many do. What is left
    /// is done by [`Eraser::go_on`], here or on another replica.
    pub async fn finish(&self, customer: PrincipalId) {
        let Ok(_permit) = self.at_once.try_acquire() else { return };
        let work = async {
            // The archive logs its own outages.
            while !matches!(self.advance(customer).await, Ok(true)) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _ = timeout(PATIENCE, work).await;
    }

    /// One round over erasures that are not finished. To be called again and again.
    pub async fn go_on(&self) {
        let _ = self.archive.scrub_again().await;
        let after = *self.after.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(found) = self.archive.unfinished_erasures(after, ROUND).await else { return };
        for customer in &found {
            let _ = self.advance(*customer).await;
        }
        let is_last = found.len() < ROUND as usize;
        let next = found.last().filter(|_| !is_last).copied();
        *self.after.lock().unwrap_or_else(PoisonError::into_inner) =
            next.unwrap_or(PrincipalId(Uuid::nil()));
        if let Ok(open) = self.archive.open_erasures().await {
            metrics::open(open);
        }
    }

    /// Does what can be done now. True if nothing is left.
    async fn advance(&self, customer: PrincipalId) -> Result<bool, JournalError> {
        let Some(mut row) = self.archive.erasure(customer).await? else { return Ok(true) };
        let told = self.cache.as_ref().is_none_or(|cache| cache.forget(customer, clock::now()));
        if row.cache_at.is_none() && told {
            self.archive.cleared(customer, Cleared::Cache).await?;
        }
        if row.archive_at.is_none() {
            self.erase_from_archive(customer).await?;
            let Some(now) = self.archive.erasure(customer).await? else { return Ok(true) };
            row = now;
        }
        // After the archive has nothing more, so that nothing is opened from there again.
        let is_gone_here = self.lookout.forget(customer).await;
        if let CustomerErasure { archive_at: Some(erased_at), replicas_at: None, .. } = row
            && is_gone_here
            && self.journal.others_have_looked(erased_at).await?
        {
            self.archive.cleared(customer, Cleared::Replicas).await?;
        }
        let row = self.archive.erasure(customer).await?;
        Ok(row.is_none_or(|row| row.erased_at.is_some()))
    }

    async fn erase_from_archive(&self, customer: PrincipalId) -> Result<(), JournalError> {
        loop {
            let sessions = self.journal.sessions_of(customer, None, PAGE).await?;
            for meta in &sessions {
                self.journal.remove(meta).await?;
            }
            if sessions.is_empty() && self.archive.erase_account(customer).await? {
                break;
            }
        }
        if self.archive.scrub().await? {
            self.archive.cleared(customer, Cleared::Archive).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

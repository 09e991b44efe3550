//! The sites of public keys, also while the archive is unreachable.

use super::{error::AccountError, handle::Accounts};
use crate::archive::{ArchiveError, RefreshToken, Site};

/// Refresh tokens that are stored in one round after an outage of the archive.
const TOKENS_AT_ONCE: usize = 200;

impl Accounts {
    /// The site of a public key. While the archive is unreachable, known sites keep working.
    pub async fn site(&self, site_key: &str) -> Result<Site, AccountError> {
        if site_key.is_empty() || site_key.len() > 128 {
            return Err(AccountError::UnknownSite);
        }
        match self.archive.site_by_key(site_key).await {
            Ok(site) => site.ok_or(AccountError::UnknownSite),
            Err(error) if error.is_away() => {
                self.absence.site(site_key).ok_or(AccountError::Archive(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the sites for an outage of the archive, and stores tokens from the last one.
    pub async fn refresh_absence(&self, sites: Vec<Site>) {
        self.absence.remember(sites);
        let _ = self.store_waiting().await;
    }

    /// Stores refresh tokens that were issued during an outage, a bounded number at a time.
    async fn store_waiting(&self) -> Result<(), ArchiveError> {
        for token in self.absence.oldest(TOKENS_AT_ONCE) {
            self.store(&token).await?;
        }
        Ok(())
    }

    pub(super) async fn store(&self, token: &RefreshToken) -> Result<(), ArchiveError> {
        match self.archive.insert_refresh_token(token).await {
            Ok(()) | Err(ArchiveError::Conflict) => {
                self.absence.stored(token);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

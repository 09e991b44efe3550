//! API keys of a shop's server.

use super::{error::AccountError, handle::Accounts};
use crate::{
    archive::{ApiKey as StoredKey, KeyCreation, RecordId},
    auth::ApiKey,
    clock,
    domain::SiteId,
};

impl Accounts {
    /// Creates an API key of a site. At most two are active at a time. The key is shown once.
    pub async fn create_key(
        &self,
        site: &SiteId,
        name: &str,
    ) -> Result<Option<(StoredKey, String)>, AccountError> {
        let key = ApiKey::generate();
        let stored = StoredKey {
            id: RecordId::new(),
            site_id: site.clone(),
            name: name.to_owned(),
            prefix: key.prefix().to_owned(),
            key_hash: key.hash(),
            created_at: clock::now(),
            revoked_at: None,
        };
        Ok(match self.archive.create_api_key(&stored).await? {
            KeyCreation::Created => Some((stored, key.expose())),
            KeyCreation::TwoActive => None,
        })
    }
}

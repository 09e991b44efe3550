//! The shop's own id of a customer whom the shop identified.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use super::caller::Customer;
use crate::{
    archive::{Archive, ArchiveError},
    domain::{PrincipalId, Role, SiteId},
};

const MOST: u64 = 10_000;
/// An account that is disabled or erased is refused before its turn begins, so this only says how
/// long an id stays in memory.
const LIVES: Duration = Duration::from_secs(60);

/// Clones share what they know.
#[derive(Clone)]
pub struct Customers {
    archive: Archive,
    known: Cache<(SiteId, PrincipalId), Option<Arc<str>>>,
}

impl Customers {
    pub fn new(archive: Archive) -> Self {
        let known = Cache::builder().max_capacity(MOST).time_to_live(LIVES).build();
        Self { archive, known }
    }

    /// The customer behind the owner of a session. `None` for visitors, and for those who only
    /// registered here: they have shown nothing to the shop.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn of(
        &self,
        site: &SiteId,
        id: PrincipalId,
    ) -> Result<Option<Customer>, Arc<ArchiveError>> {
        let read = async {
            let user = self.archive.user(id).await?;
            let user = user.filter(|user| user.site_id == *site && user.role == Role::Customer);
            Ok(user.and_then(|user| user.external_sub).map(Arc::from))
        };
        let known = Box::pin(self.known.try_get_with((site.clone(), id), read)).await?;
        Ok(known.map(|id| Customer { id: id.to_string(), email: None }))
    }
}

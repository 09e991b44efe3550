//! Takes over what admins wrote, from the archive.

use std::collections::HashMap;

use super::{handle::Tools, written::Written};
use crate::{
    archive::{Archive, ArchiveError},
    domain::SiteId,
};

impl Tools {
    /// Takes in what the archive has. Tools that did not change keep their state.
    ///
    /// # Errors
    /// If the archive does not answer. Then nothing changes.
    pub async fn follow(&self, archive: &Archive) -> Result<(), ArchiveError> {
        let mut next = HashMap::<SiteId, Vec<Written>>::new();
        for row in archive.site_tools().await? {
            let declaration = row.declaration.map(|json| json.0);
            let written = Written { name: row.name, enabled: row.enabled, declaration };
            next.entry(row.site_id).or_default().push(written);
        }
        self.take_over(next);
        Ok(())
    }
}

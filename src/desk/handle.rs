//! Reads a shop's desk.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    look::Watched,
    standing::{Room, Standing},
};
use crate::{
    archive::{Archive, ArchiveError, DeskRows},
    clock, config,
    domain::{PrincipalId, Role, SiteId, Staff},
};

/// Rows of one kind that are read at once.
const MOST: u32 = 500;
/// Ended handoffs whose handling times are measured.
const MEASURED: u32 = 50;

/// Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    archive: Archive,
    away_after: Duration,
    pub(super) watched: Arc<Watched>,
}

impl Desk {
    pub fn new(archive: Archive, config: &config::Handoff) -> Self {
        Self { archive, away_after: config.away_after, watched: Arc::default() }
    }

    /// Who is on duty, and what they have to do.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn rows(&self, site: &SiteId) -> Result<DeskRows, ArchiveError> {
        let since = clock::now().before(self.away_after);
        self.archive.desk(site, since, (MOST, MEASURED)).await
    }

    /// # Errors
    /// If the archive does not answer.
    pub async fn standing(&self, site: &SiteId) -> Result<Standing, ArchiveError> {
        Ok(Standing::of(&self.rows(site).await?))
    }

    /// Whether an agent could take one more conversation now.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn room(&self, site: &SiteId, agent: PrincipalId) -> Result<Room, ArchiveError> {
        Ok(Room::of(&self.rows(site).await?, agent))
    }

    /// The names of those of `ids` who are staff of the site.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn names(
        &self,
        site: &SiteId,
        ids: &[PrincipalId],
    ) -> Result<HashMap<PrincipalId, Option<String>>, ArchiveError> {
        Ok(self.archive.staff_names(site, ids).await?.into_iter().collect())
    }

    /// Something was heard of an agent who takes or has a conversation.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn heard_of(&self, site: &SiteId, id: PrincipalId) -> Result<(), ArchiveError> {
        self.archive.heard_of(id, site, clock::now()).await
    }

    /// Somebody of the site's staff, as shoppers see them. `None` for everybody else.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn staff(
        &self,
        site: &SiteId,
        id: PrincipalId,
    ) -> Result<Option<Staff>, ArchiveError> {
        let user = self.archive.user(id).await?;
        let user = user.filter(|user| {
            let is_staff = matches!(user.role, Role::Agent | Role::Admin);
            is_staff && user.site_id == *site && user.disabled_at.is_none()
        });
        Ok(user.map(|user| Staff { name: user.display_name }))
    }
}

//! Which changes of a conversation can be taken back.

use crate::{
    archive::{Action, Archive, ArchiveError},
    domain::{ActionId, ActionState, ActionStatus, SessionId},
};

/// Clones share the archive.
#[derive(Clone)]
pub struct Undos {
    archive: Archive,
}

impl Undos {
    pub const fn new(archive: Archive) -> Self {
        Self { archive }
    }

    /// Those of `made` that were not taken back, and take none back themselves; the newest last.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn among(
        &self,
        session: SessionId,
        made: &[ActionId],
    ) -> Result<Vec<Action>, ArchiveError> {
        let undone = self.archive.undone_in(session).await?;
        let mut found = self.archive.actions_among(made).await?;
        found.retain(|action| {
            let is_done = action.state == ActionState::Ended(ActionStatus::Done);
            is_done && action.undoes.is_none() && !undone.contains(&action.id)
        });
        found.sort_by_key(|action| made.iter().position(|id| *id == action.id));
        Ok(found)
    }
}

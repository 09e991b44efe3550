//! Open turns that nothing will end.

use tokio::time::Instant;

use super::{error::JournalError, handle::Journal};
use crate::domain::SessionId;

impl Journal {
    /// At most `limit` sessions with a turn of a dead replica, and as many with a turn of this one
    /// that has no task. Opening a session ends such a turn.
    ///
    /// # Errors
    /// If the archive does not answer.
    pub async fn abandoned(&self, limit: u32) -> Result<Vec<SessionId>, JournalError> {
        let mut found = Vec::new();
        for open in self.archive.open_turns_without(&self.peers.living(), limit).await? {
            let silent = match self.peers.is_alone() {
                true => None,
                false => self.archive.silent_for(&open.owner).await?,
            };
            if self.peers.is_dead(silent, Instant::now()) {
                found.push(open.session);
            }
        }
        let own = self.archive.open_turns_of(self.replica(), limit).await?;
        let actorless = own.into_iter().filter(|open| !self.runs(open.turn));
        found.extend(actorless.map(|open| open.session));
        Ok(found)
    }
}

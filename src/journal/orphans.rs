//! Turns that nobody runs any more: which replica began them, and whether it lives.

use std::time::Duration;

use super::{error::JournalError, handle::Journal};
use crate::domain::{SessionId, unfinished};

impl Journal {
    /// At most `limit` sessions with a turn that was begun by a replica that is gone.
    ///
    /// # Errors
    /// Where the archive, which lists the open turns, is away.
    pub async fn orphans(
        &self,
        limit: u32,
        grace: Duration,
    ) -> Result<Vec<SessionId>, JournalError> {
        let mut orphans = Vec::new();
        for id in self.archive.unfinished_turns(limit).await? {
            let running = match self.hot.load(id, 1).await? {
                Some(hot) if unfinished(&hot.events).is_none() => continue,
                Some(hot) => hot.running,
                // Cold with an open turn: nobody has it.
                None => None,
            };
            let alive = match running {
                Some(running) => self.is_alive(&running.replica, grace).await?,
                None => self.is_detached(id) || self.archive.detached(id).await?.is_some(),
            };
            if !alive {
                orphans.push(id);
            }
        }
        Ok(orphans)
    }

    /// Whether the replica that runs a turn is still there. While nobody can know, and for `grace`
    /// after, one that is silent is.
    pub async fn is_alive(&self, replica: &str, grace: Duration) -> Result<bool, JournalError> {
        let since = self.fallback().and_then(|fallback| fallback.since_outage());
        match self.hot.is_beating(replica).await {
            Ok(beating) => Ok(beating || since.is_some_and(|since| since < grace)),
            Err(error) if error.is_away() => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

//! Whether this replica can acknowledge a message, found out by writing.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::archive::{Archive, ArchiveError};

/// However many ask, the archive is written to once in this time.
const EVERY: Duration = Duration::from_secs(1);
/// A write that takes longer has failed. Probes of platforms wait for little more.
const LIMIT: Duration = Duration::from_millis(1_500);

/// Why a replica cannot acknowledge a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    #[error("the archive does not answer")]
    Away,
    #[error("the archive is full and takes no change; make room on its disk")]
    Full,
    #[error("the archive takes no change; it is damaged, read-only, or its disk has a fault")]
    Unwritable,
}

/// The last attempt of this process to write.
pub struct Readiness {
    archive: Archive,
    replica: Arc<str>,
    last: Mutex<Option<(Instant, Result<(), Unready>)>>,
}

impl Readiness {
    pub fn new(archive: Archive, replica: &Arc<str>) -> Self {
        Self { archive, replica: Arc::clone(replica), last: Mutex::new(None) }
    }

    /// Callers at the same time wait for one write.
    ///
    /// # Errors
    /// If the archive takes no change.
    pub async fn check(&self) -> Result<(), Unready> {
        let mut last = self.last.lock().await;
        if let Some((at, outcome)) = *last
            && at.elapsed() < EVERY
        {
            return outcome;
        }
        let outcome = match timeout(LIMIT, self.archive.probe(&self.replica)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ArchiveError::Full)) => Err(Unready::Full),
            Ok(Err(error)) => Err(self.why(&error).await),
            Err(_) => Err(Unready::Away),
        };
        *last = Some((Instant::now(), outcome));
        outcome
    }

    /// One that answers questions is there.
    async fn why(&self, error: &ArchiveError) -> Unready {
        let answers = timeout(LIMIT, self.archive.ping()).await.is_ok_and(|pong| pong.is_ok());
        if answers && *error != ArchiveError::Timeout { Unready::Unwritable } else { Unready::Away }
    }
}

//! Writing: one step of a session becomes durable.

use tokio::time::Instant;

use super::{error::JournalError, handle::Journal, metrics};
use crate::{
    archive::{Advanced, ArchiveError, Step},
    domain::{Append, Appended},
};

impl Journal {
    /// One atomic step. The same step may be sent again until there is an answer: it is taken once.
    ///
    /// # Errors
    /// If [`JournalError::is_in_doubt`], the step may have been taken.
    pub async fn append(&self, append: &Append) -> Result<Appended, JournalError> {
        let malformed = |fault: crate::domain::Malformed| ArchiveError::Rejected(fault.to_string());
        append.check().map_err(malformed)?;
        let begun = Instant::now();
        let advanced = self.commits.advance(Step::new(append, self.replica())).await;
        metrics::appended(begun.elapsed());
        match advanced? {
            Advanced::Done(version) => {
                if append.takes_over && append.from.owner_epoch > 0 {
                    metrics::taken_over();
                }
                self.changed(append.meta.id);
                Ok(Appended::Done(version))
            }
            Advanced::Replayed(record) => Ok(Appended::Replayed(record)),
            Advanced::Outrun => {
                metrics::outrun();
                Ok(Appended::Outrun)
            }
            Advanced::Erased { owner } => Err(JournalError::Erased { owner }),
            Advanced::Missing => Err(JournalError::NotFound),
        }
    }
}

//! Why the journal cannot do what was asked.

use crate::{archive::ArchiveError, domain::PrincipalId, hot::HotError};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("hot store: {0}")]
    Hot(#[from] HotError),
    #[error("archive: {0}")]
    Archive(#[from] ArchiveError),
    #[error("no such session")]
    NotFound,
    #[error("the session was erased")]
    Erased { owner: PrincipalId },
}

impl JournalError {
    /// Whether the hot store is to blame, so that the archive may be asked instead.
    pub(super) fn is_hot_away(&self) -> bool {
        matches!(self, Self::Hot(error) if error.is_away())
    }
}

/// Why a round of the archivist ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Hot(#[from] HotError),
}

impl FlushError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Archive(ArchiveError::Unavailable(_)) => "archive_unavailable",
            Self::Archive(ArchiveError::Timeout) => "archive_timeout",
            Self::Archive(ArchiveError::Full) => "archive_full",
            Self::Archive(ArchiveError::Conflict) => "archive_conflict",
            Self::Archive(ArchiveError::Corrupt(_)) => "archive_corrupt",
            Self::Archive(ArchiveError::Rejected(_)) => "archive_rejected",
            Self::Hot(HotError::Unavailable(_)) => "hot_unavailable",
            Self::Hot(HotError::Timeout) => "hot_timeout",
            Self::Hot(HotError::Corrupt(_)) => "hot_corrupt",
        }
    }
}

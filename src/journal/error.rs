//! Why the journal cannot do what was asked.

use crate::{archive::ArchiveError, domain::PrincipalId};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("no such session")]
    NotFound,
    #[error("the session was erased")]
    Erased { owner: PrincipalId },
}

impl JournalError {
    /// Whether an append may have been taken all the same.
    pub const fn is_in_doubt(&self) -> bool {
        match self {
            Self::Archive(error) => error.is_away(),
            Self::NotFound | Self::Erased { .. } => false,
        }
    }
}

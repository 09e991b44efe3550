//! Opening a session, and why that may fail.

use tracing::debug;

use super::{
    messages::{Asker, SessionError},
    metrics,
    state::Session,
};
use crate::{
    clock,
    domain::{Appended, ErrorCode, Fact, PrincipalId, Problem, SessionId, Version},
    journal::{Journal, JournalError, Opened},
};

/// Attempts to end an abandoned turn, while other replicas try the same.
const ATTEMPTS: usize = 3;

/// What a session is read again for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    ToRead,
    ToWrite,
}

/// Whether what is known of a session was compared with the archive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    Read,
    /// This replica writes, so nothing newer is expected.
    Assumed,
}

/// Why a session could not be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    NotFound,
    Erased { owner: PrincipalId },
    Unavailable,
}

impl Absent {
    /// Only its owner learns that a session was erased.
    pub fn tell(self, asker: &Asker) -> SessionError {
        match self {
            Self::Erased { owner } if owner != asker.0.id => SessionError::NotFound,
            absent => absent.plainly(),
        }
    }

    /// For callers of the service itself.
    pub fn plainly(self) -> SessionError {
        match self {
            Self::NotFound => SessionError::NotFound,
            Self::Erased { .. } => SessionError::Erased,
            Self::Unavailable => SessionError::StoreUnavailable,
        }
    }
}

impl From<JournalError> for Absent {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NotFound => Self::NotFound,
            JournalError::Erased { owner } => Self::Erased { owner },
            JournalError::Archive(_) => {
                // The archive logs when it goes and when it comes back.
                debug!(%error, "journal is unavailable");
                Self::Unavailable
            }
        }
    }
}

/// What a session that is open here answers when its journal fails.
impl From<JournalError> for SessionError {
    fn from(error: JournalError) -> Self {
        Absent::from(error).plainly()
    }
}

/// Opens a session. A turn that nothing will end is ended first, visibly. `None` if the session
/// still stands at `known`.
pub async fn open(
    id: SessionId,
    known: Option<Version>,
    journal: Journal,
) -> Result<Option<Opened>, Absent> {
    for _ in 0..ATTEMPTS {
        let opened = match &known {
            Some(known) => journal.open_if_changed(id, known).await?,
            None => Some(journal.open(id).await?),
        };
        let Some(mut opened) = opened else { return Ok(None) };
        let Some(running) = &opened.running else { return Ok(Some(opened)) };
        if !journal.is_abandoned(running).await? {
            return Ok(Some(opened));
        }
        let session = Session::new(opened.meta.clone(), opened.version, &opened.events);
        let fact = Fact::failed(Problem::new(ErrorCode::Interrupted), String::new());
        let append = session.ending(running.turn_id, &fact.into(), clock::now());
        match journal.append(&append).await? {
            Appended::Done(version) => {
                metrics::turn_interrupted();
                opened.meta = append.meta;
                opened.version = version;
                opened.events.extend(append.events);
                opened.running = None;
                return Ok(Some(opened));
            }
            // Another replica was faster: what it wrote counts.
            Appended::Replayed(_) | Appended::Outrun => {}
        }
    }
    Err(Absent::Unavailable)
}

//! Opening a session, and why that may fail.

use std::{sync::Arc, time::Duration};

use tracing::debug;

use super::{
    messages::{Asker, SessionError},
    metrics,
    shared::Shared,
    state::Session,
};
use crate::{
    clock,
    domain::{Appended, ErrorCode, Fact, PrincipalId, Problem, SessionId, unfinished},
    journal::{JournalError, Opened},
};

/// After the hot store was away, replicas need this long to say that they live.
const LIVENESS_GRACE: Duration = Duration::from_secs(12);

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

    /// What the house itself is told.
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
            JournalError::Hot(_) | JournalError::Archive(_) => {
                // The stores log when they go and when they come back.
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

/// Opens a session; a turn that nobody runs any more is ended first, visibly.
pub async fn open(id: SessionId, shared: Arc<Shared>) -> Result<Opened, Absent> {
    let mut opened = shared.journal.open(id).await?;
    let Some(turn_id) = unfinished(&opened.events) else { return Ok(opened) };
    if runs_elsewhere(&opened, &shared).await? {
        return Ok(opened);
    }
    metrics::turn_interrupted();
    let session = Session::new(opened.meta.clone(), &opened.events, Some(turn_id));
    let fact = Fact::failed(Problem::new(ErrorCode::Interrupted), String::new());
    let append = session.ending(turn_id, fact, clock::now());
    match shared.journal.append(&append).await? {
        Appended::Done => {
            opened.meta = append.meta;
            opened.events.extend(append.events);
            opened.running = None;
            Ok(opened)
        }
        // Somebody else was faster: what they wrote counts.
        Appended::Replayed(_) | Appended::Conflict { .. } | Appended::Missing => {
            Ok(shared.journal.open(id).await?)
        }
    }
}

async fn runs_elsewhere(opened: &Opened, shared: &Shared) -> Result<bool, JournalError> {
    match &opened.running {
        Some(running) if *running.replica == *shared.replica => Ok(false),
        Some(running) => shared.journal.is_alive(&running.replica, LIVENESS_GRACE).await,
        // Who runs it cannot be asked now; no turn takes longer than this.
        None if opened.is_uncertain => {
            let at = opened.events.last().map_or(0, |event| event.at.as_millis());
            let age = u64::try_from(clock::now().as_millis().saturating_sub(at)).unwrap_or(0);
            Ok(Duration::from_millis(age) < shared.turn_timeout + LIVENESS_GRACE)
        }
        None => Ok(false),
    }
}

//! What all session actors of a process share.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::lookout::Lookout;
use crate::{config, journal::Journal, turn::ports::Ports};

/// Handed to each session actor when it starts.
pub struct Shared {
    pub journal: Journal,
    pub sessions: config::Sessions,
    pub actions: config::Actions,
    pub turn_timeout: Duration,
    pub max_answer_bytes: usize,
    pub ports: Arc<Ports>,
    /// Sessions that are open here.
    pub lookout: Arc<Lookout>,
    pub turn_permits: Arc<Semaphore>,
    /// Cancelled when no new turn may begin.
    pub draining: CancellationToken,
    pub turns: TaskTracker,
}

//! What all session actors of a process share.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config, journal::Journal, turn::ports::Ports};

/// Handed to each session actor when it starts.
pub struct Shared {
    pub journal: Journal,
    pub sessions: config::Sessions,
    pub turn_timeout: Duration,
    pub max_answer_bytes: usize,
    pub ports: Arc<Ports>,
    /// `name/boot` of this process.
    pub replica: Arc<str>,
    pub turn_permits: Arc<Semaphore>,
    /// Cancelled when no new turn may begin.
    pub draining: CancellationToken,
    pub turns: TaskTracker,
}

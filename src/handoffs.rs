//! Ends handoffs that nobody takes in time: the shopper is told how else to reach the shop.
//!
//! The worker of any replica may end any of them; a session accepts it once. Must never happen: a
//! shopper who waits for somebody for good.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    archive::{Archive, ArchiveError, Handoff},
    clock, config,
    desk::metrics,
    domain::Language,
    session::messages::{Act, Control, SessionError},
    supervisor::door::{AskError, Sessions},
    turn::{person, ports::Ports},
};

/// How often to look for them.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often all that wait are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// Handoffs that are ended in one round.
const AT_ONCE: u32 = 64;

pub struct HandoffWorker {
    archive: Archive,
    sessions: Sessions,
    ports: Arc<Ports>,
    wait: Duration,
}

impl HandoffWorker {
    pub fn new(
        archive: Archive,
        sessions: Sessions,
        ports: Arc<Ports>,
        config: &config::Handoff,
    ) -> Self {
        Self { archive, sessions, ports, wait: config.wait }
    }

    pub async fn run(&self, draining: CancellationToken) {
        let mut counted: Option<Instant> = None;
        while !draining.is_cancelled() {
            if counted.is_none_or(|at| at.elapsed() >= COUNT_INTERVAL) {
                counted = Some(Instant::now());
                if let Ok(waiting) = self.archive.count_waiting().await {
                    metrics::waiting(waiting);
                }
            }
            // The archive counts and logs its own failures; the next round tries again.
            let _ = self.round().await;
            draining.run_until_cancelled(tokio::time::sleep(INTERVAL)).await;
        }
    }

    async fn round(&self) -> Result<(), ArchiveError> {
        let before = clock::now().before(self.wait);
        for handoff in self.archive.waiting_since(before, AT_ONCE).await? {
            self.end(&handoff).await?;
        }
        Ok(())
    }

    async fn end(&self, handoff: &Handoff) -> Result<(), ArchiveError> {
        let language = Language::parse(&handoff.locale).unwrap_or(Language::En);
        let answer =
            Box::new(person::nobody_came(&self.ports, &handoff.site_id, &handoff.locale, language));
        let id = handoff.id;
        let act = || Control {
            asker: None,
            key: None,
            act: Act::Expire { handoff: id, answer: answer.clone() },
        };
        match self.sessions.ask(handoff.session_id, act).await {
            // The session has another one, so this row was left behind.
            Ok(controlled) if controlled.replayed && controlled.meta.handoff != Some(id) => {
                self.archive.drop_handoff(id, clock::now()).await
            }
            // The row goes with the session.
            Ok(_) | Err(AskError::Session(SessionError::NotFound | SessionError::Erased)) => Ok(()),
            // A turn runs, or a store is away: the next round tries again.
            Err(AskError::Session(
                SessionError::TurnActive | SessionError::StoreUnavailable | SessionError::Draining,
            )) => Ok(()),
            Err(error) => {
                warn!(%error, handoff_id = %id, "a handoff was not ended; trying again");
                Ok(())
            }
        }
    }
}

//! Ends handoffs that nobody takes in time, and gives back those whose agent is gone: the shopper is
//! told how else to reach the shop, or that somebody else comes.
//!
//! The worker of any replica may end any of them; a session accepts it once. Must never happen: a
//! shopper who waits for somebody for good.

mod hearing;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::hearing::Hearing;
use crate::{
    archive::{Archive, ArchiveError, Handoff},
    clock, config,
    desk::metrics,
    domain::{Language, Loss, PrincipalId},
    session::messages::{Act, Control, Lost, SessionError},
    supervisor::door::{AskError, Sessions},
    turn::{person, ports::Ports},
};

/// How often to look for them.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often all that wait are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// Handoffs of each kind that are ended in one round.
const AT_ONCE: u32 = 64;

pub struct HandoffWorker {
    archive: Archive,
    sessions: Sessions,
    ports: Arc<Ports>,
    wait: Duration,
    give_back_after: Duration,
}

impl HandoffWorker {
    pub fn new(
        archive: Archive,
        sessions: Sessions,
        ports: Arc<Ports>,
        config: &config::Handoff,
    ) -> Self {
        let (wait, give_back_after) = (config.wait, config.give_back_after);
        Self { archive, sessions, ports, wait, give_back_after }
    }

    pub async fn run(&self, draining: CancellationToken) {
        let mut counted: Option<Instant> = None;
        let mut hearing = Hearing::from(clock::now());
        while !draining.is_cancelled() {
            if counted.is_none_or(|at| at.elapsed() >= COUNT_INTERVAL) {
                counted = Some(Instant::now());
                if let Ok(waiting) = self.archive.count_waiting().await {
                    metrics::waiting(waiting);
                }
            }
            // The archive counts and logs its own failures; the next round tries again.
            let _ = self.round(&mut hearing).await;
            draining.run_until_cancelled(tokio::time::sleep(INTERVAL)).await;
        }
    }

    async fn round(&self, hearing: &mut Hearing) -> Result<(), ArchiveError> {
        let now = clock::now();
        let late = self.archive.waiting_since(now.before(self.wait), AT_ONCE).await?;
        hearing.heard(now);
        for handoff in late {
            self.expire(&handoff).await?;
            hearing.heard(clock::now());
        }
        let silent = hearing.silent(now, self.give_back_after);
        for (handoff, reason) in self.archive.lost_handoffs(silent, AT_ONCE).await? {
            let Some(agent) = handoff.agent_id else { continue };
            self.give_back(&handoff, agent, reason).await?;
            hearing.heard(clock::now());
        }
        Ok(())
    }

    async fn expire(&self, handoff: &Handoff) -> Result<(), ArchiveError> {
        let language = language(handoff);
        let answer =
            Box::new(person::nobody_came(&self.ports, &handoff.site_id, &handoff.locale, language));
        let id = handoff.id;
        self.end(handoff, || Act::Expire { handoff: id, answer: answer.clone() }).await
    }

    async fn give_back(
        &self,
        handoff: &Handoff,
        agent: PrincipalId,
        reason: Loss,
    ) -> Result<(), ArchiveError> {
        let (site, locale, language) = (&handoff.site_id, &handoff.locale, language(handoff));
        let standing = self.ports.desk.standing(site).await?;
        let wait = standing.back();
        let comes = standing.is_staffed().then_some(wait);
        let answer = Box::new(person::agent_left(&self.ports, site, locale, language, comes));
        let lost = Lost { handoff: handoff.id, agent, reason, language };
        let (position, eta_ms) = (wait.position, wait.eta_ms());
        self.end(handoff, || Act::GiveBack { lost, position, eta_ms, answer: answer.clone() }).await
    }

    async fn end(&self, handoff: &Handoff, act: impl Fn() -> Act) -> Result<(), ArchiveError> {
        let id = handoff.id;
        let command = || Control { asker: None, key: None, act: act() };
        match self.sessions.ask(handoff.session_id, command).await {
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

/// In which its shopper asked.
fn language(handoff: &Handoff) -> Language {
    Language::parse(&handoff.locale).unwrap_or(Language::En)
}

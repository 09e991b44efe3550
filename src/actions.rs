//! Finds out what became of confirmed changes whose call had no answer: the shop was silent, or the
//! replica that asked it died. The shop is asked by the key of the change, and never to make it
//! again. What it says comes into the session as a late answer.
//!
//! A change that a person of the shop had to approve is asked for here, once, after the approval; a
//! refusal is told.
//!
//! The worker of any replica may look for any change; a lease keeps two from the same one, and a
//! session accepts a result once. Proposals that nobody decided expire here, too.
//!
//! Must never happen: a change that is asked for a second time; one that stays without a result
//! while the shop can tell.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::join_all};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    archive::{Action, Archive, ArchiveError},
    assistant, clock,
    domain::{ActionOutcome, ActionState, ActionStatus, Running},
    journal::{Journal, JournalError},
    session::{
        deliver::{self, Deliver, Delivered},
        messages::SessionError,
        metrics,
    },
    supervisor::door::{AskError, Sessions},
    turn::{
        act::late,
        ports::{ActionPort, Carried, Ports},
    },
};

/// How often to look for changes without a result.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often all of them are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// Changes that are looked for at once.
const AT_ONCE: u32 = 16;
/// A call of a replica that does not count as dead is looked for after so many of its longest times.
const OVERDUE: u32 = 6;
/// The pause after the shop could not tell. It doubles with each further time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How long others leave a change alone, besides the longest call.
const LEASE: Duration = Duration::from_secs(5);
/// The pause while a turn of the session runs.
const BUSY: Duration = Duration::from_secs(1);

pub struct ActionWorker {
    archive: Archive,
    journal: Journal,
    sessions: Sessions,
    ports: Arc<Ports>,
    /// How long a change waits for a person.
    approval: Duration,
}

/// Why a change has no result yet.
#[derive(Debug, thiserror::Error)]
enum Unsettled {
    #[error("the shop could not tell")]
    Silent,
    #[error("a turn of the session runs")]
    Busy,
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Session(#[from] AskError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl ActionWorker {
    pub fn new(
        archive: Archive,
        journal: Journal,
        sessions: Sessions,
        ports: Arc<Ports>,
        approval: Duration,
    ) -> Self {
        metrics::actions_unsettled(0);
        metrics::actions_waiting(0);
        Self { archive, journal, sessions, ports, approval }
    }

    /// Looks again and again until `draining`.
    pub async fn run(&self, draining: CancellationToken) {
        let mut counted: Option<Instant> = None;
        let looking = async {
            loop {
                // The archive counts and logs its own failures.
                let _ = self.round(&mut counted).await;
                tokio::time::sleep(INTERVAL).await;
            }
        };
        let _: Option<std::convert::Infallible> = draining.run_until_cancelled(looking).await;
    }

    async fn round(&self, counted: &mut Option<Instant>) -> Result<(), ArchiveError> {
        if counted.is_none_or(|at| at.elapsed() >= COUNT_INTERVAL) {
            *counted = Some(Instant::now());
            metrics::actions_unsettled(self.archive.count_unsettled().await?);
        }
        let now = clock::now();
        metrics::actions_expired(self.archive.expire_actions(now).await?);
        self.archive.expire_step_ups(now).await?;
        let waiting = self.archive.lapse_reviews(now.before(self.approval)).await?;
        metrics::actions_waiting(waiting);
        let found = self.archive.unsettled_actions(now, AT_ONCE).await?;
        join_all(found.iter().map(|action| self.look(action))).await;
        Ok(())
    }

    /// Looks for one change, unless somebody else does or its call may still have an answer.
    async fn look(&self, action: &Action) {
        let ActionPort { timeout, .. } = &self.ports.actions;
        if !self.is_left_alone(action, *timeout).await.unwrap_or(false) {
            return;
        }
        // About as long as the question and its delivery take. Two that look at once do no harm.
        let until = clock::now().after(*timeout + LEASE);
        if !self.archive.lease_action(action, until).await.unwrap_or(false) {
            return;
        }
        let settled = AssertUnwindSafe(self.settle(action)).catch_unwind().await;
        let tries = u64::from(action.tries);
        let pause = match settled {
            Ok(Ok(())) => return,
            // The row goes with the session.
            Ok(Err(
                Unsettled::Journal(JournalError::NotFound | JournalError::Erased { .. })
                | Unsettled::Session(AskError::Session(
                    SessionError::NotFound | SessionError::Erased,
                )),
            )) => return,
            Ok(Err(Unsettled::Busy)) => BUSY,
            Ok(Err(error)) => {
                warn!(%error, action_id = %action.id, tries, "a change has no result yet; asking again later");
                pause_after(tries)
            }
            Err(_panic) => {
                warn!(action_id = %action.id, tries, "looking for a change panicked");
                pause_after(tries)
            }
        };
        // If this fails, the lease ends by itself.
        let _ = self.archive.release_action(action.id, clock::now().after(pause)).await;
    }

    /// Whether nobody waits for the answer to its call any more.
    async fn is_left_alone(
        &self,
        action: &Action,
        timeout: Duration,
    ) -> Result<bool, JournalError> {
        let (Some(turn_id), Some(replica)) = (action.decided_turn_id, &action.replica) else {
            return Ok(action.state != ActionState::Calling);
        };
        if action.state != ActionState::Calling {
            return Ok(true);
        }
        let running = Running { turn_id, replica: replica.clone() };
        let overdue =
            action.decided_at.is_some_and(|at| clock::now() >= at.after(timeout * OVERDUE));
        Ok(self.journal.is_abandoned(&running).await? || overdue)
    }

    /// Does what is left to do about a change, and tells the shopper.
    async fn settle(&self, action: &Action) -> Result<(), Unsettled> {
        match action.state {
            ActionState::Approved => self.carry_out(action).await,
            ActionState::Refused => {
                let seen = action.reviewer_id.is_some();
                let text = assistant::actions::not_approved(seen, action.language);
                let outcome = ActionOutcome::new(action.id, ActionStatus::Failed, text);
                self.tell(action, outcome).await.map(drop)
            }
            ActionState::Proposed | ActionState::Calling | ActionState::Ended(_) => {
                self.recall(action).await
            }
        }
    }

    /// Asks the shop for an approved change, unless another replica does. If this one dies on the
    /// way, the change counts as one whose call had no answer.
    async fn carry_out(&self, action: &Action) -> Result<(), Unsettled> {
        // Until there is an answer, nobody takes the call for abandoned.
        let _running = action.decided_turn_id.map(|turn| self.journal.will_run(turn));
        if !self.archive.claim_approved(action.id, self.journal.replica()).await? {
            return Ok(());
        }
        metrics::action_confirmed();
        let deadline = Instant::now() + self.ports.actions.timeout;
        let call = (self.ports.actions.call)(action.clone(), deadline);
        let carried = timeout_at(deadline, call).await.unwrap_or(Carried::Unknown);
        let outcome = carried.outcome(action);
        let status = outcome.status;
        self.tell(action, outcome).await?;
        if status == ActionStatus::Unknown { Err(Unsettled::Silent) } else { Ok(()) }
    }

    /// Asks the shop what became of a call.
    async fn recall(&self, action: &Action) -> Result<(), Unsettled> {
        let deadline = Instant::now() + self.ports.actions.timeout;
        let recall = (self.ports.actions.recall)(action.clone(), deadline);
        let carried = timeout_at(deadline, recall).await.unwrap_or(Carried::Unknown);
        let outcome = carried.outcome(action);
        let status = outcome.status;
        if status == ActionStatus::Unknown && action.state != ActionState::Calling {
            return Err(Unsettled::Silent);
        }
        let told = self.tell(action, outcome).await?;
        match told {
            // That nobody knows yet was told; somebody has to ask again.
            _ if status == ActionStatus::Unknown => Err(Unsettled::Silent),
            true => {
                let doubt = clock::now().since(action.decided_at.unwrap_or(action.proposed_at));
                metrics::action_settled(doubt);
                info!(action_id = %action.id, status = status.as_str(), "it is known what became of a change");
                Ok(())
            }
            false => Ok(()),
        }
    }

    /// Brings what became of a change into its session. False if it was there already.
    async fn tell(&self, action: &Action, outcome: ActionOutcome) -> Result<bool, Unsettled> {
        let key = deliver::action_key(action.id, outcome.status);
        let ending = late(action, outcome);
        let message = || Deliver { key: key.clone(), ending: ending.clone() };
        match self.sessions.ask(action.session_id, message).await? {
            Delivered::Busy => Err(Unsettled::Busy),
            Delivered::Now => Ok(true),
            Delivered::Before => Ok(false),
        }
    }
}

fn pause_after(tries: u64) -> Duration {
    let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

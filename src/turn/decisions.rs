//! Decisions of the guard on their way to the archive, off the path of a turn.

use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::metrics;
use crate::{
    archive::{Archive, GuardDecision, RecordId},
    clock,
    domain::{SessionId, SiteId, TurnId},
    guard::Decision,
};

/// So many may wait; further ones are counted and dropped.
const WAITING: usize = 1_024;
/// So many are written at once.
const BATCH: usize = 64;
/// Longest sentence that is kept, in characters.
const SENTENCE: usize = 500;

/// Takes decisions and never waits.
#[derive(Clone)]
pub struct Decisions {
    /// `None` if nothing is kept.
    queue: Option<mpsc::Sender<GuardDecision>>,
}

impl Decisions {
    /// `most` are kept of each site.
    pub fn start(
        archive: Archive,
        most: u32,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> Self {
        if most == 0 {
            return Self { queue: None };
        }
        let (queue, waiting) = mpsc::channel(WAITING);
        tasks.spawn(write(archive, most, waiting, stopping.clone()));
        Self { queue: Some(queue) }
    }

    /// Notes what was decided in a turn.
    pub fn note(
        &self,
        site: &SiteId,
        session_id: SessionId,
        turn_id: TurnId,
        decisions: Vec<Decision>,
    ) {
        for decision in decisions {
            metrics::decided(decision.rule, decision.action);
            let Some(queue) = &self.queue else { continue };
            let kept = GuardDecision {
                id: RecordId::new(),
                site_id: site.clone(),
                session_id,
                turn_id,
                rule: decision.rule.as_str().to_owned(),
                action: decision.action.as_str().to_owned(),
                sentence: decision.sentence.chars().take(SENTENCE).collect(),
                at: clock::now(),
            };
            if queue.try_send(kept).is_err() {
                metrics::decisions_dropped(1);
            }
        }
    }
}

async fn write(
    archive: Archive,
    most: u32,
    mut waiting: mpsc::Receiver<GuardDecision>,
    stopping: CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let received = stopping.run_until_cancelled(waiting.recv_many(&mut batch, BATCH)).await;
        if received.is_none() {
            while batch.len() < WAITING
                && let Ok(decision) = waiting.try_recv()
            {
                batch.push(decision);
            }
        }
        if !batch.is_empty() && archive.keep_decisions(&batch, most).await.is_err() {
            // The archive logs its own outages.
            metrics::decisions_dropped(batch.len() as u64);
        }
        batch.clear();
        if matches!(received, None | Some(0)) {
            return;
        }
    }
}

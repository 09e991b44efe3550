//! The owner's side: turns that run here, and who is sent their frames.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    letter::{Letter, Outgoing},
    node::{Relay, Served},
};
use crate::{
    domain::TurnId,
    log::{TurnLog, frame::Frame},
};

/// Frames in one letter.
const FRAMES: usize = 64;
/// The owner stops sending to a follower that was silent for so long.
pub const LEASE: Duration = Duration::from_secs(10);

impl Relay {
    /// A turn runs here and may be followed from elsewhere.
    pub fn begin(&self, log: &Arc<TurnLog>, cancel: &CancellationToken) {
        self.state().turns.insert(log.turn_id(), (Arc::clone(log), cancel.clone()));
    }

    pub fn end(&self, turn: TurnId) {
        self.state().turns.remove(&turn);
    }

    /// Another replica wants a turn to stop.
    pub(super) fn stop(&self, turn: TurnId) {
        if let Some((_, cancel)) = self.state().turns.get(&turn) {
            cancel.cancel();
        }
    }

    /// Another replica reads a turn that runs here.
    pub(super) fn serve(self: &Arc<Self>, turn: TurnId, from: String, next: Option<usize>) {
        let until = Instant::now() + LEASE;
        let mut state = self.state();
        let Some(log) = state.turns.get(&turn).map(|(log, _)| Arc::clone(log)) else {
            drop(state);
            self.letter(&from, Letter::Absent { turn });
            return;
        };
        let key = (turn, from);
        let Some(next) = next else {
            if let Some(served) = state.served.get(&key) {
                served.lease.send_replace(until);
            }
            return;
        };
        let (lease, held) = watch::channel(until);
        let stop = CancellationToken::new();
        if let Some(before) = state.served.insert(key.clone(), Served { lease, stop: stop.clone() })
        {
            before.stop.cancel();
        }
        drop(state);
        let (relay, end) = (Arc::clone(self), self.stopping.clone());
        self.tasks.spawn(async move {
            let work = stop.run_until_cancelled(relay.send_frames(&log, &key.1, next, held));
            // One that was stopped has a successor under the same key.
            if let Some(Some(())) = end.run_until_cancelled(work).await {
                relay.state().served.remove(&key);
            }
        });
    }

    async fn send_frames(
        &self,
        log: &Arc<TurnLog>,
        to: &str,
        next: usize,
        lease: watch::Receiver<Instant>,
    ) {
        let mut cursor = log.read_from(next);
        let mut first = next;
        loop {
            let until = *lease.borrow();
            let frame = tokio::select! {
                frame = cursor.next() => frame,
                () = tokio::time::sleep_until(until) => {
                    if *lease.borrow() > Instant::now() {
                        continue;
                    }
                    return;
                }
            };
            let Some(frame) = frame else { return };
            let mut frames = vec![text(&frame)];
            while frames.len() < FRAMES
                && let Some(frame) = cursor.ready()
            {
                frames.push(text(&frame));
            }
            let count = frames.len();
            let letter = Letter::Frames { turn: log.turn_id(), first, frames };
            // A full outbox slows this follower down and nobody else.
            if self.outbox.send(Outgoing::Letter(to.into(), letter)).await.is_err() {
                return;
            }
            first += count;
        }
    }
}

/// JSON that serde_json made is UTF-8.
fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(&frame.json).into_owned()
}

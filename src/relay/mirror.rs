//! The follower's side: turns of other replicas that are read here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{Relay, Rumour, letter::Letter, serve::LEASE};
use crate::{
    clock,
    domain::{ErrorCode, Event, Fact, MessageId, Problem, Running, TurnId},
    log::TurnLog,
};

/// A follower says this often that somebody still reads, and looks whether the turn has ended unnoticed.
const RENEWAL: Duration = Duration::from_secs(3);

#[derive(Clone)]
pub struct Mirror {
    owner: Arc<str>,
    log: Arc<TurnLog>,
    /// No session here has this turn: the relay itself ends the log.
    is_foreign: bool,
}

impl Relay {
    /// Stops a turn that another replica runs.
    pub fn cancel(&self, turn: TurnId) -> bool {
        let Some(owner) = self.state().mirrors.get(&turn).map(|mirror| Arc::clone(&mirror.owner))
        else {
            return false;
        };
        self.letter(&owner, Letter::Cancel { turn });
        true
    }

    /// The log of a turn that another replica runs. It fills while somebody reads it; whoever learns the turn's end
    /// closes it.
    pub fn follow(self: &Arc<Self>, running: &Running, log: Arc<TurnLog>) -> Arc<TurnLog> {
        self.mirror(running, log, false)
    }

    /// As [`Self::follow`], for a turn of a session that is not open here: the log ends as the turn ends, or with
    /// `turn.failed` where its replica is gone.
    pub fn read_along(self: &Arc<Self>, running: &Running, log: Arc<TurnLog>) -> Arc<TurnLog> {
        self.mirror(running, log, true)
    }

    fn mirror(
        self: &Arc<Self>,
        running: &Running,
        log: Arc<TurnLog>,
        is_foreign: bool,
    ) -> Arc<TurnLog> {
        let mut state = self.state();
        if let Some(known) = state.mirrors.get(&running.turn_id)
            && (known.is_foreign == is_foreign && known.log.outcome().is_none())
        {
            return Arc::clone(&known.log);
        }
        let owner: Arc<str> = running.replica.as_str().into();
        let mirror = Mirror { owner, log: Arc::clone(&log), is_foreign };
        state.mirrors.insert(running.turn_id, mirror.clone());
        drop(state);
        let (relay, end) = (Arc::clone(self), self.stopping.clone());
        self.tasks.spawn(async move {
            end.run_until_cancelled(relay.attend(&mirror)).await;
            let mut state = relay.state();
            let turn = mirror.log.turn_id();
            if state.mirrors.get(&turn).is_some_and(|other| Arc::ptr_eq(&other.log, &mirror.log)) {
                state.mirrors.remove(&turn);
            }
        });
        log
    }

    /// Asks for frames while somebody reads, and has the actor look now and then whether the turn still runs.
    async fn attend(&self, mirror: &Mirror) {
        let mut asked: Option<Instant> = None;
        while mirror.log.outcome().is_none() {
            let lapsed = asked.is_none_or(|at| at.elapsed() > LEASE / 2);
            tokio::select! {
                _ = mirror.log.ended() => return,
                () = mirror.log.is_read(), if lapsed => {
                    self.ask(mirror, Some(mirror.log.length()));
                    asked = Some(Instant::now());
                }
                () = tokio::time::sleep(RENEWAL) => {
                    if !self.look(mirror).await {
                        return;
                    }
                    if mirror.log.readers() > 0 && !lapsed {
                        self.ask(mirror, None);
                        asked = Some(Instant::now());
                    }
                }
            }
        }
    }

    /// Whether the turn of a mirror may still run and is still wanted here.
    async fn look(&self, mirror: &Mirror) -> bool {
        if !mirror.is_foreign {
            return self.notify(mirror.log.session_id(), Rumour::Changed);
        }
        let beating = self.hot.is_beating(&mirror.owner).await.unwrap_or(false);
        if !beating || mirror.log.readers() == 0 {
            end_foreign(&mirror.log);
        }
        mirror.log.outcome().is_none()
    }

    fn ask(&self, mirror: &Mirror, next: Option<usize>) {
        let (turn, from) = (mirror.log.turn_id(), self.replica.to_string());
        self.letter(&mirror.owner, Letter::Follow { turn, from, next });
    }

    /// Frames of a turn have come.
    pub(super) fn show(&self, turn: TurnId, first: usize, frames: Vec<String>) {
        let Some(mirror) = self.state().mirrors.get(&turn).cloned() else { return };
        let have = mirror.log.length();
        if first > have {
            // Letters were lost on the way.
            return self.ask(&mirror, Some(have));
        }
        for frame in frames.into_iter().skip(have - first) {
            let frame = Bytes::from(frame);
            if mirror.log.mirror(frame.clone()) {
                continue;
            }
            match serde_json::from_slice::<Event>(&frame) {
                Ok(end) if mirror.is_foreign => mirror.log.close(Arc::new(end)),
                // The journal tells it.
                _ => drop(self.notify(mirror.log.session_id(), Rumour::Changed)),
            }
            return;
        }
    }

    /// The turn does not run where it was looked for.
    pub(super) fn absent(&self, turn: TurnId) {
        let mirror = self.state().mirrors.get(&turn).cloned();
        match mirror {
            Some(mirror) if mirror.is_foreign => end_foreign(&mirror.log),
            Some(mirror) => drop(self.notify(mirror.log.session_id(), Rumour::Changed)),
            None => {}
        }
    }
}

/// The turn's replica cannot say how it ended.
fn end_foreign(log: &TurnLog) {
    let problem = Problem::new(ErrorCode::Interrupted);
    let fact = Fact::TurnFailed { message_id: MessageId::new(), text: String::new(), problem };
    log.close(Arc::new(Event {
        v: 1,
        seq: log.base_seq() + 1,
        session_id: log.session_id(),
        turn_id: log.turn_id(),
        epoch: 0,
        at: clock::now(),
        fact,
    }));
}

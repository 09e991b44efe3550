//! The follower's side: turns of other replicas that are read here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    letter::Letter,
    messages::Rumour,
    node::{Mirror, Relay},
    serve::LEASE,
};
use crate::{
    domain::{ErrorCode, Event, Fact, Part, Problem, Running, TurnId},
    log::{Mirrored, TurnLog, Writer, frame::Place},
};

/// A follower says this often that somebody still reads, and looks whether the turn has ended
/// unnoticed.
const RENEWAL: Duration = Duration::from_secs(3);

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

    /// The log of a turn that another replica runs. It fills while somebody reads it;
    /// [`Self::ended`] ends it.
    pub fn follow(
        self: &Arc<Self>,
        running: &Running,
        place: Place,
        max_bytes: usize,
    ) -> Arc<TurnLog> {
        self.mirror(running, Writer::mirror_of(place, max_bytes), false)
    }

    /// The journal has the events that ended a turn of another replica.
    pub fn ended(&self, turn: TurnId, events: &[Event]) {
        let mirror = self.state().mirrors.get(&turn).cloned();
        if let Some(mirror) = mirror.filter(|mirror| !mirror.is_foreign) {
            mirror.writer.close(events);
        }
    }

    /// As [`Self::follow`], for a turn of a session that is not open here: the log ends as the turn
    /// ends, or with `turn.failed` where its replica is gone.
    pub fn read_along(
        self: &Arc<Self>,
        running: &Running,
        place: Place,
        max_bytes: usize,
    ) -> Arc<TurnLog> {
        self.mirror(running, Writer::mirror_of(place, max_bytes), true)
    }

    fn mirror(
        self: &Arc<Self>,
        running: &Running,
        writer: Writer,
        is_foreign: bool,
    ) -> Arc<TurnLog> {
        let mut state = self.state();
        if let Some(known) = state.mirrors.get(&running.turn_id)
            && (known.is_foreign == is_foreign && !known.log().is_ended())
        {
            return Arc::clone(known.log());
        }
        let owner: Arc<str> = running.replica.as_str().into();
        let log = Arc::clone(writer.log());
        let mirror = Mirror { owner, writer: Arc::new(writer), is_foreign };
        state.mirrors.insert(running.turn_id, mirror.clone());
        drop(state);
        let (relay, end) = (Arc::clone(self), self.stopping.clone());
        self.tasks.spawn(async move {
            end.run_until_cancelled(relay.attend(&mirror)).await;
            let mut state = relay.state();
            let turn = mirror.log().turn_id();
            let same = |other: &Mirror| Arc::ptr_eq(&other.writer, &mirror.writer);
            if state.mirrors.get(&turn).is_some_and(same) {
                state.mirrors.remove(&turn);
            }
        });
        log
    }

    /// Asks for frames while somebody reads, and has the actor look now and then whether the turn
    /// still runs.
    async fn attend(&self, mirror: &Mirror) {
        let mut asked: Option<Instant> = None;
        while !mirror.log().is_ended() {
            let lapsed = asked.is_none_or(|at| at.elapsed() > LEASE / 2);
            tokio::select! {
                _ = mirror.log().ended() => return,
                () = mirror.log().is_read(), if lapsed => {
                    self.ask(mirror, Some(mirror.log().length()));
                    asked = Some(Instant::now());
                }
                () = tokio::time::sleep(RENEWAL) => {
                    if !self.look(mirror) {
                        return;
                    }
                    if mirror.log().readers() > 0 && !lapsed {
                        self.ask(mirror, None);
                        asked = Some(Instant::now());
                    }
                }
            }
        }
    }

    /// Whether the turn of a mirror may still run and is still wanted here.
    fn look(&self, mirror: &Mirror) -> bool {
        if !mirror.is_foreign {
            return self.notify(mirror.log().session_id(), Rumour::Changed);
        }
        if self.peers.seems_gone(&mirror.owner, Instant::now()) || mirror.log().readers() == 0 {
            end_foreign(&mirror.writer);
        }
        !mirror.log().is_ended()
    }

    fn ask(&self, mirror: &Mirror, next: Option<usize>) {
        let (turn, from) = (mirror.log().turn_id(), self.replica().to_owned());
        self.letter(&mirror.owner, Letter::Follow { turn, from, next });
    }

    /// Frames of a turn have come.
    pub(super) fn show(&self, turn: TurnId, first: usize, frames: Vec<String>) {
        let Some(mirror) = self.state().mirrors.get(&turn).cloned() else { return };
        let have = mirror.log().length();
        if first > have {
            // Letters were lost on the way.
            return self.ask(&mirror, Some(have));
        }
        for frame in frames.into_iter().skip(have - first) {
            let frame = Bytes::from(frame);
            if mirror.writer.mirror(frame.clone()) == Mirrored::Live {
                continue;
            }
            match serde_json::from_slice::<Event>(&frame) {
                Ok(end) if mirror.is_foreign && end.fact.part() == Part::Ends => {
                    mirror.writer.close(&[end]);
                }
                // The journal tells it.
                _ => drop(self.notify(mirror.log().session_id(), Rumour::Changed)),
            }
            return;
        }
    }

    /// The turn does not run where it was looked for.
    pub(super) fn absent(&self, turn: TurnId) {
        let mirror = self.state().mirrors.get(&turn).cloned();
        match mirror {
            Some(mirror) if mirror.is_foreign => end_foreign(&mirror.writer),
            Some(mirror) => drop(self.notify(mirror.log().session_id(), Rumour::Changed)),
            None => {}
        }
    }
}

/// The turn's replica cannot say how it ended.
fn end_foreign(writer: &Writer) {
    writer.end(Fact::failed(Problem::new(ErrorCode::Interrupted), String::new()));
}

//! The relay of one process, and what it knows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    letter::{Letter, OUTBOX, Outgoing},
    messages::{Rumour, RumourPort},
};
use crate::{
    domain::{Party, SessionId, TurnId},
    hot::HotStore,
    log::{TurnLog, Writer},
    peers::Peers,
};

/// The relay of one process.
pub struct Relay {
    pub(super) peers: Arc<Peers>,
    pub(super) hot: Arc<HotStore>,
    pub(super) outbox: mpsc::Sender<Outgoing>,
    state: Mutex<State>,
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
}

#[derive(Default)]
pub(super) struct State {
    pub actors: HashMap<SessionId, RumourPort>,
    /// Turns that run here.
    pub turns: HashMap<TurnId, (Arc<TurnLog>, CancellationToken)>,
    /// Who is being sent the frames of which turn.
    pub served: HashMap<(TurnId, String), Served>,
    /// Turns of others that are read here.
    pub mirrors: HashMap<TurnId, Mirror>,
}

impl Relay {
    /// Starts to send and to receive; both end with `stopping`.
    pub fn start(
        hot: Arc<HotStore>,
        peers: Arc<Peers>,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> Arc<Self> {
        let (outbox, waiting) = mpsc::channel(OUTBOX);
        let relay = Arc::new(Self {
            peers,
            hot,
            outbox,
            state: Mutex::default(),
            tasks: tasks.clone(),
            stopping: stopping.clone(),
        });
        let (sender, receiver) = (Arc::clone(&relay), Arc::clone(&relay));
        let end = stopping.clone();
        tasks.spawn(async move { end.run_until_cancelled(sender.send(waiting)).await });
        let end = stopping.clone();
        tasks.spawn(async move { end.run_until_cancelled(receiver.receive()).await });
        relay
    }

    pub fn replica(&self) -> &str {
        self.peers.me()
    }

    pub fn hot(&self) -> &Arc<HotStore> {
        &self.hot
    }

    /// Runs `work` beside the requests; a shutdown waits for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session actor lives here: from now on it hears of its session. Waits until that is so.
    pub async fn enter(&self, session: SessionId, actor: RumourPort) {
        self.state().actors.insert(session, actor);
        // Without Redis the session is looked at once a second while it has readers.
        let _ = self.hot.watch(session, self.replica()).await;
    }

    /// The actor lives on, and its watch must not end.
    pub fn stay(&self, session: SessionId) {
        self.put(Outgoing::Watch(session));
    }

    pub fn leave(&self, session: SessionId) {
        self.state().actors.remove(&session);
        self.put(Outgoing::Unwatch(session));
    }

    /// The journal of a session has grown here.
    pub fn changed(&self, session: SessionId) {
        self.tell_watchers(session, Letter::Changed { session });
    }

    pub fn erased(&self, session: SessionId) {
        self.tell_watchers(session, Letter::Erased { session });
    }

    pub fn typing(&self, session: SessionId, by: Party) {
        self.tell_watchers(session, Letter::Typing { session, by });
    }

    fn tell_watchers(&self, session: SessionId, letter: Letter) {
        // A replica that has just started looks for itself, as any does that missed a letter.
        if self.peers.has_others() {
            self.put(Outgoing::Watchers(session, letter));
        }
    }

    /// False where no actor of the session lives here.
    pub(super) fn notify(&self, session: SessionId, rumour: Rumour) -> bool {
        let actor = self.state().actors.get(&session).cloned();
        // An actor whose mailbox is full is about to look anyway.
        actor.is_some_and(|actor| {
            let _ = actor.try_send(rumour);
            true
        })
    }

    pub(super) fn read(self: &Arc<Self>, letter: Letter) {
        match letter {
            Letter::Changed { session } => {
                self.notify(session, Rumour::Changed);
            }
            Letter::Erased { session } => {
                self.notify(session, Rumour::Erased);
            }
            Letter::Typing { session, by } => {
                self.notify(session, Rumour::Typing(by));
            }
            Letter::Cancel { turn } => self.stop(turn),
            Letter::Follow { turn, from, next } => self.serve(turn, from, next),
            Letter::Frames { turn, first, frames } => self.show(turn, first, frames),
            Letter::Absent { turn } => self.absent(turn),
        }
    }
}

#[derive(Clone)]
pub(super) struct Mirror {
    pub owner: Arc<str>,
    pub writer: Arc<Writer>,
    /// No session here has this turn: the relay itself ends the log.
    pub is_foreign: bool,
}

impl Mirror {
    pub fn log(&self) -> &Arc<TurnLog> {
        self.writer.log()
    }
}

/// A follower that is being sent the frames of a turn.
pub(super) struct Served {
    pub lease: watch::Sender<Instant>,
    pub stop: CancellationToken,
}

//! What replicas tell each other about sessions: that a journal has grown, that a session is gone, that a turn is to
//! stop, and, for as long as somebody reads along elsewhere, the frames of a running turn.
//!
//! Letters hasten and never decide: what is true stands in the journal, and whoever waits for a letter looks there
//! now and then.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix::{Message, Recipient};
use bytes::Bytes;
use metrics::counter;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{frame::Frame, log::TurnLog};
use crate::{
    clock,
    domain::{ErrorCode, Event, Fact, MessageId, Problem, Running, SessionId, TurnId},
    hot::{HotStore, Liveness},
    telemetry::declare,
};

/// Letters that wait to be sent; more are dropped.
const OUTBOX: usize = 10_000;
const AT_ONCE: usize = 256;
/// Frames in one letter.
const FRAMES: usize = 64;
/// A follower says this often that somebody still reads, and looks whether the turn has ended unnoticed.
const RENEWAL: Duration = Duration::from_secs(3);
/// The owner stops sending to a follower that was silent for so long.
const LEASE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(300);

declare! {
    DROPPED: counter "rushdesk_relay_dropped_total" [] "Letters to other replicas that were not sent";
}

fn dropped() {
    counter!(DROPPED).increment(1);
}

/// To a session actor: what it knows of its session may be old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum Rumour {
    /// Events were added, or the replica that runs a turn may be dead.
    Changed,
    Erased,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Letter {
    Changed {
        session: SessionId,
    },
    Erased {
        session: SessionId,
    },
    Cancel {
        turn: TurnId,
    },
    /// Somebody at `from` reads along. `next`: the first frame that is wanted, or none to go on as before.
    Follow {
        turn: TurnId,
        from: String,
        next: Option<usize>,
    },
    /// Frames of a running turn, numbered from `first`, each as JSON.
    Frames {
        turn: TurnId,
        first: usize,
        frames: Vec<String>,
    },
    /// The turn does not run here.
    Absent {
        turn: TurnId,
    },
}

enum Outgoing {
    Letter(Arc<str>, Letter),
    Watch(SessionId),
    Unwatch(SessionId),
}

/// The letters of one process.
pub struct Relay {
    replica: Arc<str>,
    hot: Arc<HotStore>,
    outbox: mpsc::Sender<Outgoing>,
    state: Mutex<State>,
    tasks: TaskTracker,
    stopping: CancellationToken,
}

#[derive(Default)]
struct State {
    actors: HashMap<SessionId, Recipient<Rumour>>,
    /// Turns that run here.
    turns: HashMap<TurnId, (Arc<TurnLog>, CancellationToken)>,
    /// Who is being sent the frames of which turn.
    served: HashMap<(TurnId, String), Served>,
    /// Turns of others that are read here.
    mirrors: HashMap<TurnId, Mirror>,
}

struct Served {
    lease: watch::Sender<Instant>,
    stop: CancellationToken,
}

#[derive(Clone)]
struct Mirror {
    owner: Arc<str>,
    log: Arc<TurnLog>,
    /// No session here has this turn: the relay itself ends the log.
    is_foreign: bool,
}

impl Relay {
    /// Starts to send and to receive; both end with `stopping`.
    pub fn start(
        hot: Arc<HotStore>,
        replica: Arc<str>,
        tasks: &TaskTracker,
        stopping: &CancellationToken,
    ) -> Arc<Self> {
        let (outbox, waiting) = mpsc::channel(OUTBOX);
        let relay = Arc::new(Self {
            replica,
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
        &self.replica
    }

    pub fn hot(&self) -> &Arc<HotStore> {
        &self.hot
    }

    /// Runs `work` beside the requests; a shutdown waits for it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, outgoing: Outgoing) {
        if self.outbox.try_send(outgoing).is_err() {
            dropped();
        }
    }

    fn letter(&self, to: &str, letter: Letter) {
        self.put(Outgoing::Letter(to.into(), letter));
    }

    /// A session actor lives here: from now on it hears of its session. Waits until that is so.
    pub async fn enter(&self, session: SessionId, actor: Recipient<Rumour>) {
        self.state().actors.insert(session, actor);
        // Without Redis nobody else writes either; the keeper says it again.
        let _ = self.hot.watch(session, &self.replica).await;
    }

    /// The actor lives on, and its watch must not end.
    pub fn stay(&self, session: SessionId) {
        self.put(Outgoing::Watch(session));
    }

    pub fn leave(&self, session: SessionId) {
        self.state().actors.remove(&session);
        self.put(Outgoing::Unwatch(session));
    }

    /// Says again which sessions live here, after the hot store has forgotten it.
    pub fn stay_all(&self) {
        let sessions: Vec<SessionId> = self.state().actors.keys().copied().collect();
        sessions.into_iter().for_each(|session| self.stay(session));
    }

    /// The journal of a session has grown here.
    pub fn changed(&self, session: SessionId, watchers: &[String]) {
        self.tell(watchers, &Letter::Changed { session });
    }

    pub fn erased(&self, session: SessionId, watchers: &[String]) {
        self.tell(watchers, &Letter::Erased { session });
    }

    fn tell(&self, watchers: &[String], letter: &Letter) {
        for watcher in watchers.iter().filter(|watcher| **watcher != *self.replica) {
            self.letter(watcher, letter.clone());
        }
    }

    /// A turn runs here and may be followed from elsewhere.
    pub fn begin(&self, log: &Arc<TurnLog>, cancel: &CancellationToken) {
        self.state().turns.insert(log.turn_id(), (Arc::clone(log), cancel.clone()));
    }

    pub fn end(&self, turn: TurnId) {
        self.state().turns.remove(&turn);
    }

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
        let turn = mirror.log.turn_id();
        let ask = |next| {
            let from = self.replica.to_string();
            self.letter(&mirror.owner, Letter::Follow { turn, from, next });
        };
        let mut asked: Option<Instant> = None;
        while mirror.log.outcome().is_none() {
            let lapsed = asked.is_none_or(|at| at.elapsed() > LEASE / 2);
            tokio::select! {
                _ = mirror.log.ended() => return,
                () = mirror.log.is_read(), if lapsed => {
                    ask(Some(mirror.log.length()));
                    asked = Some(Instant::now());
                }
                () = tokio::time::sleep(RENEWAL) => {
                    if !self.look(mirror).await {
                        return;
                    }
                    if mirror.log.readers() > 0 && !lapsed {
                        ask(None);
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
        let silent = match self.hot.liveness(&mirror.owner).await {
            Ok(liveness) => liveness != Liveness::Alive,
            Err(_) => true,
        };
        if silent || mirror.log.readers() == 0 {
            end_foreign(&mirror.log);
        }
        mirror.log.outcome().is_none()
    }

    /// False where no actor of the session lives here.
    fn notify(&self, session: SessionId, rumour: Rumour) -> bool {
        let actor = self.state().actors.get(&session).cloned();
        // An actor whose mailbox is full is about to look anyway.
        actor.is_some_and(|actor| {
            let _ = actor.try_send(rumour);
            true
        })
    }

    async fn send(self: Arc<Self>, mut waiting: mpsc::Receiver<Outgoing>) {
        let mut batch = Vec::with_capacity(AT_ONCE);
        while waiting.recv_many(&mut batch, AT_ONCE).await > 0 {
            let mut letters: HashMap<Arc<str>, Vec<String>> = HashMap::new();
            for outgoing in batch.drain(..) {
                match outgoing {
                    Outgoing::Letter(to, letter) => {
                        if let Ok(json) = serde_json::to_string(&letter) {
                            letters.entry(to).or_default().push(json);
                        }
                    }
                    Outgoing::Watch(session) => {
                        let _ = self.hot.watch(session, &self.replica).await;
                    }
                    Outgoing::Unwatch(session) => {
                        // Its successor may have moved in already.
                        if !self.state().actors.contains_key(&session) {
                            let _ = self.hot.unwatch(session, &self.replica).await;
                        }
                    }
                }
            }
            for (to, letters) in letters {
                if self.hot.post(&to, &letters).await.is_err() {
                    dropped();
                }
            }
        }
    }

    async fn receive(self: Arc<Self>) {
        let Some(mut inbox) = self.hot.inbox(&self.replica) else { return };
        loop {
            match inbox.receive().await {
                Ok(letters) => {
                    for letter in letters {
                        if let Ok(letter) = serde_json::from_str(&letter) {
                            self.read(letter);
                        }
                    }
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    fn read(self: &Arc<Self>, letter: Letter) {
        match letter {
            Letter::Changed { session } => {
                self.notify(session, Rumour::Changed);
            }
            Letter::Erased { session } => {
                self.notify(session, Rumour::Erased);
            }
            Letter::Cancel { turn } => {
                if let Some((_, cancel)) = self.state().turns.get(&turn) {
                    cancel.cancel();
                }
            }
            Letter::Follow { turn, from, next } => self.serve(turn, from, next),
            Letter::Frames { turn, first, frames } => self.show(turn, first, frames),
            Letter::Absent { turn } => {
                let mirror = self.state().mirrors.get(&turn).cloned();
                match mirror {
                    Some(mirror) if mirror.is_foreign => end_foreign(&mirror.log),
                    Some(mirror) => drop(self.notify(mirror.log.session_id(), Rumour::Changed)),
                    None => {}
                }
            }
        }
    }

    /// Another replica reads a turn that runs here.
    fn serve(self: &Arc<Self>, turn: TurnId, from: String, next: Option<usize>) {
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

    fn show(&self, turn: TurnId, first: usize, frames: Vec<String>) {
        let Some(mirror) = self.state().mirrors.get(&turn).cloned() else { return };
        let have = mirror.log.length();
        if first > have {
            // Letters were lost on the way.
            let from = self.replica.to_string();
            self.letter(&mirror.owner, Letter::Follow { turn, from, next: Some(have) });
            return;
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

/// JSON that serde_json made is UTF-8.
fn text(frame: &Frame) -> String {
    String::from_utf8_lossy(&frame.json).into_owned()
}

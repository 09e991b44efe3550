//! What the readers of a session share: its newest durable events, while they read, and the turn
//! that runs.
//!
//! The actor publishes, readers hold an `Arc` and never send the actor a message per event.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{
    domain::{Event, Part, Party, SessionId},
    log::{TurnLog, frame::Frame},
};

/// How often it is shown that somebody writes.
const TYPING: Duration = Duration::from_secs(1);

pub struct Feed {
    session_id: SessionId,
    capacity: usize,
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

struct State {
    last_seq: u64,
    /// What present readers may not have taken yet; a later one reads the journal. Most sessions
    /// have no reader most of the time, and there are many.
    tail: VecDeque<(u64, Frame)>,
    turn: Option<Arc<TurnLog>>,
    end: Option<FeedEnd>,
    /// Who writes, and how often that was shown. It is in no journal.
    typing: Option<Party>,
    typed: u64,
    /// When it was shown of the agent, and of the other side.
    shown: [Option<Instant>; 2],
}

/// Why a feed will carry nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedEnd {
    /// The actor stopped (idle, reloaded or shutting down): open the session again.
    Stopped,
    Erased,
}

/// What lies behind a `seq`.
pub enum Behind {
    Frames(Vec<Frame>),
    /// The turn that follows is running.
    Turn(Arc<TurnLog>),
    /// The events are older than the tail: read them from the journal.
    Older,
    /// The reader has seen more than this feed has shown.
    Ahead,
    Nothing,
    Ended(FeedEnd),
}

impl Feed {
    pub fn new(session_id: SessionId, last_seq: u64, capacity: usize) -> Arc<Self> {
        let tail = VecDeque::new();
        Arc::new(Self {
            session_id,
            capacity,
            state: Mutex::new(State {
                last_seq,
                tail,
                turn: None,
                end: None,
                typing: None,
                typed: 0,
                shown: [None; 2],
            }),
            version: watch::Sender::new(0),
        })
    }

    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Adds a durable event, unless it was shown before. The end of the turn takes its log away in
    /// the same step: later readers find the turn in the journal.
    pub fn publish(&self, event: &Event) {
        let mut state = self.state();
        if event.seq <= state.last_seq {
            return;
        }
        state.last_seq = event.seq;
        if event.fact.part() == Part::Ends {
            state.turn = None;
        }
        if self.readers() == 0 {
            state.tail = VecDeque::new();
        } else {
            if state.tail.len() == self.capacity {
                state.tail.pop_front();
            }
            state.tail.push_back((event.seq, Frame::of_event(event)));
        }
        drop(state);
        self.changed();
    }

    /// Shows the turn that runs now.
    pub fn set_turn(&self, turn: Arc<TurnLog>) {
        self.state().turn = Some(turn);
        self.changed();
    }

    pub fn turn(&self) -> Option<Arc<TurnLog>> {
        self.state().turn.clone()
    }

    /// Somebody writes. False if that was shown just now.
    pub fn type_by(&self, by: Party) -> bool {
        let mut state = self.state();
        let [agent, other] = &mut state.shown;
        let shown = if by == Party::Agent { agent } else { other };
        if shown.is_some_and(|at| at.elapsed() < TYPING) {
            return false;
        }
        *shown = Some(Instant::now());
        state.typing = Some(by);
        state.typed += 1;
        drop(state);
        self.changed();
        true
    }

    /// How often it was shown that somebody writes, and who did last.
    pub fn typed(&self) -> (u64, Option<Party>) {
        let state = self.state();
        (state.typed, state.typing)
    }

    pub fn last_seq(&self) -> u64 {
        self.state().last_seq
    }

    /// The first reason counts.
    pub fn end(&self, end: FeedEnd) {
        self.state().end.get_or_insert(end);
        self.changed();
    }

    pub fn behind(&self, seq: u64) -> Behind {
        let state = self.state();
        if seq > state.last_seq {
            return Behind::Ahead;
        }
        if seq < state.last_seq {
            let first = state.tail.front().map_or(u64::MAX, |(first, _)| *first);
            if first > seq + 1 {
                return Behind::Older;
            }
            let newer = state.tail.iter().filter(|(at, _)| *at > seq);
            return Behind::Frames(newer.map(|(_, frame)| frame.clone()).collect());
        }
        match (&state.turn, state.end) {
            (Some(turn), _) if turn.base_seq() <= seq => Behind::Turn(Arc::clone(turn)),
            (_, Some(end)) => Behind::Ended(end),
            _ => Behind::Nothing,
        }
    }

    /// Readers that follow this session now.
    pub fn readers(&self) -> usize {
        self.version.receiver_count()
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

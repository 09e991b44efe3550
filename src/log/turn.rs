//! The state that the writer and the readers of one turn share.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicBool};

use tokio::sync::watch;

use super::{frame::Place, transcript::Transcript};
use crate::domain::{Citation, Event, SessionId, TurnId};

/// The log of one turn. Its [`Writer`](super::Writer) appends to it and ends it; every reader calls
/// [`TurnLog::read`].
pub struct TurnLog {
    pub(super) place: Place,
    pub(super) transcript: Mutex<Transcript>,
    pub(super) length: watch::Sender<usize>,
    pub(super) readers: watch::Sender<Readers>,
    pub(super) outcome: OnceLock<Arc<Event>>,
    pub(super) kept: AtomicBool,
    /// Another process writes it, so text that a reader has seen elsewhere may not have arrived
    /// here yet.
    pub(super) is_mirror: bool,
}

impl TurnLog {
    pub(super) fn new(place: Place, max_bytes: usize, is_mirror: bool) -> Arc<Self> {
        Arc::new(Self {
            place,
            transcript: Mutex::new(Transcript::new(max_bytes)),
            length: watch::Sender::new(0),
            readers: watch::Sender::new(Readers::default()),
            outcome: OnceLock::new(),
            kept: AtomicBool::new(false),
            is_mirror,
        })
    }

    pub fn turn_id(&self) -> TurnId {
        self.place.turn_id
    }

    pub fn session_id(&self) -> SessionId {
        self.place.session_id
    }

    pub fn base_seq(&self) -> u64 {
        self.place.base_seq
    }

    pub(super) fn transcript(&self) -> MutexGuard<'_, Transcript> {
        // If another holder panicked, the log is still append-only and readable.
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer as it is shown now.
    pub fn text(&self) -> String {
        self.transcript().text().to_owned()
    }

    /// The revision of the text, and the part of it after byte `offset` of `revision`. If the text
    /// was replaced since then, the part is the whole text.
    pub fn text_behind(&self, revision: u32, offset: usize) -> (u32, String) {
        let transcript = self.transcript();
        let (revision, text) = transcript.text_behind(revision, offset);
        (revision, text.to_owned())
    }

    pub fn citations(&self) -> Vec<Citation> {
        self.transcript().citations().to_vec()
    }

    /// The number of frames.
    pub fn length(&self) -> usize {
        *self.length.borrow()
    }

    /// The durable event that ended the turn, once it has ended.
    pub fn outcome(&self) -> Option<&Arc<Event>> {
        self.outcome.get()
    }

    /// Waits for the end of the log. Returns the event that ended the turn, or `None` if the log of
    /// another process broke off before it.
    pub async fn ended(&self) -> Option<Arc<Event>> {
        // Fails only without a sender, and `self` owns it.
        let _ = self.length.subscribe().wait_for(|_| self.is_ended()).await;
        self.outcome().map(Arc::clone)
    }

    /// Whether the log has ended.
    pub fn is_ended(&self) -> bool {
        self.transcript().is_ended()
    }
}

/// The number of readers of a log.
#[derive(Clone, Copy, Default)]
pub(super) struct Readers {
    pub now: usize,
    pub ever: bool,
}

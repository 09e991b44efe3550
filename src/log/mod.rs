//! The log of one running turn: append-only, bounded, read through cursors.
//!
//! The turn's task appends, every reader (SSE response, socket, second tab, reconnect, coalesced twin) holds a
//! [`Cursor`]. A slow reader costs nothing: it neither slows the writer nor holds more than this one log alive.

mod cursor;
pub mod frame;
mod readers;
#[cfg(test)]
mod tests;
mod transcript;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, atomic::AtomicBool};

use bytes::Bytes;
use tokio::sync::watch;

pub use self::cursor::Cursor;
use self::{
    frame::{Frame, Place},
    readers::Readers,
    transcript::Transcript,
};
use crate::domain::{Citation, Event, Fact, Live, SessionId, TurnId};

/// The log of one turn. Its owner appends and closes; readers [`TurnLog::read`].
pub struct TurnLog {
    place: Place,
    transcript: Mutex<Transcript>,
    length: watch::Sender<usize>,
    readers: watch::Sender<Readers>,
    outcome: OnceLock<Arc<Event>>,
    kept: AtomicBool,
    /// Another process writes it: what a reader has seen elsewhere may still be on its way here.
    is_mirror: bool,
}

impl TurnLog {
    /// `max_bytes`: the longest answer.
    pub fn new(place: Place, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self::empty(place, max_bytes, false))
    }

    /// The log of a turn that another process runs; [`TurnLog::mirror`] fills it.
    pub fn of_another(place: Place, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self::empty(place, max_bytes, true))
    }

    fn empty(place: Place, max_bytes: usize, is_mirror: bool) -> Self {
        Self {
            place,
            transcript: Mutex::new(Transcript::new(max_bytes)),
            length: watch::Sender::new(0),
            readers: watch::Sender::new(Readers::default()),
            outcome: OnceLock::new(),
            kept: AtomicBool::new(false),
            is_mirror,
        }
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

    fn transcript(&self) -> MutexGuard<'_, Transcript> {
        // A panic of another holder leaves a log that is still append-only and readable.
        self.transcript.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be added to; `None` once the log is closed.
    fn open(&self) -> Option<MutexGuard<'_, Transcript>> {
        Some(self.transcript()).filter(|transcript| !transcript.is_ended())
    }

    /// Appends one live event. Ignored once the log is closed.
    pub fn push(&self, live: &Live) {
        if let Live::AnswerDelta { text, .. } = live {
            let _ = self.push_text(text);
            return;
        }
        self.add(live, self.place.render(live));
    }

    /// Appends a live event as another process rendered it; false for what is none.
    pub fn mirror(&self, json: Bytes) -> bool {
        match serde_json::from_slice(&json) {
            Err(_) => return false,
            Ok(Live::AnswerDelta { text, .. }) => {
                let _ = self.push_text(&text);
            }
            Ok(live) => self.add(&live, json),
        }
        true
    }

    fn add(&self, live: &Live, json: Bytes) {
        let Some(mut transcript) = self.open() else { return };
        transcript.add(live, json);
        self.grown(transcript);
    }

    /// Tells the readers, without holding up the writer.
    fn grown(&self, transcript: MutexGuard<'_, Transcript>) {
        let length = transcript.length();
        drop(transcript);
        self.length.send_replace(length);
    }

    /// Appends a piece of the answer. Returns false when the answer has reached its bound; the rest is not taken.
    #[must_use]
    pub fn push_text(&self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        let Some(mut transcript) = self.open() else { return true };
        let fits = transcript.add_piece(text);
        self.grown(transcript);
        fits
    }

    /// The answer as shown so far.
    pub fn text(&self) -> String {
        self.transcript().text().to_owned()
    }

    /// The revision of the text, and what of it lies behind byte `offset` of `revision`; all of it where the text
    /// was replaced since.
    pub fn text_behind(&self, revision: u32, offset: usize) -> (u32, String) {
        let transcript = self.transcript();
        let (revision, text) = transcript.text_behind(revision, offset);
        (revision, text.to_owned())
    }

    pub fn citations(&self) -> Vec<Citation> {
        self.transcript().citations().to_vec()
    }

    /// Ends the log with the durable event that ends the turn. A second close is ignored.
    pub fn close(&self, terminal: Arc<Event>) {
        let frame = Frame::of_event(&terminal);
        let Some(mut transcript) = self.open() else { return };
        // Pieces that never came from the other process come with its end.
        if self.is_mirror
            && let Fact::AnswerCompleted { text, .. } = &terminal.fact
            && let Some(rest) = text.strip_prefix(transcript.text())
        {
            transcript.add_piece(rest);
        }
        // Set before the readers wake, so that whoever sees the end also sees the outcome.
        let _ = self.outcome.set(terminal);
        transcript.end(frame);
        self.grown(transcript);
    }

    /// How many frames there are.
    pub fn length(&self) -> usize {
        *self.length.borrow()
    }

    /// The durable event that ended the turn, once it has.
    pub fn outcome(&self) -> Option<&Arc<Event>> {
        self.outcome.get()
    }

    /// Waits for the end of the turn.
    pub async fn ended(&self) -> Arc<Event> {
        let mut length = self.length.subscribe();
        loop {
            if let Some(event) = self.outcome() {
                return Arc::clone(event);
            }
            if length.changed().await.is_err() {
                // Unreachable while `self` is borrowed: it owns the sender.
                std::future::pending::<()>().await;
            }
        }
    }
}

//! The log of one running turn: append-only, bounded, read through cursors.
//!
//! The turn's task appends, every reader (SSE response, socket, second tab, reconnect, coalesced twin) holds a
//! [`Cursor`]. A slow reader costs nothing: it neither slows the writer nor holds more than this one log alive.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::watch;

use super::frame::{Frame, Place};
use crate::{
    clock,
    domain::{Citation, Event, Fact, Live, SessionId, Timestamp, TurnId},
};

/// The log of one turn. Its owner appends and closes; readers [`TurnLog::read`].
pub struct TurnLog {
    place: Place,
    max_bytes: usize,
    state: Mutex<State>,
    length: watch::Sender<usize>,
    readers: watch::Sender<Readers>,
    outcome: OnceLock<Arc<Event>>,
    kept: AtomicBool,
    /// Another process writes it: what a reader has seen elsewhere may still be on its way here.
    is_mirror: bool,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    deltas: u32,
    /// The texts of all deltas, one behind the other.
    pieces: String,
    text: String,
    citations: Vec<Citation>,
    /// Grows with every replacement of the text.
    revision: u32,
    closed: bool,
}

/// What is kept of a frame. A piece of an answer is rendered when it is read: as JSON it would take twenty times its
/// text, for as long as the turn lives.
enum Entry {
    Delta { index: u32, start: u32, end: u32, at: Timestamp },
    Frame(Box<Frame>),
}

#[derive(Clone, Copy, Default)]
struct Readers {
    now: usize,
    ever: bool,
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
            max_bytes,
            state: Mutex::default(),
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

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another holder leaves a log that is still append-only and readable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut state = self.state();
        if state.closed {
            return;
        }
        match live {
            Live::AnswerReplaced { text, .. } => {
                state.text.clone_from(text);
                state.revision += 1;
            }
            Live::AnswerCitation { citation } => state.citations.push(citation.clone()),
            Live::AnswerDelta { .. }
            | Live::TurnQueued { .. }
            | Live::TurnStarted { .. }
            | Live::TurnStatus { .. } => {}
        }
        let frame = Frame { name: live.name(), id: None, json, is_terminal: false };
        state.entries.push(Entry::Frame(Box::new(frame)));
        self.grown(state);
    }

    /// Tells the readers, without holding up the writer.
    fn grown(&self, state: MutexGuard<'_, State>) {
        let length = state.entries.len();
        drop(state);
        self.length.send_replace(length);
    }

    /// Whether all of `text` fits the bound.
    fn push_piece(&self, state: &mut State, text: &str) -> bool {
        let room = self.max_bytes.saturating_sub(state.text.len());
        let fits = text.len() <= room;
        let piece = if fits { text } else { &text[..text.floor_char_boundary(room)] };
        if !piece.is_empty() {
            let place = |pieces: &String| u32::try_from(pieces.len()).unwrap_or(u32::MAX);
            let start = place(&state.pieces);
            state.pieces.push_str(piece);
            state.text.push_str(piece);
            let end = place(&state.pieces);
            let index = state.deltas;
            state.entries.push(Entry::Delta { index, start, end, at: clock::now() });
            state.deltas += 1;
        }
        fits
    }

    /// Appends a piece of the answer. Returns false when the answer has reached its bound; the rest is not taken.
    #[must_use]
    pub fn push_text(&self, text: &str) -> bool {
        let mut state = self.state();
        if text.is_empty() || state.closed {
            return true;
        }
        let fits = self.push_piece(&mut state, text);
        self.grown(state);
        fits
    }

    /// The answer as shown so far.
    pub fn text(&self) -> String {
        self.state().text.clone()
    }

    /// The revision of the text, and what of it lies behind byte `offset` of `revision`; all of it where the text
    /// was replaced since.
    pub fn text_behind(&self, revision: u32, offset: usize) -> (u32, String) {
        let state = self.state();
        let offset = if state.revision == revision { offset } else { 0 };
        (state.revision, state.text.get(offset..).unwrap_or_default().to_owned())
    }

    pub fn citations(&self) -> Vec<Citation> {
        self.state().citations.clone()
    }

    /// Ends the log with the durable event that ends the turn. A second close is ignored.
    pub fn close(&self, terminal: Arc<Event>) {
        let frame = Frame::of_event(&terminal);
        let mut state = self.state();
        if state.closed {
            return;
        }
        // Pieces that never came from the other process come with its end.
        if self.is_mirror
            && let Fact::AnswerCompleted { text, .. } = &terminal.fact
            && let Some(rest) = text.strip_prefix(state.text.as_str())
        {
            self.push_piece(&mut state, rest);
        }
        // Set before the readers wake, so that whoever sees the end also sees the outcome.
        let _ = self.outcome.set(terminal);
        state.entries.push(Entry::Frame(Box::new(frame)));
        state.closed = true;
        self.grown(state);
    }

    /// How many frames there are.
    pub fn length(&self) -> usize {
        *self.length.borrow()
    }

    /// How many read it now.
    pub fn readers(&self) -> usize {
        self.readers.borrow().now
    }

    /// Reads for a moment, so that a log that fills only while it is read has something to show.
    pub async fn awaken(self: &Arc<Self>, limit: Duration) {
        let _reader = self.read(None);
        let mut length = self.length.subscribe();
        let _ = tokio::time::timeout(limit, length.wait_for(|length| *length > 0)).await;
    }

    /// Waits until somebody reads.
    pub async fn is_read(&self) {
        let mut readers = self.readers.subscribe();
        if readers.wait_for(|readers| readers.now > 0).await.is_err() {
            // Unreachable while `self` is borrowed: it owns the sender.
            std::future::pending::<()>().await;
        }
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

    /// Promises the answer to somebody who does not stay attached: the turn is not given up for lack of readers.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Resolves when there were readers and none has been attached for `grace`; never for a kept turn.
    pub async fn abandoned(&self, grace: Duration) {
        let mut readers = self.readers.subscribe();
        loop {
            if readers.wait_for(|r| r.ever && r.now == 0).await.is_err() {
                std::future::pending::<()>().await;
            }
            let mut came_back = pin!(readers.wait_for(|r| r.now > 0));
            let left = tokio::time::timeout(grace, &mut came_back).await.is_err();
            if left && !self.kept.load(Ordering::Relaxed) {
                return;
            }
            if left {
                std::future::pending::<()>().await;
            }
        }
    }

    /// A cursor that begins behind delta `after`, or at the beginning.
    pub fn read(self: &Arc<Self>, after: Option<u32>) -> Cursor {
        let Some(delta) = after else { return self.read_from(0) };
        let seen = |entry: &Entry| matches!(entry, Entry::Delta { index, .. } if *index == delta);
        let found = self.state().entries.iter().position(seen);
        let mut cursor = self.read_from(found.map_or(0, |index| index + 1));
        cursor.seen = Some(delta).filter(|_| found.is_none() && self.is_mirror);
        cursor
    }

    /// A cursor that begins with the frame of this number, counted from 0.
    pub fn read_from(self: &Arc<Self>, next: usize) -> Cursor {
        self.readers.send_modify(|readers| {
            readers.now += 1;
            readers.ever = true;
        });
        Cursor { length: self.length.subscribe(), log: Arc::clone(self), next, seen: None }
    }

    /// How many frames there are, and whether there will be no more.
    fn extent(&self) -> (usize, bool) {
        let state = self.state();
        (state.entries.len(), state.closed)
    }

    fn frame(&self, index: usize) -> Next {
        let state = self.state();
        match state.entries.get(index) {
            Some(Entry::Frame(frame)) => Next::Frame(Frame::clone(frame)),
            Some(Entry::Delta { index, start, end, at }) => {
                let text = state.pieces.get(*start as usize..*end as usize).unwrap_or_default();
                Next::Frame(self.place.delta(*index, text, *at))
            }
            None if state.closed => Next::End,
            None => Next::Wait,
        }
    }
}

enum Next {
    Frame(Frame),
    Wait,
    End,
}

/// A reader's place in a [`TurnLog`].
pub struct Cursor {
    log: Arc<TurnLog>,
    next: usize,
    /// Deltas up to here are passed over when they come.
    seen: Option<u32>,
    length: watch::Receiver<usize>,
}

impl Cursor {
    /// The next frame; `None` after the last one of a closed log. Cancel-safe.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            self.length.borrow_and_update();
            match self.step() {
                Next::Frame(frame) => return Some(frame),
                Next::End => return None,
                Next::Wait => self.length.changed().await.ok()?,
            }
        }
    }

    /// Passes over what there is, unrendered, and waits for more where there is nothing; false at the end of a closed
    /// log. Cancel-safe.
    pub async fn skip(&mut self) -> bool {
        loop {
            self.length.borrow_and_update();
            match self.log.extent() {
                (length, _) if length > self.next => {
                    self.next = length;
                    return true;
                }
                (_, true) => return false,
                (_, false) if self.length.changed().await.is_err() => return false,
                (_, false) => {}
            }
        }
    }

    /// The next frame, if it is there already.
    pub fn ready(&mut self) -> Option<Frame> {
        match self.step() {
            Next::Frame(frame) => Some(frame),
            Next::End | Next::Wait => None,
        }
    }

    fn step(&mut self) -> Next {
        loop {
            let next = self.log.frame(self.next);
            let Next::Frame(frame) = &next else { return next };
            self.next += 1;
            let delta = frame.id.and_then(|id| id.delta);
            if self.seen.is_none_or(|seen| delta.is_none_or(|delta| delta > seen)) {
                return next;
            }
        }
    }

    pub fn log(&self) -> &Arc<TurnLog> {
        &self.log
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.log.readers.send_modify(|readers| readers.now -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FinishReason, MessageId, Route, ServiceLevel, Timings};

    fn place() -> Place {
        Place { session_id: SessionId::new(), turn_id: TurnId::new(), epoch: 0, base_seq: 4 }
    }

    fn log() -> Arc<TurnLog> {
        TurnLog::new(place(), 1_000)
    }

    fn terminal(log: &TurnLog) -> Arc<Event> {
        Arc::new(Event {
            v: 1,
            seq: log.place.base_seq + 1,
            session_id: log.place.session_id,
            turn_id: log.place.turn_id,
            epoch: 0,
            at: clock::now(),
            fact: Fact::TurnCancelled { message_id: MessageId::new(), text: log.text() },
        })
    }

    async fn rest(mut cursor: Cursor) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(frame) = cursor.next().await {
            seen.push(frame.id.map_or_else(|| frame.name.to_owned(), |id| id.to_string()));
        }
        seen
    }

    #[tokio::test]
    async fn a_late_reader_sees_everything_and_a_resumed_one_only_the_rest() {
        let log = log();
        log.push(&Live::TurnStatus { stage: crate::domain::Stage::Searching });
        assert!(log.push_text("Hel"));
        assert!(log.push_text("lo"));
        log.close(terminal(&log));
        assert_eq!(rest(log.read(None)).await, ["turn.status", "4.0", "4.1", "5"]);
        assert_eq!(rest(log.read(Some(0))).await, ["4.1", "5"]);
        assert_eq!(log.text(), "Hello");
    }

    #[tokio::test]
    async fn a_mirror_shows_what_the_other_log_shows() {
        let (log, mirror) = (log(), log());
        log.push(&Live::TurnStatus { stage: crate::domain::Stage::Searching });
        assert!(log.push_text("Hel"));
        let citation = Citation {
            id: "1".into(),
            document_id: "d".into(),
            title: "t".into(),
            url: None,
            quote: "q".into(),
        };
        log.push(&Live::AnswerCitation { citation });
        let reason = "restarted".into();
        log.push(&Live::AnswerReplaced { reason, text: "Hallo".into() });
        let mut cursor = log.read(None);
        while let Some(frame) = cursor.ready() {
            assert!(mirror.mirror(frame.json));
        }
        assert_eq!((mirror.text(), mirror.citations()), (log.text(), log.citations()));
        assert_eq!((mirror.length(), log.length()), (4, 4));
        assert!(!mirror.mirror(Frame::of_event(&terminal(&log)).json));
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_by_the_next_piece_and_by_the_end() {
        let log = log();
        let mut cursor = log.read(None);
        let (frame, ()) = tokio::join!(cursor.next(), async { assert!(log.push_text("x")) });
        assert_eq!(frame.unwrap().name, "answer.delta");
        let (frame, ()) = tokio::join!(cursor.next(), async { log.close(terminal(&log)) });
        assert!(frame.unwrap().is_terminal);
        assert!(cursor.next().await.is_none());
    }

    #[tokio::test]
    async fn what_was_shown_before_a_replacement_can_still_be_read() {
        let log = log();
        assert!(log.push_text("wrong"));
        log.push(&Live::AnswerReplaced { reason: "restarted".into(), text: "so: ".into() });
        assert!(log.push_text("right"));
        assert_eq!(log.text(), "so: right");
        let mut cursor = log.read(None);
        let mut shown = Vec::new();
        for _ in 0..3 {
            let json: serde_json::Value =
                serde_json::from_slice(&cursor.next().await.unwrap().json).unwrap();
            shown.push(json["text"].as_str().unwrap().to_owned());
        }
        assert_eq!(shown, ["wrong", "so: ", "right"]);
    }

    #[tokio::test]
    async fn a_reader_who_comes_to_a_mirror_before_its_place_is_shown_only_the_rest() {
        let log = log();
        let mirror = TurnLog::of_another(log.place, 1_000);
        let resumed = mirror.read(Some(1));
        let mut original = log.read(None);
        for piece in ["a", "b", "c"] {
            assert!(log.push_text(piece));
            assert!(mirror.mirror(original.next().await.unwrap().json));
        }
        mirror.close(terminal(&log));
        assert_eq!(rest(resumed).await, ["4.2", "5"]);
        assert_eq!(rest(mirror.read(None)).await, ["4.0", "4.1", "4.2", "5"]);
    }

    #[tokio::test]
    async fn a_mirror_that_lost_its_original_shows_the_rest_with_the_end() {
        let mirror = TurnLog::of_another(place(), 1_000);
        assert!(mirror.push_text("a"));
        let fact = Fact::AnswerCompleted {
            message_id: MessageId::new(),
            text: "abc".into(),
            route: Route::Model,
            service_level: ServiceLevel::default(),
            citations: Vec::new(),
            usage: None,
            timings: Timings::default(),
            cache: None,
            finish_reason: FinishReason::Stop,
            ticket: None,
        };
        mirror.close(Arc::new(Event { fact, ..Event::clone(&terminal(&mirror)) }));
        assert_eq!(mirror.text(), "abc");
        assert_eq!(rest(mirror.read(Some(0))).await, ["4.1", "5"]);
    }

    #[tokio::test]
    async fn the_log_takes_no_more_than_its_bound_and_cuts_between_characters() {
        let log = TurnLog::new(place(), 5);
        assert!(log.push_text("äb"));
        assert!(!log.push_text("äää"));
        assert_eq!(log.text(), "äbä");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_abandoned_only_after_the_grace_and_only_if_nobody_came_back() {
        let log = log();
        let grace = Duration::from_secs(10);
        let short = Duration::from_secs(60);
        assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "no reader yet");
        let reader = log.read(None);
        assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "attached");
        drop(reader);
        let begin = tokio::time::Instant::now();
        log.abandoned(grace).await;
        assert_eq!(begin.elapsed(), grace);
        log.keep();
        assert!(tokio::time::timeout(short, log.abandoned(grace)).await.is_err(), "kept");
    }
}

//! Following a session: history, tail and live turn as one sequence of frames, from any position.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::watch;

use super::feed::{Behind, Feed, FeedEnd};
use crate::{
    domain::{Part, Party},
    journal::{Journal, JournalError},
    log::{
        Cursor, TurnLog,
        frame::{Frame, Position},
    },
};

/// Events read from the journal at once for a reader that is far behind. The reader holds them until
/// it has taken them, and there may be many readers.
const PAGE: u32 = 8;

/// What a reader gets next.
#[derive(Debug)]
pub enum Followed {
    Frame(Frame),
    /// The reader's position means nothing here; it continues after `last_seq`.
    Reset {
        last_seq: u64,
    },
    /// Somebody writes. It has no position.
    Typing(Party),
    Ended(FeedEnd),
}

/// A reader of one session. Holds a cursor, never a queue that others fill.
pub struct Follower {
    feed: Arc<Feed>,
    journal: Journal,
    seq: u64,
    delta: Option<u32>,
    pending: VecDeque<Frame>,
    turn: Option<Cursor>,
    /// A log without an end that was read as far as it goes.
    broken_off: Option<Arc<TurnLog>>,
    version: watch::Receiver<u64>,
    /// How often it was shown that somebody writes.
    typed: u64,
}

impl Follower {
    /// `position`: the last thing the reader has seen, or `None` where what it sent cannot be read.
    pub fn new(
        feed: Arc<Feed>,
        journal: Journal,
        position: Option<Position>,
    ) -> (Self, Option<Followed>) {
        let last_seq = feed.last_seq();
        let valid = position.filter(|position| position.seq <= last_seq);
        let reset = valid.is_none().then_some(Followed::Reset { last_seq });
        let start = valid.unwrap_or(Position::after(last_seq));
        let version = feed.subscribe();
        let (typed, _) = feed.typed();
        let follower = Self {
            feed,
            journal,
            seq: start.seq,
            delta: start.delta,
            pending: VecDeque::new(),
            turn: None,
            broken_off: None,
            version,
            typed,
        };
        (follower, reset)
    }

    /// The next frame. Cancel-safe.
    ///
    /// # Errors
    /// Where the journal cannot be read; the reader may come back with its position.
    pub async fn next(&mut self) -> Result<Followed, JournalError> {
        loop {
            if let Some(frame) = self.pending.pop_front() {
                return Ok(self.step(frame));
            }
            if let Some(cursor) = &mut self.turn {
                match cursor.next().await {
                    Some(frame) => {
                        if frame.is_terminal() {
                            self.turn = None;
                        }
                        return Ok(self.step(frame));
                    }
                    // Another replica runs the turn, and what came from there broke off.
                    None => self.broken_off = self.turn.take().map(|cursor| cursor.log().clone()),
                }
            }
            self.version.borrow_and_update();
            let (typed, by) = self.feed.typed();
            if let Some(by) = by.filter(|_| typed != std::mem::replace(&mut self.typed, typed)) {
                return Ok(Followed::Typing(by));
            }
            match self.feed.behind(self.seq) {
                Behind::Frames(frames) => self.pending.extend(frames),
                Behind::Turn(log) if !self.has_broken_off(&log) => {
                    self.turn = Some(log.read(self.delta));
                }
                Behind::Older => {
                    let events =
                        self.journal.events(self.feed.session_id(), self.seq, PAGE).await?;
                    if events.is_empty() {
                        // It was erased: the reader comes again and is told so.
                        return Ok(Followed::Ended(FeedEnd::Stopped));
                    }
                    self.pending.extend(events.iter().map(Frame::of_event));
                }
                Behind::Ended(end) => return Ok(Followed::Ended(end)),
                // A reader that is ahead read the archive, and the feed is about to catch up.
                Behind::Ahead | Behind::Nothing | Behind::Turn(_) => {
                    // The sender lives in the feed that we hold.
                    if self.version.changed().await.is_err() {
                        return Ok(Followed::Ended(FeedEnd::Stopped));
                    }
                }
            }
        }
    }

    /// Whether nothing is under way for this reader.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.turn.is_none()
    }

    fn has_broken_off(&self, log: &Arc<TurnLog>) -> bool {
        self.broken_off.as_ref().is_some_and(|known| Arc::ptr_eq(known, log))
    }

    fn step(&mut self, frame: Frame) -> Followed {
        if let Some(id) = frame.id {
            // The pieces of a turn keep their number when an aside comes between them.
            self.seq = self.seq.max(id.seq);
            if id.delta.is_some() || frame.part != Part::Aside {
                self.delta = id.delta;
            }
        }
        Followed::Frame(frame)
    }
}

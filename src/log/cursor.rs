//! A reader's position in a log, and how it advances.

use std::sync::Arc;

use tokio::sync::watch;

use super::{frame::Frame, transcript::Next, turn::TurnLog};
use crate::domain::Live;

/// A reader's position in a [`TurnLog`].
pub struct Cursor {
    log: Arc<TurnLog>,
    next: usize,
    /// Deltas up to this one are skipped when they arrive.
    seen: Option<u32>,
    length: watch::Receiver<usize>,
}

impl TurnLog {
    /// A cursor that starts after delta `after`, or at the start.
    pub fn read(self: &Arc<Self>, after: Option<u32>) -> Cursor {
        let Some(delta) = after else { return self.read_from(0) };
        let found = {
            let transcript = self.transcript();
            transcript.find(delta).filter(|_| !transcript.is_rest(delta))
        };
        let mut cursor = self.read_from(found.map_or(0, |index| index + 1));
        cursor.seen = Some(delta).filter(|_| found.is_none() && self.is_mirror);
        cursor
    }

    /// A cursor that starts with this frame, counted from 0.
    pub fn read_from(self: &Arc<Self>, next: usize) -> Cursor {
        self.readers.send_modify(|readers| {
            readers.now += 1;
            readers.ever = true;
        });
        Cursor { length: self.length.subscribe(), log: Arc::clone(self), next, seen: None }
    }
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

    /// Skips the frames that exist without rendering them, and waits for more if there are none.
    /// Returns false at the end of a closed log. Cancel-safe.
    pub async fn skip(&mut self) -> bool {
        loop {
            self.length.borrow_and_update();
            let (length, ended) = {
                let transcript = self.log.transcript();
                (transcript.length(), transcript.is_ended())
            };
            if length > self.next {
                self.next = length;
                return true;
            }
            if ended || self.length.changed().await.is_err() {
                return false;
            }
        }
    }

    /// The next frame, if it already exists.
    pub fn ready(&mut self) -> Option<Frame> {
        match self.step() {
            Next::Frame(frame) => Some(frame),
            Next::End | Next::Wait => None,
        }
    }

    fn step(&mut self) -> Next {
        loop {
            let transcript = self.log.transcript();
            let next = transcript.frame(self.next, &self.log.place);
            let Next::Frame(frame) = &next else { return next };
            self.next += 1;
            let delta = frame.id.and_then(|id| id.delta);
            let Some((delta, _)) = delta.zip(self.seen).filter(|(delta, seen)| delta <= seen)
            else {
                return next;
            };
            // The reader has seen an unknown part of this piece.
            if transcript.is_rest(delta) {
                let text = transcript.text().to_owned();
                let whole = Live::AnswerReplaced { reason: "corrected".to_owned(), text };
                return Next::Frame(Frame::of_live(&whole, self.log.place.render(&whole)));
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

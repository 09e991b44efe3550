//! The output of a turn so far: every frame in order, and the answer that they form.

use bytes::Bytes;

use super::frame::{Frame, Place};
use crate::{
    clock,
    domain::{Citation, Live, Timestamp},
};

/// Append-only until it is ended.
pub struct Transcript {
    max_bytes: usize,
    entries: Vec<Entry>,
    deltas: u32,
    /// The texts of all deltas, concatenated.
    pieces: String,
    text: String,
    citations: Vec<Citation>,
    /// The piece that stands for all that never arrived.
    rest: Option<u32>,
    /// Increases with every replacement of the text.
    revision: u32,
    ended: bool,
}

/// The stored form of a frame. Pieces of an answer are rendered when they are read. As JSON they
/// would take twenty times the memory of their text, for as long as the turn lives.
enum Entry {
    Delta { index: u32, start: u32, end: u32, at: Timestamp },
    Frame(Box<Frame>),
}

/// The content at a position of a transcript.
pub enum Next {
    Frame(Frame),
    Wait,
    End,
}

impl Transcript {
    /// `max_bytes`: the longest answer.
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            entries: Vec::new(),
            deltas: 0,
            pieces: String::new(),
            text: String::new(),
            citations: Vec::new(),
            rest: None,
            revision: 0,
            ended: false,
        }
    }

    /// Adds a live event, rendered as `json`, that is not a piece of the answer.
    pub fn add(&mut self, live: &Live, json: Bytes) {
        match live {
            Live::AnswerReplaced { text, .. } => {
                self.text.clone_from(text);
                self.revision += 1;
            }
            Live::AnswerCitation { citation } => self.citations.push(citation.clone()),
            Live::AnswerDelta { .. }
            | Live::TurnQueued { .. }
            | Live::TurnStarted { .. }
            | Live::TurnStatus { .. }
            | Live::Unknown(_) => {}
        }
        self.entries.push(Entry::Frame(Box::new(Frame::of_live(live, json))));
    }

    /// Adds a durable event.
    pub fn add_event(&mut self, frame: Frame) {
        self.entries.push(Entry::Frame(Box::new(frame)));
    }

    /// Adds the part of a piece that fits the limit. Returns whether the whole piece fit.
    pub fn add_piece(&mut self, text: &str) -> bool {
        let room = self.max_bytes.saturating_sub(self.text.len());
        let fits = text.len() <= room;
        let piece = if fits { text } else { &text[..text.floor_char_boundary(room)] };
        if !piece.is_empty() {
            let place = |pieces: &String| u32::try_from(pieces.len()).unwrap_or(u32::MAX);
            let start = place(&self.pieces);
            self.pieces.push_str(piece);
            self.text.push_str(piece);
            let end = place(&self.pieces);
            let index = self.deltas;
            self.entries.push(Entry::Delta { index, start, end, at: clock::now() });
            self.deltas += 1;
        }
        fits
    }

    /// Adds what never arrived of the answer as one piece. Its number says nothing about the pieces
    /// that it was written in.
    pub fn add_rest(&mut self, text: &str) {
        self.rest = (!text.is_empty()).then_some(self.deltas);
        self.add_piece(text);
    }

    pub fn is_rest(&self, delta: u32) -> bool {
        self.rest == Some(delta)
    }

    /// Ends the transcript: nothing more is added.
    pub fn end(&mut self) {
        self.ended = true;
    }

    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The number of frames.
    pub fn length(&self) -> usize {
        self.entries.len()
    }

    /// The frame with this number, counted from 0.
    pub fn frame(&self, index: usize, place: &Place) -> Next {
        match self.entries.get(index) {
            Some(Entry::Frame(frame)) => Next::Frame(Frame::clone(frame)),
            Some(Entry::Delta { index, start, end, at }) => {
                let text = self.pieces.get(*start as usize..*end as usize).unwrap_or_default();
                Next::Frame(place.delta(*index, text, *at))
            }
            None if self.ended => Next::End,
            None => Next::Wait,
        }
    }

    /// The number of the frame with this delta.
    pub fn find(&self, delta: u32) -> Option<usize> {
        let is_it = |entry: &Entry| matches!(entry, Entry::Delta { index, .. } if *index == delta);
        self.entries.iter().position(is_it)
    }

    /// The answer as it is shown now.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The revision of the text, and the part of it after byte `offset` of `revision`.
    pub fn text_behind(&self, revision: u32, offset: usize) -> (u32, &str) {
        let offset = if self.revision == revision { offset } else { 0 };
        (self.revision, self.text.get(offset..).unwrap_or_default())
    }

    pub fn citations(&self) -> &[Citation] {
        &self.citations
    }
}

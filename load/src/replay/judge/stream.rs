//! A reader's streams against the list: one after the other, each going on where the reader stood.

use super::{Contradiction, List};
use crate::replay::{
    event::Ended,
    reading::{Read, Stream, Told},
};

/// Where a reader stands, and what was found on the way.
pub struct Place<'a> {
    list: &'a List,
    pub found: Vec<(Contradiction, String)>,
    /// Of the last durable event. `None`: the response to a message before its first event.
    seq: Option<u64>,
    furthest: u64,
    /// Whether only one turn is read: between its beginning and its end the stream has no asides of before.
    is_one_turn: bool,
    answer: Answer,
}

/// What a reader shows of the answer under way.
#[derive(Default)]
struct Answer {
    text: String,
    next_piece: u64,
    has_text: bool,
    /// A piece before the first one that was read is unknown.
    has_hole: bool,
    /// Nothing live came since the stream was opened: the turn may have ended meanwhile, and its pieces are not repeated.
    may_have_missed: bool,
}

impl<'a> Place<'a> {
    pub fn new(list: &'a List) -> Self {
        Self {
            list,
            found: Vec::new(),
            seq: None,
            furthest: 0,
            is_one_turn: false,
            answer: Answer::default(),
        }
    }

    /// The last event that was ever read, or passed over by a reset.
    pub fn furthest(&self) -> u64 {
        self.furthest
    }

    fn find(&mut self, what: Contradiction, text: String) {
        self.found.push((what, text));
    }

    pub fn read(&mut self, stream: &Stream) {
        self.open(stream.after.as_deref());
        for read in &stream.reads {
            match read {
                Read::Event(told) => self.event(told),
                Read::Piece { seq, index, turn_id, text } => {
                    self.piece(*seq, *index, turn_id.as_deref(), text);
                }
                Read::Replaced(text) => self.answer.replace(text),
                Read::Live => self.answer.may_have_missed = false,
                Read::Reset { seq } => self.reset(*seq),
                Read::Foreign => self.find(Contradiction::ForeignSession, "a frame".into()),
                Read::Nonsense => self.find(Contradiction::BadFrame, "a frame".into()),
            }
        }
    }

    fn open(&mut self, after: Option<&str>) {
        self.is_one_turn = after.is_none();
        let Some((seq, piece)) = after.map(position) else {
            self.seq = None;
            self.answer = Answer::default();
            return;
        };
        match piece {
            Some(piece) if self.seq == Some(seq) && self.answer.next_piece == piece + 1 => {}
            Some(piece) => {
                let next_piece = piece + 1;
                self.answer = Answer { next_piece, has_hole: true, ..Answer::default() };
            }
            None => self.answer = Answer::default(),
        }
        self.seq = Some(seq);
        self.answer.may_have_missed = true;
    }

    fn event(&mut self, told: &Told) {
        let seq = told.seq;
        if let Some(last) = self.seq {
            if seq <= last {
                return self.find(Contradiction::SeqBack, format!("{seq} after {last}"));
            }
            let may_skip = |seq| self.is_one_turn && self.list.is_aside(seq);
            if !(last + 1..seq).all(may_skip) {
                self.find(Contradiction::SeqGap, format!("{seq} after {last}"));
            }
        }
        self.seq = Some(seq);
        self.furthest = self.furthest.max(seq);
        match self.list.get(seq) {
            Some(event) if event == told => {}
            Some(event) => {
                let text = format!("{} at {seq}, the list has {}", told.kind, event.kind);
                self.find(Contradiction::EventDiffers, text);
            }
            None => self.find(Contradiction::EventGone, format!("{} at {seq}", told.kind)),
        }
        if told.begins_turn() {
            self.answer = Answer::default();
        } else if let Some(ended) = told.ended() {
            let answer = std::mem::take(&mut self.answer);
            if ended == Ended::Completed
                && let Some(what) = answer.compare(told.text.as_deref().unwrap_or_default())
            {
                self.find(what, format!("the answer at {seq}"));
            }
        }
    }

    fn piece(&mut self, seq: u64, index: u64, turn_id: Option<&str>, text: &str) {
        let begin = self.list.get(seq);
        // A later event of the same turn, such as an aside, may stand between the beginning and the piece.
        let is_of_turn = begin.is_some_and(|begin| begin.turn_id.as_deref() == turn_id);
        let has_ended = self.seq.is_none_or(|last| {
            last < seq || (seq + 1..=last).any(|between| !self.list.is_aside(between))
        });
        if has_ended || (begin.is_some() && !is_of_turn) {
            return self.find(Contradiction::PieceOutOfPlace, format!("{seq}.{index}"));
        }
        let next = self.answer.next_piece;
        if index < next {
            return self.find(Contradiction::PieceRepeated, format!("{seq}.{index}"));
        }
        if index > next {
            self.find(Contradiction::PieceLost, format!("{seq}.{index} instead of {seq}.{next}"));
        }
        self.answer.add(index, text);
    }

    fn reset(&mut self, seq: u64) {
        let at = self.seq.unwrap_or(0);
        let piece = self.answer.next_piece.checked_sub(1);
        if self.list.has_position(at, piece) {
            let piece = piece.map_or(String::new(), |piece| format!(".{piece}"));
            self.find(Contradiction::ValidPositionReset, format!("at {at}{piece}"));
        }
        if seq > self.list.last_seq() {
            self.find(Contradiction::EventGone, format!("a reset to {seq}"));
        }
        self.seq = Some(seq);
        // What lies between is in the history, which the client reads then.
        self.furthest = self.furthest.max(seq);
        self.answer = Answer { may_have_missed: true, ..Answer::default() };
    }
}

impl Answer {
    fn add(&mut self, index: u64, text: &str) {
        self.text.push_str(text);
        self.next_piece = index.saturating_add(1);
        self.has_text = true;
        self.may_have_missed = false;
    }

    fn replace(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.has_text = true;
        self.has_hole = false;
        self.may_have_missed = false;
    }

    /// What is wrong with the shown text, now that the completed one is known. An answer may come without any piece.
    fn compare(&self, completed: &str) -> Option<Contradiction> {
        if !self.has_text || self.has_hole || self.may_have_missed || self.text == completed {
            None
        } else if completed.starts_with(&self.text) {
            Some(Contradiction::TextCutShort)
        } else {
            Some(Contradiction::TextDiffers)
        }
    }
}

/// Reads `seq` or `seq.piece`. Only positions that the server gave are ever asked for.
fn position(text: &str) -> (u64, Option<u64>) {
    let (seq, piece) = match text.split_once('.') {
        Some((seq, piece)) => (seq, piece.parse().ok()),
        None => (text, None),
    };
    (seq.parse().unwrap_or(0), piece)
}

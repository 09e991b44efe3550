//! What readers were shown: every stream, page and snapshot, kept until the final list of the session is known.
//!
//! Nothing is judged here. [`super::judge`] holds the readings against the list.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use serde::{Deserialize, Serialize};

use super::{
    event::{Ended, Event, Frame},
    message::Message,
};

/// A durable event, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub seq: u64,
    pub kind: String,
    pub turn_id: Option<String>,
    pub message_id: Option<String>,
    pub text: Option<String>,
}

/// One frame of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    Event(Told),
    /// A piece of an answer. `seq` is that of the message which it answers.
    Piece {
        seq: u64,
        index: u64,
        turn_id: Option<String>,
        text: String,
    },
    /// The text so far was replaced by this one.
    Replaced(String),
    /// Another sign of life of a running turn.
    Live,
    /// The position was refused; the stream goes on after `seq`.
    Reset {
        seq: u64,
    },
    /// An event of another session.
    Foreign,
    /// No JSON, or no event.
    Nonsense,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The position that was asked for. `None`: the response to a message, which begins with that message.
    pub after: Option<String>,
    pub reads: Vec<Read>,
}

/// One page of the history.
#[derive(Clone, Debug)]
pub struct Page {
    pub after_seq: u64,
    pub last_seq: u64,
    pub items: Vec<Message>,
}

#[derive(Clone, Debug)]
pub enum Reading {
    Stream(Rc<RefCell<Stream>>),
    Page(Page),
    /// `last_seq` of the session's snapshot.
    Snapshot(u64),
    /// A refusal that is no matter of capacity.
    Refused(u16),
}

/// Everything that one reader of one session read, in its order.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    pub name: String,
    /// Follows the session from its first event, and is given the time to read the last one.
    pub follows_to_the_end: bool,
    pub readings: Vec<Reading>,
    pub is_kept: bool,
}

pub type SharedReader = Rc<RefCell<Reader>>;

/// Readings by session. Off unless asked for: an ordinary replay may be longer than the memory.
#[derive(Default)]
pub struct Readings {
    is_on: bool,
    of: RefCell<BTreeMap<String, Vec<SharedReader>>>,
}

/// Where a line notes its frames.
#[derive(Clone)]
pub struct Recorder {
    session_id: String,
    stream: Option<Rc<RefCell<Stream>>>,
}

impl Readings {
    pub fn new(is_on: bool) -> Self {
        Self { is_on, of: RefCell::default() }
    }

    pub fn reader(&self, session_id: &str, name: &str) -> SharedReader {
        let reader = Reader { name: name.to_owned(), is_kept: self.is_on, ..Reader::default() };
        let reader = Rc::new(RefCell::new(reader));
        if self.is_on {
            let mut of = self.of.borrow_mut();
            of.entry(session_id.to_owned()).or_default().push(reader.clone());
        }
        reader
    }

    /// All readers of a session; their readings leave the memory with them.
    pub fn take(&self, session_id: &str) -> Vec<Reader> {
        let readers = self.of.borrow_mut().remove(session_id).unwrap_or_default();
        readers.into_iter().map(|reader| reader.take()).collect()
    }
}

impl Reader {
    pub fn note(&mut self, reading: Reading) {
        if self.is_kept {
            self.readings.push(reading);
        }
    }

    /// A new connection of this reader, which asks for what comes after `after`.
    pub fn open(&mut self, session_id: &str, after: Option<&str>) -> Recorder {
        let stream = self.is_kept.then(|| {
            let stream = Stream { after: after.map(str::to_owned), reads: Vec::new() };
            let stream = Rc::new(RefCell::new(stream));
            self.readings.push(Reading::Stream(stream.clone()));
            stream
        });
        Recorder { session_id: session_id.to_owned(), stream }
    }
}

impl Recorder {
    pub fn frame(&self, frame: &Frame) {
        let Some(stream) = &self.stream else { return };
        if let Some(read) = Read::of_frame(&self.session_id, frame) {
            stream.borrow_mut().reads.push(read);
        }
    }

    pub fn nonsense(&self) {
        if let Some(stream) = &self.stream {
            stream.borrow_mut().reads.push(Read::Nonsense);
        }
    }
}

impl Told {
    pub fn ended(&self) -> Option<Ended> {
        Ended::of_kind(&self.kind)
    }

    pub fn begins_turn(&self) -> bool {
        self.kind == "message.created"
    }

    /// The durable event in a frame, if it is one.
    pub fn of_frame(frame: &Frame) -> Option<Self> {
        let Event { kind, seq, turn_id, message_id, text, .. } = &frame.event;
        let is_known = kind == "message.created" || Ended::of_kind(kind).is_some();
        let has_whole_id = frame.id.as_ref().is_some_and(|id| !id.contains('.'));
        if kind == "stream.reset" || !(is_known || has_whole_id) {
            return None;
        }
        Some(Self {
            seq: (*seq)?,
            kind: kind.clone(),
            turn_id: turn_id.clone(),
            message_id: message_id.clone(),
            text: text.clone(),
        })
    }
}

impl Read {
    /// `None` for what is no event of the session, such as a refusal on a socket.
    fn of_frame(session_id: &str, frame: &Frame) -> Option<Self> {
        let event = &frame.event;
        if event.session_id.as_ref().is_some_and(|id| id != session_id) {
            return Some(Self::Foreign);
        }
        if event.kind.is_empty() {
            return Some(Self::Nonsense);
        }
        if event.kind == "stream.reset" {
            return Some(event.seq.map_or(Self::Nonsense, |seq| Self::Reset { seq }));
        }
        if let Some(told) = Told::of_frame(frame) {
            return Some(Self::Event(told));
        }
        let text = || event.text.clone().unwrap_or_default();
        match (event.kind.as_str(), event.seq) {
            ("server.draining" | "error", _) | (_, None) => None,
            ("answer.delta", Some(seq)) => Some(Self::Piece {
                seq,
                index: event.index.unwrap_or(u64::MAX),
                turn_id: event.turn_id.clone(),
                text: text(),
            }),
            ("answer.replaced", _) => Some(Self::Replaced(text())),
            _ => Some(Self::Live),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Read> {
        Read::of_frame("s", &Frame::of_socket(json).unwrap())
    }

    #[test]
    fn frames_are_told_apart() {
        let created = r#"{"type":"message.created","seq":1,"session_id":"s","turn_id":"t","message_id":"m","text":"q","event_id":"1"}"#;
        assert!(matches!(read(created), Some(Read::Event(told)) if told.begins_turn()));
        let newer = r#"{"type":"action.proposed","seq":2,"session_id":"s","event_id":"2"}"#;
        assert!(matches!(read(newer), Some(Read::Event(_))));
        let piece = r#"{"type":"answer.delta","seq":1,"index":0,"session_id":"s","text":"a","event_id":"1.0"}"#;
        assert!(matches!(read(piece), Some(Read::Piece { seq: 1, index: 0, .. })));
        let status = r#"{"type":"turn.status","seq":1,"session_id":"s"}"#;
        assert_eq!(read(status), Some(Read::Live));
        let reset = r#"{"type":"stream.reset","seq":4,"session_id":"s","event_id":"4"}"#;
        assert_eq!(read(reset), Some(Read::Reset { seq: 4 }));
        let foreign = r#"{"type":"answer.delta","seq":1,"index":0,"session_id":"x"}"#;
        assert_eq!(read(foreign), Some(Read::Foreign));
        assert_eq!(read(r#"{"type":"error","code":"overloaded"}"#), None);
    }

    #[test]
    fn nothing_is_kept_unless_asked_for() {
        for is_on in [false, true] {
            let readings = Readings::new(is_on);
            let reader = readings.reader("s", "shopper");
            let recorder = reader.borrow_mut().open("s", None);
            recorder.nonsense();
            let count =
                readings.take("s").iter().map(|reader| reader.readings.len()).sum::<usize>();
            assert_eq!(count, usize::from(is_on));
        }
    }
}

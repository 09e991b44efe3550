//! The output for readers of a session: rendered events and pieces, each with its position.

use std::fmt;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    clock,
    domain::{Event, Live, Name, Part, SessionId, Timestamp, TurnId},
};

/// The name of [`Live::AnswerDelta`].
const DELTA: &str = "answer.delta";
/// The size of a one-token delta as JSON, with some room.
const DELTA_BYTES: usize = 288;

/// Position of a frame in its session, sent as the SSE `id:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// `seq` of the last durable event.
    pub seq: u64,
    /// Index of the delta inside its turn; `None` right after the durable event.
    pub delta: Option<u32>,
}

impl Position {
    pub const fn after(seq: u64) -> Self {
        Self { seq, delta: None }
    }

    /// Reads `seq` or `seq.index`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            (!part.is_empty() && part.len() <= 19 && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<u64>().ok())
                .flatten()
        };
        match text.split_once('.') {
            None => number(text).map(Self::after),
            Some((seq, delta)) => {
                Some(Self { seq: number(seq)?, delta: Some(u32::try_from(number(delta)?).ok()?) })
            }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delta {
            None => write!(f, "{}", self.seq),
            Some(delta) => write!(f, "{}.{delta}", self.seq),
        }
    }
}

/// One event in the form that readers receive.
#[derive(Clone, Debug)]
pub struct Frame {
    pub name: Name,
    /// Absent for events that a resume can skip (`turn.queued`, `turn.status`, ...).
    pub id: Option<Position>,
    /// The event as a JSON object.
    pub json: Bytes,
    /// The role of the event in its turn; a live event is an aside.
    pub part: Part,
}

/// The position of a turn in its session.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub session_id: SessionId,
    pub turn_id: TurnId,
    pub epoch: u32,
    /// `seq` of the `message.created` that began the turn.
    pub base_seq: u64,
}

/// The fields that every event of a running turn has, around its own content.
#[derive(Serialize)]
struct Placed<T: Serialize> {
    #[serde(flatten)]
    what: T,
    v: u8,
    seq: u64,
    session_id: SessionId,
    turn_id: TurnId,
    epoch: u32,
    at: Timestamp,
}

/// The same as [`Placed`] with a [`Live::AnswerDelta`]. Most rendered events are deltas, and this
/// type avoids an intermediate map of fields.
#[derive(Serialize)]
struct Delta<'a> {
    #[serde(rename = "type")]
    name: &'static str,
    index: u32,
    text: &'a str,
    v: u8,
    seq: u64,
    session_id: SessionId,
    turn_id: TurnId,
    epoch: u32,
    at: Timestamp,
}

impl Place {
    /// A live event as JSON, with the current time.
    pub fn render(&self, live: &Live) -> Bytes {
        let Self { session_id, turn_id, epoch, base_seq: seq } = *self;
        to_json(&Placed { what: live, v: 1, seq, session_id, turn_id, epoch, at: clock::now() })
    }

    /// A piece of the answer that arrived `at`.
    pub fn delta(&self, index: u32, text: &str, at: Timestamp) -> Frame {
        let Self { session_id, turn_id, epoch, base_seq: seq } = *self;
        let (name, v) = (DELTA, 1);
        let json = to_json(&Delta { name, index, text, v, seq, session_id, turn_id, epoch, at });
        let id = Some(Position { seq, delta: Some(index) });
        Frame { name: Name::Borrowed(name), id, json, part: Part::Aside }
    }
}

impl Frame {
    /// A live event, rendered as `json`.
    pub fn of_live(live: &Live, json: Bytes) -> Self {
        Self { name: live.name(), id: None, json, part: Part::Aside }
    }

    /// Whether the event ends its turn.
    pub fn is_terminal(&self) -> bool {
        self.part == Part::Ends
    }

    /// # Panics
    /// Never: an event has only string keys and finite numbers.
    pub fn of_event(event: &Event) -> Self {
        Self {
            name: event.fact.name(),
            id: Some(Position::after(event.seq)),
            json: to_json(event),
            part: event.fact.part(),
        }
    }
}

fn to_json(value: &impl Serialize) -> Bytes {
    // Most events are deltas, and those fit.
    let mut json = Vec::with_capacity(DELTA_BYTES);
    // Serialising these types cannot fail: string keys, no maps, no custom errors.
    match serde_json::to_writer(&mut json, value) {
        Ok(()) => json.into(),
        Err(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_piece_reads_as_the_event_that_the_contract_shows() {
        let (session_id, turn_id) = (SessionId::new(), TurnId::new());
        let place = Place { session_id, turn_id, epoch: 2, base_seq: 4 };
        let live = Live::AnswerDelta { index: 3, text: "Hä\"\n".into() };
        let frame = place.delta(3, "Hä\"\n", clock::now());
        let of = |json: &Bytes| {
            let mut event: Value = serde_json::from_slice(json).unwrap();
            assert!(event["at"].is_string());
            event["at"] = json!(0);
            event
        };
        assert_eq!(frame.name, live.name());
        assert_eq!(frame.id.unwrap().to_string(), "4.3");
        assert_eq!(of(&frame.json), of(&place.render(&live)));
    }

    proptest! {
        #[test]
        fn a_position_survives_its_text(seq in 0..u64::MAX / 100, delta in proptest::option::of(0u32..)) {
            let position = Position { seq, delta };
            prop_assert_eq!(Position::parse(&position.to_string()), Some(position));
        }

        #[test]
        fn a_hostile_position_is_refused_without_panic(text in "\\PC{0,40}") {
            if let Some(position) = Position::parse(&text) {
                prop_assert!(position.to_string().len() <= text.len());
            }
        }
    }
}

//! The row in SQL and the one statement that changes it.

use std::fmt;

use super::Rule;
use crate::{
    faults::Name,
    list::{Event, List},
};

/// Number of a turn; 0 is none.
pub type Turn = u8;

/// An event of a turn. The last bit tells two texts of one request apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    pub turn: Turn,
    pub kind: Kind,
    pub text: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Begin,
    End,
    /// The end of a dead owner's turn.
    EndByOther,
}

impl Part {
    pub fn event(self) -> Event {
        self.turn << 3 | (self.kind as u8) << 1 | u8::from(self.text)
    }

    pub fn of(event: Event) -> Self {
        let kind = match event >> 1 & 3 {
            0 => Kind::Begin,
            1 => Kind::End,
            _ => Kind::EndByOther,
        };
        Self { turn: event >> 3, kind, text: event & 1 == 1 }
    }

    pub fn is_same_request(one: Event, other: Event) -> bool {
        one >> 1 == other >> 1
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of turn {}", self.kind, self.turn)?;
        if self.text { f.write_str(" in other words") } else { Ok(()) }
    }
}

/// The epoch that an erasure leaves: no statement expects it.
pub const ERASED: u8 = u8::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub owner: Name,
    pub epoch: u8,
    pub list: List,
    pub open: Turn,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statement {
    pub sender: Name,
    /// What the sender takes the row for.
    pub expected: Row,
    pub epoch: u8,
    pub event: Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Refused,
}

impl Statement {
    /// The row after this statement.
    pub fn outcome(&self, row: &Row) -> Row {
        let part = Part::of(self.event);
        Row {
            owner: self.sender,
            epoch: self.epoch,
            list: row.list.with(self.event),
            open: if part.kind == Kind::Begin { part.turn } else { 0 },
        }
    }

    /// Executes the statement, unless the row is another one than its sender takes it for.
    pub fn execute(&self, row: &mut Row, off: &[Rule]) -> Answer {
        let compares = |rule: Rule| !off.contains(&rule);
        let expected = &self.expected;
        if (!compares(Rule::Epoch) || expected.epoch == row.epoch)
            && (!compares(Rule::Seq) || expected.list.seq() == row.list.seq())
            && (!compares(Rule::Head) || expected.list == row.list)
            && (!compares(Rule::OpenTurn) || expected.open == row.open)
        {
            *row = self.outcome(row);
            return Answer::Done;
        }
        if self.is_done(row) { Answer::Done } else { Answer::Refused }
    }

    /// The row stands where an earlier execution of this statement left it. That its bytes are
    /// there follows only because they were the same each time.
    fn is_done(&self, row: &Row) -> bool {
        let seq = self.expected.list.seq() + 1;
        (row.owner, row.epoch, row.list.seq()) == (self.sender, self.epoch, seq)
    }
}

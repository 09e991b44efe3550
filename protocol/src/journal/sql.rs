//! SQL: durable, and one. It may be away, and answers may be lost.

use crate::{faults::Name, list::List};

/// Number of a run of Redis; runs count from 1.
pub type Run = u8;
/// The row's `run` while the epoch is cold.
pub const COLD: Run = 0;
/// The epoch that an erasure leaves.
pub const ERASED: u8 = u8::MAX;

/// A replica and the number of its attempt. No two attempts are alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    pub name: Name,
    pub attempt: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub owner: Owner,
    pub epoch: u8,
    pub run: Run,
    pub list: List,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sql {
    pub is_up: bool,
    pub row: Option<Row>,
}

pub struct Refused;

/// How a rule makes the compare-and-set weaker.
#[derive(Clone, Copy)]
pub struct CasChecks {
    /// The row's run is not later than the caller's.
    pub runs: bool,
    /// A repeated call is known by its epoch too.
    pub epoch: bool,
}

impl Sql {
    /// Makes this attempt the owner. Gives the events that SQL has at that moment.
    pub fn cas(
        &mut self,
        seen: u8,
        owner: Owner,
        run: Run,
        checks: CasChecks,
    ) -> Result<List, Refused> {
        let Some(row) = &mut self.row else {
            self.row = Some(Row { owner, epoch: seen + 1, run, list: List::EMPTY });
            return Ok(List::EMPTY);
        };
        if row.owner == owner && (row.epoch == seen + 1 || !checks.epoch) {
            return Ok(row.list);
        }
        let in_order = row.run == COLD || row.run <= run || !checks.runs;
        if row.epoch == ERASED || row.epoch != seen || !in_order {
            return Err(Refused);
        }
        *row = Row { owner, epoch: seen + 1, run, list: row.list };
        Ok(row.list)
    }

    /// Flush, or a cold write if `run` is [`COLD`]. The row must be the beginning of `list`, or
    /// longer and equal.
    pub fn write(
        &mut self,
        owner: Owner,
        epoch: u8,
        run: Run,
        list: List,
        compares_epochs: bool,
    ) -> Result<(), Refused> {
        let Some(row) = &mut self.row else {
            self.row = Some(Row { owner, epoch, run, list });
            return Ok(());
        };
        let is_mine = row.epoch == epoch || (!compares_epochs && row.epoch != ERASED);
        if !is_mine || !list.agrees_with(row.list) {
            return Err(Refused);
        }
        if list.starts_with(row.list) {
            row.list = list;
        }
        if run == COLD {
            row.run = COLD;
        }
        Ok(())
    }

    /// Sets a cold epoch to hot again, which the protocol forbids.
    pub fn heat(&mut self, epoch: u8, run: Run) -> Result<(), Refused> {
        match &mut self.row {
            Some(row) if row.epoch == epoch => {
                row.run = run;
                Ok(())
            }
            _ => Err(Refused),
        }
    }

    pub fn erase(&mut self, eraser: Owner) {
        let owner = self.row.map_or(eraser, |row| row.owner);
        self.row = Some(Row { owner, epoch: ERASED, run: COLD, list: List::EMPTY });
    }

    pub fn is_erased(&self) -> bool {
        self.row.is_some_and(|row| row.epoch == ERASED)
    }
}

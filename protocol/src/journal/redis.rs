//! A server of Redis: its run, the copy of the session, and the scripts.

use super::sql::Run;
use crate::list::{Event, List};

/// What stands at the session's key. Epoch 0 is nothing at all, run 0 is a stub.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Copy {
    pub run: Run,
    pub epoch: u8,
    pub list: List,
    /// `seq` of the last event that is in SQL, or that its owner calls acknowledged.
    pub shown: u8,
    pub is_tombstone: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Server {
    pub run: Run,
    pub copy: Copy,
    /// The copy before the last write, which a rollback brings back.
    before: Copy,
    last_write: Write,
    /// A replica of Redis has the last write.
    is_replicated: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
enum Write {
    /// Nothing that a rollback could take.
    #[default]
    None,
    Append,
    Other,
}

pub enum Refused {
    /// A higher epoch is there, or a tombstone.
    Fenced,
    /// The road to Redis has ended for this epoch.
    Lost,
}

/// How a rule makes the scripts weaker.
#[derive(Clone, Copy)]
pub struct Checks {
    pub true_run: bool,
    pub copy_in_its_run: bool,
    pub put_lengthens: bool,
    pub stub: bool,
    pub read_acknowledged: bool,
}

impl Server {
    pub fn new(run: Run, copy: Copy) -> Self {
        Self { run, copy, before: copy, last_write: Write::None, is_replicated: true }
    }

    fn write(&mut self, copy: Copy, kind: Write) {
        if self.copy != copy {
            let (run, before) = (self.run, self.copy);
            *self = Self { run, copy, before, last_write: kind, is_replicated: false };
        }
    }

    fn refuses(&self, epoch: u8) -> Result<(), Refused> {
        let is_fenced = self.copy.is_tombstone || self.copy.epoch > epoch;
        if is_fenced { Err(Refused::Fenced) } else { Ok(()) }
    }

    fn is_run(&self, run: Run, checks: Checks) -> bool {
        self.run == run || !checks.true_run
    }

    pub fn append(
        &mut self,
        (run, epoch): (Run, u8),
        base: List,
        event: Event,
        checks: Checks,
    ) -> Result<(), Refused> {
        self.refuses(epoch)?;
        let list = base.with(event);
        let is_mine = (self.copy.run, self.copy.epoch) == (run, epoch);
        if !self.is_run(run, checks) || !is_mine {
            return Err(Refused::Lost);
        }
        if self.copy.list == base {
            let shown = base.seq() as u8;
            self.write(Copy { list, shown, ..self.copy }, Write::Append);
        }
        if self.copy.list == list { Ok(()) } else { Err(Refused::Lost) }
    }

    /// `WAIT 1` was answered: a replica has all that was written so far.
    pub fn replicated(&mut self) {
        self.is_replicated = true;
    }

    /// Gives what stood there.
    pub fn fence(&mut self, run: Run, epoch: u8, checks: Checks) -> Result<List, Refused> {
        self.refuses(epoch)?;
        if !self.is_run(run, checks) || self.copy.epoch == epoch {
            return Err(Refused::Lost);
        }
        if checks.stub || self.copy.epoch != 0 {
            self.write(Copy { epoch, ..self.copy }, Write::Other);
        }
        Ok(self.copy.list)
    }

    pub fn put(
        &mut self,
        (run, epoch): (Run, u8),
        list: List,
        shown: u8,
        checks: Checks,
    ) -> Result<(), Refused> {
        self.refuses(epoch)?;
        if !self.is_run(run, checks) {
            return Err(Refused::Lost);
        }
        let copy = &self.copy;
        if (copy.run, copy.epoch) == (run, epoch) && checks.put_lengthens {
            if !list.agrees_with(copy.list) {
                return Err(Refused::Lost);
            }
            if copy.list.starts_with(list) {
                return Ok(());
            }
        }
        self.write(Copy { run, epoch, list, shown, is_tombstone: false }, Write::Other);
        Ok(())
    }

    pub fn read(&self, checks: Checks) -> Option<List> {
        let counts = self.copy.run == self.run || !checks.copy_in_its_run;
        let is_there = self.copy.run != 0 && !self.copy.is_tombstone && counts;
        let Copy { list, shown, .. } = self.copy;
        let list = if checks.read_acknowledged { list.first(shown.into()) } else { list };
        is_there.then_some(list)
    }

    pub fn erase(&mut self) {
        self.write(Copy { is_tombstone: true, ..Copy::default() }, Write::Other);
    }

    /// The copy without the last write.
    pub fn rolled_back(&self) -> Option<Copy> {
        (self.last_write != Write::None).then_some(self.before)
    }

    pub fn last_write_is_append(&self) -> bool {
        self.last_write == Write::Append
    }

    /// The copy without the last write, if a replica may lack it.
    pub fn behind(&self) -> Option<Copy> {
        self.rolled_back().filter(|_| !self.is_replicated)
    }
}

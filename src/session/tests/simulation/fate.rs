//! What happens by chance: what clients want, and what goes wrong with processes.

use std::{rc::Rc, sync::Arc, time::Duration};

use super::world::World;
use crate::archive::steps::at_once;

/// A process that has been silent for so long is dead for the others. By the archive's clock.
const SILENCE: Duration = Duration::from_secs(3_600);
const A_WHILE: Duration = Duration::from_secs(1);

impl World<'_> {
    pub(super) fn happen(&mut self) {
        match self.chance.below(100) {
            0..50 if self.go_on() => {}
            50..72 if self.decide_call() => {}
            72..76 if self.take_late_call() => {}
            76..80 => self.pass_time(),
            80..83 => self.disturb(),
            83 => self.crash(),
            84 => self.passivate(),
            _ => self.submit(),
        }
    }

    pub(super) fn submit_creation(&mut self) {
        let replica = self.any();
        let process = Rc::clone(&self.replicas[replica].process);
        let meta = self.meta.clone();
        self.work(replica, process.create(meta));
    }

    /// Somebody wants something of a replica.
    fn submit(&mut self) {
        let replica = self.any();
        let process = Rc::clone(&self.replicas[replica].process);
        let number = process.number;
        match self.chance.below(40) {
            0..22 if !process.is_busy() => {
                let key = format!("k{}", self.chance.below(5));
                let is_cached = self.chance.one_in(4);
                self.note(|| format!("{}: {key} comes", number));
                self.begin(replica, process.start_turn(key, is_cached));
            }
            22..26 if !process.is_busy() => {
                let key = format!("t{}", self.chance.below(2));
                self.note(|| format!("{}: {key} comes", number));
                self.begin(replica, process.deliver(key));
            }
            26..32 if !process.is_busy() => {
                self.note(|| format!("{}: looks", number));
                self.begin(replica, process.look_at_it());
            }
            32..35 => self.work(replica, process.read()),
            35..37 => self.work(replica, process.sweep()),
            37 => self.work(replica, process.beat()),
            38 if !self.ledger.borrow().created => self.submit_creation(),
            39 if !process.is_busy() && self.chance.one_in(3) => {
                self.note(|| format!("{}: erases", number));
                let meta = self.meta.clone();
                self.begin(replica, process.erase(meta));
            }
            _ => {}
        }
    }

    /// What was refused is tried again after a while.
    pub(super) fn pass_time(&self) {
        self.runtime.block_on(tokio::time::sleep(A_WHILE));
    }

    /// A process is paused, is taken for dead, or has run for so long that it may take others for
    /// dead.
    fn disturb(&mut self) {
        let at = self.any();
        let process = Rc::clone(&self.replicas[at].process);
        let what = self.chance.below(4);
        if what > 0 {
            self.note(|| format!("{}: seems dead", process.number));
            self.silence(&process.name);
        }
        if what == 1 {
            let pause = 5 + self.chance.below(30);
            self.note(|| format!("{}: is paused", process.number));
            self.replicas[at].asleep_until = self.now + pause;
        }
        for replica in &self.replicas {
            if what == 0 || replica.process.number != process.number {
                replica.process.grow_old();
            }
        }
    }

    pub(super) fn silence(&self, name: &Arc<str>) {
        self.ledger.borrow_mut().doubtful.insert(name.to_string());
        at_once(self.archive.silence(name, SILENCE));
    }

    /// All that a process had in memory is gone; another one takes its place.
    fn crash(&mut self) {
        let at = self.any();
        let new = self.boot();
        let old = std::mem::replace(&mut self.replicas[at], new);
        self.note(|| format!("{}: crashes", old.process.number));
        let mut ledger = self.ledger.borrow_mut();
        ledger.counts.crashes += 1;
        ledger.doubtful.insert(old.process.name.to_string());
        drop(ledger);
        self.jobs.retain(|job| job.process != old.process.number);
        old.process.crash();
        if self.chance.one_in(2) {
            self.silence(&old.process.name);
        } else {
            self.dead.push(Arc::clone(&old.process.name));
        }
    }

    fn passivate(&mut self) {
        let replica = self.any();
        self.replicas[replica].process.passivate();
    }
}

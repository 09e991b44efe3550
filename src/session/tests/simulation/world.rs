//! Some replicas and one archive. Whoever goes on next, and how, is decided by the seed.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use tokio::{runtime::Runtime, sync::mpsc};

use super::{
    chance::Chance,
    job::Job,
    ledger::{Counts, Ledger},
    process::Process,
    wire::{Answer, Call},
};
use crate::{
    archive::{
        Archive, Step, Waiting,
        steps::{self, at_once},
    },
    clock,
    domain::SessionMeta,
    journal::tests::meta,
};

pub struct World<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) archive: &'a Archive,
    pub(super) chance: Chance,
    pub(super) meta: SessionMeta,
    pub(super) ledger: Rc<RefCell<Ledger>>,
    pub(super) replicas: Vec<Replica>,
    pub(super) jobs: Vec<Job>,
    pub(super) calls: Vec<Call>,
    pub(super) answers: Vec<Answer>,
    /// Processes that crashed and are not silent yet.
    pub(super) dead: Vec<Arc<str>>,
    boots: usize,
    pub(super) now: usize,
    /// Nothing fails any more.
    pub(super) is_healthy: bool,
}

/// The process of a replica.
pub struct Replica {
    pub process: Rc<Process>,
    /// It does nothing before this.
    pub asleep_until: usize,
    queue: mpsc::Receiver<Waiting>,
}

impl<'a> World<'a> {
    pub fn new(seed: u64, runtime: &'a Runtime, archive: &'a Archive, with_diary: bool) -> Self {
        let mut world = Self {
            runtime,
            archive,
            chance: Chance::new(seed),
            meta: meta(),
            ledger: Rc::default(),
            replicas: Vec::new(),
            jobs: Vec::new(),
            calls: Vec::new(),
            answers: Vec::new(),
            dead: Vec::new(),
            boots: 0,
            now: 0,
            is_healthy: false,
        };
        world.ledger.borrow_mut().diary = with_diary.then(Vec::new);
        if seed.is_multiple_of(16) {
            // The processes of the seeds before.
            at_once(archive.forget_silent(Duration::ZERO)).unwrap();
        }
        for _ in 0..2 + world.chance.below(2) {
            let replica = world.boot();
            world.replicas.push(replica);
        }
        world
    }

    pub(super) fn boot(&mut self) -> Replica {
        self.boots += 1;
        let number = self.boots;
        let (process, queue) = Process::start(number, self.meta.id, self.archive, &self.ledger);
        at_once(self.archive.beat(&process.name, 1, clock::now())).unwrap();
        if self.chance.one_in(2) {
            process.grow_old();
        }
        Replica { process, asleep_until: 0, queue }
    }

    /// Lets the seed happen, then lets everything come to rest and looks at what is there.
    pub fn run(&mut self) {
        if self.chance.one_in(8) {
            self.submit_creation();
        } else {
            at_once(self.archive.advance([Step::creation(&self.meta)].into())).unwrap();
            self.ledger.borrow_mut().created = true;
        }
        for now in 0..40 + self.chance.below(50) {
            self.now = now;
            self.happen();
        }
        self.heal();
        self.check();
    }

    pub fn counts(&self) -> Counts {
        self.ledger.borrow().counts
    }

    pub fn diary(&self) -> Vec<String> {
        self.ledger.borrow().diary.clone().unwrap_or_default()
    }

    pub(super) fn note(&self, what: impl FnOnce() -> String) {
        self.ledger.borrow_mut().note(what);
    }

    pub(super) fn any(&mut self) -> usize {
        self.chance.below(self.replicas.len())
    }

    pub(super) fn work(&mut self, replica: usize, work: impl Future<Output = ()> + 'static) {
        let number = self.replicas[replica].process.number;
        self.jobs.push(Job::new(number, work));
    }

    /// A message for the actor, which hears nothing else until it is done.
    pub(super) fn begin(&mut self, replica: usize, work: impl Future<Output = ()> + 'static) {
        let busy = self.replicas[replica].process.take();
        self.work(replica, async move {
            let _busy = busy;
            work.await;
        });
    }

    /// One job goes on until it waits. Whether there was one.
    pub(super) fn go_on(&mut self) -> bool {
        let awake: Vec<usize> = self
            .replicas
            .iter()
            .filter(|r| r.asleep_until <= self.now)
            .map(|r| r.process.number)
            .collect();
        let can_go_on = |job: &Job| job.is_ready() && awake.contains(&job.process);
        let ready: Vec<usize> =
            (0..self.jobs.len()).filter(|at| can_go_on(&self.jobs[*at])).collect();
        let Some(at) = self.chance.pick(&ready) else { return false };
        let mut job = self.jobs.swap_remove(at);
        let number = job.process;
        let replica =
            self.replicas.iter().position(|replica| replica.process.number == number).unwrap();
        let process = Rc::clone(&self.replicas[replica].process);
        // What it asks of the archive now may fail.
        let fails = !self.is_healthy && self.chance.one_in(15);
        steps::fail(fails);
        let is_done = job.go_on();
        steps::fail(false);
        process.check();
        for work in process.spawned() {
            let pause = self.chance.below(8);
            self.work(replica, async move {
                for _ in 0..pause {
                    steps::pause().await;
                }
                work.await;
            });
        }
        while let Ok(Waiting { step, done }) = self.replicas[replica].queue.try_recv() {
            self.calls.push(Call { process: number, step, done: Some(done) });
        }
        if !is_done {
            self.jobs.push(job);
        }
        true
    }
}

//! The way of steps to the archive and of their answers back.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::world::World;
use crate::archive::{Advanced, ArchiveError, Step, steps::at_once};

/// As many events as two steps add.
const NEWEST: u32 = 4;

/// A step on its way to the archive.
pub struct Call {
    pub process: usize,
    pub step: Step,
    /// None if it was given up: it may be taken all the same.
    pub done: Option<oneshot::Sender<Result<Advanced, ArchiveError>>>,
}

impl Call {
    fn is_awaited(&self) -> bool {
        self.done.as_ref().is_some_and(|done| !done.is_closed())
    }
}

/// The answer to a step on its way to a process.
pub struct Answer {
    done: oneshot::Sender<Result<Advanced, ArchiveError>>,
    outcome: Advanced,
}

impl Answer {
    fn arrive(self) {
        // Nobody waits for it if the process has crashed.
        let _ = self.done.send(Ok(self.outcome));
    }
}

impl World<'_> {
    /// One step reaches the archive, or does not, and its answer reaches the replica, or does not.
    pub(super) fn decide_call(&mut self) -> bool {
        let awaited: Vec<usize> =
            (0..self.calls.len()).filter(|at| self.calls[*at].is_awaited()).collect();
        if awaited.is_empty() || self.chance.one_in(3) {
            return self.deliver_answer();
        }
        let Some(at) = self.chance.pick(&awaited) else { return false };
        let fate = if self.is_healthy { 0 } else { self.chance.below(20) };
        let number = self.calls[at].process;
        match fate {
            // Slow.
            9..12 => self.take(vec![at], true),
            // Lost on its way there.
            12 | 13 => {
                self.note(|| format!("{number}: a step is lost"));
                drop(self.calls.swap_remove(at));
            }
            // Lost on its way back.
            14 | 15 => {
                self.note(|| format!("{number}: an answer is lost"));
                self.calls[at].done = None;
                self.take(vec![at], false);
            }
            // Late.
            16 | 17 => {
                self.note(|| format!("{number}: a step is late"));
                self.calls[at].done = None;
            }
            // In one transaction with another one.
            18 | 19 if self.calls.len() > 1 => {
                let other = (at + 1 + self.chance.below(self.calls.len() - 1)) % self.calls.len();
                self.take(vec![at, other], false);
            }
            _ => self.take(vec![at], false),
        }
        true
    }

    fn deliver_answer(&mut self) -> bool {
        let all: Vec<usize> = (0..self.answers.len()).collect();
        let Some(at) = self.chance.pick(&all) else { return false };
        self.answers.swap_remove(at).arrive();
        true
    }

    /// A step that nobody waits for any more reaches the archive.
    pub(super) fn take_late_call(&mut self) -> bool {
        let late: Vec<usize> =
            (0..self.calls.len()).filter(|at| !self.calls[*at].is_awaited()).collect();
        let Some(at) = self.chance.pick(&late) else { return false };
        self.ledger.borrow_mut().counts.late += 1;
        self.take(vec![at], false);
        true
    }

    fn take(&mut self, mut which: Vec<usize>, is_answer_slow: bool) {
        // The last one first, so that the others stay where they are.
        which.sort_unstable_by(|a, b| b.cmp(a));
        let mut calls: Vec<Call> = which.into_iter().map(|at| self.calls.swap_remove(at)).collect();
        if self.chance.one_in(2) {
            calls.reverse();
        }
        let steps: Arc<[Step]> = calls.iter().map(|call| call.step.clone()).collect();
        let outcomes = at_once(self.archive.advance(steps)).unwrap();
        if outcomes.iter().any(|outcome| matches!(outcome, Advanced::Done(_))) {
            self.observe(NEWEST);
        }
        for (call, outcome) in calls.into_iter().zip(outcomes) {
            let mut ledger = self.ledger.borrow_mut();
            let is_erased = matches!(outcome, Advanced::Erased { .. });
            assert!(is_erased || !ledger.erased, "{outcome:?} behind an erasure");
            match &outcome {
                Advanced::Done(_) => ledger.counts.commits += 1,
                Advanced::Replayed(_) => ledger.counts.replayed += 1,
                Advanced::Outrun => ledger.counts.outrun += 1,
                Advanced::Erased { .. } | Advanced::Missing => {}
            }
            ledger.note(|| format!("{}: a step is {}", call.process, label(&outcome)));
            drop(ledger);
            let Some(done) = call.done else { continue };
            let answer = Answer { done, outcome };
            if is_answer_slow {
                self.answers.push(answer);
            } else {
                answer.arrive();
            }
        }
    }

    /// Looks at the archive itself, and there at the newest `tail` events.
    pub(super) fn observe(&self, tail: u32) {
        let stored = at_once(self.archive.stored(self.meta.id, tail)).unwrap();
        self.ledger.borrow_mut().observe(self.meta.id, stored);
    }
}

fn label(outcome: &Advanced) -> &'static str {
    match outcome {
        Advanced::Done(_) => "taken",
        Advanced::Replayed(_) => "known",
        Advanced::Outrun => "outrun",
        Advanced::Erased { .. } => "too late for an erased session",
        Advanced::Missing => "without a session",
    }
}

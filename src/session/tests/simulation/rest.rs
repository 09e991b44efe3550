//! Nothing fails any more: everything comes to rest, and what is there must be right.

use std::rc::Rc;

use super::world::World;
use crate::archive::steps::at_once;

/// Something is wrong if a service that nothing disturbs does more.
const MAX_REST: usize = 10_000;
/// More events than there are.
const ALL: u32 = 1_000;

impl World<'_> {
    /// Nothing fails any more, and every replica opens the session.
    pub(super) fn heal(&mut self) {
        self.note(|| "from here on nothing fails".into());
        self.is_healthy = true;
        self.now = usize::MAX;
        self.rest();
        if !self.ledger.borrow().created {
            self.submit_creation();
            self.rest();
        }
        if self.ledger.borrow().erasing && !self.ledger.borrow().erased {
            let (process, meta) = (Rc::clone(&self.replicas[0].process), self.meta.clone());
            self.begin(0, process.erase(meta));
            self.rest();
        }
        for name in std::mem::take(&mut self.dead) {
            self.silence(&name);
        }
        self.replicas.iter().for_each(|replica| replica.process.grow_old());
        let at = self.any();
        let process = Rc::clone(&self.replicas[at].process);
        self.work(at, process.sweep());
        self.rest();
        for at in 0..self.replicas.len() {
            let process = Rc::clone(&self.replicas[at].process);
            self.begin(at, process.look_at_it());
        }
        self.rest();
    }

    /// Until there is nothing more to do.
    fn rest(&mut self) {
        for _ in 0..MAX_REST {
            let is_call_first = self.chance.one_in(2);
            if is_call_first && self.decide_call() || self.go_on() {
                continue;
            }
            if self.decide_call() || self.take_late_call() {
                continue;
            }
            if self.jobs.is_empty() {
                return;
            }
            // They wait until they try again.
            self.pass_time();
        }
        panic!("the service does not come to rest");
    }

    pub(super) fn check(&self) {
        self.observe(ALL);
        let ledger = self.ledger.borrow();
        let id = self.meta.id;
        if ledger.erased {
            assert!(
                at_once(self.archive.session(id)).unwrap().is_none(),
                "an erased session is there"
            );
            assert!(at_once(self.archive.events(id, 0, 1)).unwrap().is_empty(), "with its events");
        } else {
            assert_eq!(ledger.unfinished(), None, "a turn has no end");
            for replica in &self.replicas {
                let actor = replica.process.live().expect("every replica has opened the session");
                let actor = actor.borrow();
                assert_eq!(actor.shown, ledger.events, "a replica does not show all");
                assert!(!actor.is_at_work(), "a replica still waits");
            }
        }
        for (key, turn) in ledger.keys() {
            let known = at_once(self.archive.idempotency(id, key)).unwrap();
            let known = known.map(|record| record.turn_id);
            assert_eq!(known, (!ledger.erased).then_some(*turn), "{key} is not kept");
        }
    }
}

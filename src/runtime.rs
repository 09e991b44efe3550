//! The threads of the process: arbiters for the sessions, one for the pool, one for the embedder's queue.

use std::num::NonZeroUsize;

use actix::{Arbiter, ArbiterHandle};

/// Arbiters live as long as this; dropping it stops their threads.
pub struct Arbiters {
    sessions: Vec<Arbiter>,
    services: Arbiter,
}

impl Arbiters {
    pub fn start(workers: usize) -> Self {
        Self { sessions: (0..workers).map(|_| Arbiter::new()).collect(), services: Arbiter::new() }
    }

    pub fn sessions(&self) -> Vec<ArbiterHandle> {
        self.sessions.iter().map(Arbiter::handle).collect()
    }

    /// For the few actors of which there is one: supervisor, pool, embedder.
    pub fn services(&self) -> ArbiterHandle {
        self.services.handle()
    }

    pub fn stop(self) {
        for arbiter in self.sessions.iter().chain([&self.services]) {
            arbiter.stop();
        }
    }
}

/// `configured`, or one for each core.
pub fn workers(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
        workers => workers,
    }
}

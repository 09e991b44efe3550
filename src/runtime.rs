//! The threads of the process other than those of the HTTP server.

use std::num::NonZeroUsize;

use actix::{Arbiter, ArbiterHandle};

/// The thread of the supervisor, the pool and the embedder. Dropping it stops the thread.
///
/// Sessions have no threads of their own: they run on those of the HTTP server.
pub struct Services(Arbiter);

impl Services {
    pub fn start() -> Self {
        Self(Arbiter::new())
    }

    pub fn arbiter(&self) -> ArbiterHandle {
        self.0.handle()
    }

    pub fn stop(self) {
        self.0.stop();
    }
}

/// `configured`, or one per core.
pub fn workers(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
        workers => workers,
    }
}

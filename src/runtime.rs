//! The threads of the process beside those of the HTTP server.

use std::num::NonZeroUsize;

use actix::{Arbiter, ArbiterHandle};

/// For the few actors of which there is one: supervisor, pool, embedder. Dropping it stops their thread.
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

/// `configured`, or one for each core.
pub fn workers(configured: usize) -> usize {
    match configured {
        0 => std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
        workers => workers,
    }
}

//! The service level: full answers (0) to tickets (4).
//!
//! [`Ladder`] is pure: it sets the level from the time that turns wait for a model. [`Brownout`]
//! shares the level in force within the process, behind a lock. A background task steps it, and an
//! operator's pin overrides it. A turn reads the level once, when it begins.
//!
//! Nothing here waits. A level changes what is asked of the model, and what happens to turns that
//! cannot wait for it. It never keeps a free model idle; only a pin can.

mod ladder;
pub mod metrics;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

pub use ladder::{Change, Ladder, Pressure};

use crate::{
    config,
    domain::{ServiceLevel, Timestamp},
};

/// The service level that an operator pinned, if any, and the time of the order. The newest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    pub level: Option<ServiceLevel>,
    pub at: Timestamp,
}

impl Pin {
    /// No operator has pinned a level.
    pub const NONE: Self = Self { level: None, at: Timestamp::from_millis(0) };
    /// Its name in the archive's table of modes.
    pub const MODE: &str = "service_level";

    /// Reads a stored value. A value that is not a level pins none.
    pub fn read(value: &serde_json::Value, at: Timestamp) -> Self {
        let level = value.as_u64().and_then(|level| u8::try_from(level).ok()).map(ServiceLevel);
        Self { level: level.filter(|level| *level <= ServiceLevel::TICKET), at }
    }
}

/// The service that a turn gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub level: ServiceLevel,
    /// An operator pinned the level, so it applies even if a model is free.
    pub pinned: bool,
}

impl Service {
    pub const FULL: Self = Self { level: ServiceLevel::FULL, pinned: false };
}

/// The level in force in this process, and the rules of each level.
pub struct Brownout {
    config: config::Brownout,
    state: Mutex<State>,
}

struct State {
    ladder: Ladder,
    pin: Pin,
}

impl Brownout {
    pub fn new(config: &config::Brownout) -> Self {
        let state = State { ladder: Ladder::new(config), pin: Pin::NONE };
        metrics::level(ServiceLevel::FULL);
        Self { config: config.clone(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn service(&self) -> Service {
        self.state().service()
    }

    /// The level according to the load, even while another one is pinned.
    pub fn automatic(&self) -> ServiceLevel {
        self.state().ladder.level()
    }

    /// Updates the level from the time that turns wait. Called a few times a second.
    pub fn step(&self, pressure: Pressure, now: Instant) {
        let (change, service) = {
            let mut state = self.state();
            (state.ladder.step(pressure, now), state.service())
        };
        if let Some(Change { from, to }) = change {
            metrics::changed(from, to);
            tracing::info!(from = from.0, to = to.0, pinned = service.pinned, "service level");
        }
        metrics::level(service.level);
    }

    /// Applies an operator's pin, from this replica or another one. An older one is ignored.
    pub fn pin(&self, pin: Pin) {
        let service = {
            let mut state = self.state();
            if state.pin == pin || state.pin.at > pin.at {
                return;
            }
            state.pin = pin;
            state.service()
        };
        tracing::info!(level = service.level.0, pinned = service.pinned, "service level was set");
        metrics::level(service.level);
    }

    /// Longest predicted wait with which a turn queues for a model.
    pub fn longest_wait(&self, level: ServiceLevel) -> Duration {
        let index = usize::from(level.0).min(self.config.longest_wait.len() - 1);
        self.config.longest_wait[index]
    }

    /// If a model can start within this time, it is used before the knowledge at any level.
    pub fn room(&self) -> Duration {
        self.config.room
    }

    pub fn short_answer_tokens(&self) -> u32 {
        self.config.short_answer_tokens
    }

    /// Whether a question may become a ticket.
    pub fn tickets(&self) -> bool {
        self.config.tickets
    }
}

impl State {
    fn service(&self) -> Service {
        match self.pin.level {
            Some(level) => Service { level, pinned: true },
            None => Service { level: self.ladder.level(), pinned: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    #[test]
    fn a_pin_overrides_the_ladder_until_a_newer_order_lifts_it() {
        let config = Config::load(&Sources::default()).unwrap();
        let brownout = Brownout::new(&config.brownout);
        let at = |millis| Timestamp::from_millis(millis);
        brownout.pin(Pin { level: Some(ServiceLevel::TICKET), at: at(2) });
        let pinned = Service { level: ServiceLevel::TICKET, pinned: true };
        assert_eq!(brownout.service(), pinned);
        brownout.pin(Pin { level: None, at: at(1) });
        assert_eq!(brownout.service(), pinned);
        brownout.pin(Pin { level: None, at: at(3) });
        assert_eq!(brownout.service(), Service::FULL);
    }
}

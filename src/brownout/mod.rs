//! How much service there is for everybody: a ladder from full answers (level 0) down to tickets (level 4).
//!
//! [`Ladder`] decides from how long turns wait for a model; [`Brownout`] is what the house shares: a turn reads the level
//! in force once, when it begins, and keeps it. An operator's pin overrides the ladder. A background task steps the
//! ladder; nothing here waits, and nothing here leaves a free slot unused: the levels change what is asked of the model
//! and what is done with those who cannot wait for it, never whether a free model is asked. Only a pin may do that.

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

/// The service level that an operator holds, or that none is held, and since when: the newer one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    pub level: Option<ServiceLevel>,
    pub at: Timestamp,
}

impl Pin {
    /// No order was ever given.
    pub const NONE: Self = Self { level: None, at: Timestamp::from_millis(0) };
    /// The name of the mode under which it is kept.
    pub const MODE: &str = "service_level";

    /// Reads what is kept; what is no level of the ladder holds none.
    pub fn read(value: &serde_json::Value, at: Timestamp) -> Self {
        let level = value.as_u64().and_then(|level| u8::try_from(level).ok()).map(ServiceLevel);
        Self { level: level.filter(|level| *level <= ServiceLevel::TICKET), at }
    }
}

/// What a turn may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    pub level: ServiceLevel,
    /// The level is an operator's order: room at the model does not soften it.
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

    /// What the ladder says, pinned or not.
    pub fn automatic(&self) -> ServiceLevel {
        self.state().ladder.level()
    }

    /// Lets the ladder see how long turns wait; called a few times a second.
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

    /// Takes over what an operator ordered, here or on another replica. An older order changes nothing.
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

    /// A model that would begin within this time is asked before the knowledge at any level.
    pub fn room(&self) -> Duration {
        self.config.room
    }

    pub fn short_answer_tokens(&self) -> u32 {
        self.config.short_answer_tokens
    }

    /// Whether a question may be kept and answered later.
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

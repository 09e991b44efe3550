//! Equal questions at the same time: one is answered, and the others read its answer.

mod elsewhere;
mod follow;
mod same_meaning;
mod same_words;
mod shared;

pub use self::{same_meaning::same_meaning, same_words::same_words, shared::Shared};
use super::{ask::Ask, ports::Ports};
use crate::{cache::FlightKey, domain::ServiceLevel};

/// The service level for the model. A question that others ask, too, is answered in full at any
/// level, because the cache gives that answer to later shoppers. An operator's order still applies.
/// Counts the question.
pub fn level(ports: &Ports, ask: &Ask) -> ServiceLevel {
    let shareable = ask.said.shareable().filter(|_| ask.is_waited_for());
    let asked_again = shareable.is_some_and(|shareable| {
        let key = FlightKey::new(&ask.partition, shareable.question());
        ports.demand.again(key) && ports.cache.is_some()
    });
    if asked_again && !ask.service.pinned { ServiceLevel::FULL } else { ask.service.level }
}

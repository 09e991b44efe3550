//! Equal questions at the same time: one is answered, the others read along.

mod elsewhere;
mod follow;
mod same_meaning;
mod same_words;
mod shared;

pub use self::{same_meaning::same_meaning, same_words::same_words, shared::Shared};
use super::{ask::Ask, ports::Ports};
use crate::{cache::FlightKey, domain::ServiceLevel};

/// The level of service at which the model is asked. A question that others ask too is answered in
/// full at any level, for the cache gives that answer to all who come later; an operator's order
/// counts all the same. Counts the question.
pub fn level(ports: &Ports, ask: &Ask) -> ServiceLevel {
    let counts = ask.is_waited_for() && ask.may_be_shared();
    let asked_again = ask.question.as_ref().filter(|_| counts).is_some_and(|question| {
        ports.demand.again(FlightKey::new(&ask.partition, question)) && ports.cache.is_some()
    });
    if asked_again && !ask.service.pinned { ServiceLevel::FULL } else { ask.service.level }
}

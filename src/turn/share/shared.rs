//! The relation of a question to equal ones in flight.

use crate::domain::Fact;

/// The role of a question among equal ones in flight.
pub enum Shared<Place> {
    /// Another turn's answer also served this one.
    Answered(Box<Fact>),
    /// This turn answers. Others follow it while its place is held.
    Leading(Place),
    Alone,
}

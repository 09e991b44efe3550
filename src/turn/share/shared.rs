//! How a question stands to equal ones.

use crate::domain::Fact;

/// What a question is to the equal ones in flight.
pub enum Shared<Place> {
    /// Another turn's answer served this one too.
    Answered(Box<Fact>),
    /// This turn answers, for all that follow it while its place is held.
    Leading(Place),
    Alone,
}

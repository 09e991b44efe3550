//! One user message and everything that answers it.
//!
//! [`pipeline::run_turn`] is a plain function that reads from top to bottom; it writes into a [`crate::log::TurnLog`] and
//! reaches the rest of the house through [`ports::Ports`] only. Called by the session actor and by the
//! OpenAI-compatible endpoint; knows neither.

mod citations;
mod elsewhere;
pub mod pipeline;
pub mod ports;
pub mod twin;
mod write;

//! One user message and how it is answered.
//!
//! [`attend::attend`] runs [`pipeline::run_turn`] within its limits. A turn reads its [`ask::Ask`],
//! writes only into its [`reply::Reply`], and reaches the other modules through [`ports::Ports`].
//! Session actors, the OpenAI-compatible endpoint and the ticket worker call it; it knows none of
//! them.

pub mod act;
pub mod ask;
mod assistants;
pub mod attend;
mod cached;
pub mod codes;
pub mod decisions;
mod errands;
mod exact;
mod kept;
mod language;
pub mod metrics;
pub mod muster;
mod page;
pub mod person;
pub mod pipeline;
pub mod ports;
mod refuse;
pub mod reply;
pub mod retrieve;
pub mod roster;
mod said;
mod screen;
mod share;
mod understand;
pub mod undo;

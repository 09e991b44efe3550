//! One user message and everything that answers it.
//!
//! [`attend::attend`] runs [`pipeline::run_turn`] within its bounds. A turn reads its [`ask::Ask`] and
//! writes into its [`reply::Reply`] only, and reaches the rest of the house through
//! [`ports::Ports`]. Called by session actors, by the OpenAI-compatible endpoint and by the worker
//! of tickets; knows none of them.

pub mod ask;
mod assistants;
pub mod attend;
mod cached;
mod exact;
pub mod metrics;
pub mod pipeline;
pub mod ports;
pub mod reply;
mod retrieve;
mod screen;
mod share;

//! The inference pool: who may ask which model server when, and what came back.
//!
//! The pool grants, the caller generates. A turn calls [`Generation::start`], which sends [`Acquire`]
//! through the pool's door ([`messages`]) and waits in its fair queue for a [`Grant`]: a backend and
//! a [`SlotPass`]. It then streams from that backend itself; the pool never touches a token. The pass
//! gives the slot back and tells the breaker how it went when it is dropped, whatever the reason.
//!
//! Never: more requests at a backend than its slots, a second answer after the first byte of one was
//! handed on, reasoning text on its way out, an answer called complete without proof.

mod actor;
mod attempt;
pub mod backend;
mod breaker;
mod budget;
mod discover;
mod first_token;
pub mod forecast;
mod generate;
mod health;
mod hedge;
mod learned;
mod limiter;
pub mod messages;
pub mod metrics;
mod outcome;
mod pressure;
pub mod queue;
mod router;
mod slot;
mod station;
pub mod stream;
mod tokens;

#[cfg(test)]
mod tests;

pub use crate::{config::Tier, domain::Lane};
pub use actor::{InferencePool, Pool};
pub use backend::{Backend, BackendId, ChatMessage, ChatRequest, ChatRole, StartError};
pub use discover::discover_ollama;
pub use generate::{GenerateError, GenerateRequest, Generation, Limits};
pub use messages::{
    Acquire, AcquireRequest, Ask, BackendStatus, Close, Grant, LaneStatus, Observe, PoolStatus,
    QueuePosition, Refused, SlotReleased,
};
pub use outcome::{Class, Outcome, Stall};
pub use pressure::PressureGauge;
pub use router::affinity_of;
pub use slot::SlotPass;
pub use stream::{Piece, ToolCall};
pub use tokens::estimate_tokens;

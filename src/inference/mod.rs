//! The inference pool: which request may go to which model server when, and what came back.
//!
//! The pool grants, the caller generates. A turn calls [`Generation::start`], which sends
//! [`Acquire`] to the pool ([`messages`]) and waits in its fair queue for a [`Grant`]: a backend
//! and a [`SlotPass`]. The turn then streams from that backend itself; the pool never touches a
//! token. When the pass is dropped, for any reason, it gives the slot back and reports the outcome
//! to the breaker.
//!
//! Never: more requests at a backend than it has slots, a second answer after the first byte of one
//! was handed on, reasoning text in an answer, or an answer called complete without proof.

mod acquire;
mod actor;
mod attempt;
pub mod backend;
mod breaker;
mod budget;
mod chat;
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
mod request;
mod router;
mod slot;
mod source;
mod station;
mod status;
pub mod stream;
mod tokens;

#[cfg(test)]
mod tests;

pub use crate::{config::Tier, domain::Lane};
pub use actor::{InferencePool, Pool};
pub use backend::{Backend, BackendId, Job, Jobs, StartError};
pub use chat::{CallRef, ChatMessage, ChatRequest, ChatRole, Tool, ToolCall, ToolChoice};
pub use discover::discover_ollama;
pub use generate::Generation;
pub use messages::{
    Acquire, AcquirePort, AcquireRequest, Ask, Close, Grant, Observe, QueuePosition, Refused,
    SlotReleased,
};
pub use outcome::{Class, Outcome, Stall};
pub use pressure::PressureGauge;
pub use request::{GenerateError, GenerateRequest, Limits};
pub use router::affinity_of;
pub use slot::{OnRelease, SlotPass};
pub use source::{LocalModel, Source};
pub use status::{BackendStatus, BreakerState, LaneStatus, PoolStatus};
pub use stream::Piece;
pub use tokens::estimate_tokens;

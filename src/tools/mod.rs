//! What a shop's tools are, and how they are called: a call is held to the schema of its tool, goes
//! to a target that the configuration names, and comes back bounded in time and size.
//!
//! Who asks travels in headers, from the session and never from a model. Nothing here decides
//! whether a tool is used, and nothing of an answer is believed to be harmless.

mod answer;
mod call;
mod caller;
mod codes;
mod customers;
mod follow;
mod guesses;
mod handle;
mod lookups;
mod maker;
mod mcp;
pub mod metrics;
pub mod openapi;
mod prepared;
mod request;
mod send;
mod servers;
mod target;
#[cfg(test)]
mod tests;
mod tool;
mod toolbox;
mod undo;
mod way;
mod web;
mod written;

pub use self::{
    answer::{CallError, Known, Output},
    caller::{Caller, Customer, Proof},
    codes::{Checked, Sent, subject},
    customers::Customers,
    handle::Tools,
    maker::ToolsError,
    prepared::{Prepared, Refused},
    tool::Tool,
    toolbox::{Missing, ToolStatus, Toolbox},
    undo::Undo,
    written::Written,
};
pub use crate::config::{Effect, Identity};

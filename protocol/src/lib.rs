//! Explicit-state models of the protocol that keeps one journal for each session.
//!
//! A model is a state, the steps that may follow it, and what a state may never be. The search goes
//! through all states that a budget of faults allows, so "finds nothing" is a proof for that
//! budget. Each rule of a model can be switched off. A rule without a trace that fails without it proves
//! nothing, so the tests search for that trace too.
//!
//! | module | protocol |
//! | --- | --- |
//! | [`journal`] | `store.ack = "redis"`: Redis acknowledges in front, SQL follows |
//! | [`cold`] | `store.ack = "sql"`: SQL acknowledges each append |
//! | [`today`] | what both replace; the search finds in it what was found in production |
//!
//! The tests hold the small budgets. `cargo run --release -p rushdesk-protocol -- --large` searches
//! the large ones and prints states and seconds.
//!
//! The search is our own, some 100 lines: the `stateright` crate would add 44 crates to the lock
//! file, with a web server among them, and it keeps whole states where a fingerprint is enough.

pub mod cold;
pub mod faults;
mod fingerprint;
pub mod journal;
pub mod list;
pub mod search;
pub mod today;

pub use faults::{Budget, Fault};

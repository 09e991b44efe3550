//! One binary: the simulator over real sockets, and the replay against a server that can lie.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod fake;
mod replay;
mod shop;
mod sim;

//! The client of MCP servers (Model Context Protocol, streamable HTTP, versions 2025-03-26 to
//! 2026-07-28; <https://modelcontextprotocol.io/specification>). Each call has a session of its own,
//! so that no server ever holds two shoppers in one. A server may answer, and nothing else: it
//! cannot ask, notify or redirect this client.

mod http;
mod offer;
mod remote;
mod result;

pub(super) use self::{
    http::Fault,
    offer::{Allowed, Problem, allowed},
    remote::Remote,
    result::output,
};

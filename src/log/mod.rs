//! The log of one running turn: append-only, bounded, and read through cursors.
//!
//! One [`Writer`] appends, and ends the log when it is dropped. Every reader (SSE response, socket,
//! second tab, reconnect, follower in another session) holds a [`Cursor`]. A slow reader does not
//! slow the writer and keeps nothing alive but this log.

mod cursor;
pub mod frame;
mod readers;
#[cfg(test)]
mod tests;
mod text;
mod transcript;
mod turn;
mod writer;

pub use self::{
    cursor::Cursor,
    text::{TextReader, TextStep},
    turn::TurnLog,
    writer::{Mirrored, Writer},
};

//! What the assistant is told. Pure: decides, never acts.

pub mod need;
pub mod prompt;
pub mod smalltalk;
pub mod ticket;

//! The assistant's prompt and fixed replies. Pure: it decides and never acts.

pub mod need;
pub mod prompt;
mod quote;
pub mod smalltalk;
pub mod ticket;

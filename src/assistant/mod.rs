//! The assistant's prompt and fixed replies. Pure: it decides and never acts.

pub mod need;
pub mod prompt;
pub mod smalltalk;
pub mod ticket;

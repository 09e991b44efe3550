//! The assistants of a shop, what they do next, their prompt and their own sentences. Pure: it
//! decides and never acts.

mod catalog;
pub mod document;
pub mod plan;
pub mod problems;
pub mod prompt;
mod quote;
pub mod sentences;

pub use catalog::{Assistant, Catalog};

//! The assistants of a shop, what they do next, their prompt and their own sentences; `errand`
//! understands what a tool can do for a shopper. Pure: it decides and never acts.

pub mod actions;
mod catalog;
pub mod document;
pub mod errand;
pub mod plan;
pub mod problems;
pub mod prompt;
pub mod quote;
pub mod sentences;

pub use catalog::{Assistant, Catalog};

//! The knowledge behind a shop's answers: documents, their passages, the search, and answers
//! without a model.
//!
//! [`Knowledge`] is the entry point: documents go in, passages come out. Turns, the document
//! handlers and `rushdesk knowledge import` call it. It never writes an answer of its own:
//! [`extract`] only quotes.

mod asking;
mod base;
mod blocks;
mod chunk;
mod document;
mod extract;
mod faq;
mod front_matter;
mod glossary;
mod html;
pub mod import;
mod index;
mod line;
mod markdown;
mod mentions;
mod meta;
mod metrics;
mod names;
mod phrase;
mod query;
mod rows;
mod screen;
mod search;
mod sentence;
mod site;
mod spelling;
mod stored;
mod synonyms;
mod terms;

#[cfg(test)]
mod tests;

pub use asking::questions;
pub use base::{Knowledge, KnowledgeError, Status, Upserted};
pub use chunk::Chunk;
pub use document::{Body, Format, NewDocument, PUBLIC};
pub use extract::{Example, Extract, Found, Setting, examples, extract};
pub use faq::{FaqPair, pairs};
pub use metrics::METRICS;
pub use query::Query;
pub use screen::{LeftOut, without_instructions};
pub use search::{Passage, confidence};
pub use stored::TRUSTED;

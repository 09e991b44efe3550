//! Word lists by language, compiled in from `words/<language>/<name>.txt`; `words/README.md`
//! explains the files.
//!
//! A vocabulary is plain data. The module that uses it decides what its words mean, and reads it
//! once.

mod format;
mod lists;
pub mod sentence;
mod vocabulary;

pub use format::{Patterns, Phrases, Sequences, Text, Words};
pub use lists::*;
pub use vocabulary::{Vocabulary, all, languages, of};

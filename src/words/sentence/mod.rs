//! A text cut into sentences of folded words, and what stands in one of them in a given order: the
//! reader of sequences.

mod sequence;
mod text;

pub use self::{
    sequence::{Hit, Sequences},
    text::{Text, fold},
};

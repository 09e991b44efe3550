//! A text cut into sentences of folded words, and what stands in one of them in a given order.

mod sequence;
mod text;

pub(super) use self::{
    sequence::{Hit, Sequences},
    text::{Text, fold},
};

//! The content of a question: its key, whether its answer may be shared, and whether two questions
//! may share one. And the content of an answer: whether two of them say the same.

mod asked;
mod courtesy;
mod facts;
mod guards;
mod lexicon;
mod likeness;
mod policy;
mod text;
mod wording;

pub use asked::Question;
pub use guards::{Disagreement, serves};
pub use likeness::{Likeness, are_same, compare};
pub use policy::{Made, NotCacheable, may_store};

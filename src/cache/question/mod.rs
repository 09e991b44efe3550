//! The content of a question: its key, whether its answer may be shared, and whether two questions
//! may share one.

mod asked;
mod facts;
mod guards;
mod lexicon;
mod policy;
mod text;

pub use asked::Question;
pub use guards::{Disagreement, agree};
pub use policy::{Made, NotCacheable, may_store};

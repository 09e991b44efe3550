//! The configuration: read once at start, checked as a whole, then never changed.

mod check;
mod load;
mod sections;

pub use load::{Faults, Sources};
pub use sections::*;

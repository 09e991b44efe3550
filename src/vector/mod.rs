//! Arithmetic on vectors, for the modules that compare them, and the small networks that read them.

mod dot;
mod network;

pub use dot::dot;
pub use network::{Layers, Network};

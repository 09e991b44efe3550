//! The embedder as callers use it: first with a fake model, then with the real one.

mod model;
mod threads;

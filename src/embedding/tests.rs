//! The embedder as its callers see it: first with a made-up model, then with the real one.

mod model;
mod threads;

//! The knowledge as a whole: answers of the demo shop, public questions, and a base with a real
//! archive.

mod base;
mod demo;
mod evaluation;
mod languages;
mod model;

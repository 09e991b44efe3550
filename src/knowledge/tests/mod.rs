//! The knowledge as a whole: the demo shop's answers, public questions, and a base over a real
//! archive.

mod base;
mod demo;
mod evaluation;
mod model;

//! The desk of a shop: which of its people are on duty, who waits for them, and for how long.
//!
//! It reads the views of the archive and keeps nothing itself, so every replica says the same.
//! Called by turns, which must not promise a person who is not there, and by the HTTP layer.

mod handle;
mod look;
pub mod metrics;
mod seen;
mod standing;
mod watch;

pub use handle::Desk;
pub use look::{Look, Looks};
pub use seen::{MOST, Seen};
pub use standing::{Room, Standing, Wait};
